"""What Wildgate adds to saving a product of django-oscar: time of a save with the plug-in and without, side by side.

Usage: .venv-integration/bin/python benchmarks/load/django_saves.py [--rounds N] [--saves N] [--output FILE]

Two processes hold the shop of tests/integration, one with Wildgate in its settings and one without, each with a database (SQLite) of its
own; one real service, with recording. In each round both save, in turns of ten, so many products by a form in a transaction, as oscar's
dashboard does, without the search index, whose writing would drown the rest: `create` a product, `edit` its description, and `touch`
(save it with its texts as they were). Texts are new ones each time,
of ordinary wares, which have no outcomes to send. Times are wall time from validation to commit, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, Self

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(HERE)]

from machine import write
from running import Service

SEED = 5
KINDS = ("create", "edit", "touch")
TURN = 10
WORDS = """
oak table chair lamp linen cotton shirt blue red large small kitchen garden bench shelf mirror frame wool scarf bicycle pump glass jar
ceramic bowl set of four nearly new with box delivery possible size width height cm used condition good light scratches steel wooden
"""


class Shop:
    """A process that saves products and says how long each took."""

    def __init__(self, name: str, folder: Path, target: str) -> None:
        (folder / name).mkdir()
        variables = {"PLATFORM_FOLDER": str(folder / name), "WILDGATE_TARGET": target, "DJANGO_SETTINGS_MODULE": "shop_settings"}
        if name == "off":
            variables["WITHOUT_WILDGATE"] = "1"
        paths = [str(REPOSITORY / "tests" / "integration" / "shop"), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(paths)}

    def __enter__(self) -> Self:
        command = [sys.executable, __file__, "--shop"]
        self._process = subprocess.Popen(
            command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(60)

    def save(self, seed: int, saves: int) -> dict[str, list[float]]:
        """Save so many products in each way; returns milliseconds."""
        print(json.dumps([seed, saves]), file=self._process.stdin, flush=True)
        answer: dict[str, list[float]] = json.loads(self._process.stdout.readline())  # type: ignore[union-attr]
        return answer


def serve_saves() -> None:
    """Be the shop's process."""
    import django  # noqa: PLC0415 with the settings of this process
    from django.conf import settings  # noqa: PLC0415

    settings.HAYSTACK_SIGNAL_PROCESSOR = "haystack.signals.BaseSignalProcessor"
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    saves = Saves()
    for line in sys.stdin:
        seed, count = json.loads(line)
        print(json.dumps(saves.run(random.Random(seed), count)), flush=True)


class Saves:
    """Saves by a form of the model, as oscar's is."""

    def __init__(self) -> None:
        from django.forms import modelform_factory  # noqa: PLC0415
        from oscar.apps.catalogue.models import Product, ProductClass  # noqa: PLC0415

        self._product = Product
        self._form = modelform_factory(Product, fields=("title", "description", "is_public"))
        self._class = ProductClass.objects.create(name="Things", track_stock=False)

    def run(self, chance: random.Random, count: int) -> dict[str, list[float]]:
        """Save so many products in each way."""
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(count):
            product = self._product(product_class=self._class)
            texts = {"title": words(chance, 6), "description": words(chance, 40), "is_public": "on"}
            times["create"].append(self._save(product, texts))
            texts["description"] = words(chance, 40)
            times["edit"].append(self._save(product, texts))
            times["touch"].append(self._save(product, texts))
        return times

    def _save(self, product: Any, texts: dict[str, str]) -> float:  # noqa: ANN401 oscar's
        from django.db import transaction  # noqa: PLC0415

        started = perf_counter()
        with transaction.atomic():
            form = self._form(texts, instance=product)
            assert form.is_valid(), form.errors  # noqa: S101 ordinary wares
            form.save()
        return (perf_counter() - started) * 1_000


def words(chance: random.Random, count: int) -> str:
    """A text of ordinary words that was not there before."""
    return " ".join([*chance.choices(WORDS.split(), k=count), str(chance.randrange(10**6))])


def measure(rounds: int, saves: int) -> list[dict[str, dict[str, list[float]]]]:
    """Let both shops save in turns; returns times by round, shop and kind."""
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name, Service("service", Path(name)) as service:
        folder = Path(name)
        with Shop("on", folder, service.target) as on, Shop("off", folder, service.target) as off:
            shops = {"on": on, "off": off}
            for shop in shops.values():  # what is made at the first use is not what is measured
                shop.save(SEED, TURN)
            return [_round(shops, saves, chance) for _ in range(rounds)]


def _round(shops: dict[str, Shop], saves: int, chance: random.Random) -> dict[str, dict[str, list[float]]]:
    times: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in KINDS} for name in shops}
    for _ in range(saves // TURN):
        for name in chance.sample(list(shops), len(shops)):
            for kind, values in shops[name].save(chance.randrange(10**9), TURN).items():
                times[name][kind] += values
    return times


def summary(rounds: list[dict[str, dict[str, list[float]]]]) -> dict[str, dict[str, float]]:
    """By kind: medians and p99 of all saves with Wildgate and without, and the median over rounds of what it adds to a round's median."""
    return {
        kind: {**_figures(rounds, kind), "added_median": round(statistics.median(_added(each, kind) for each in rounds), 2)}
        for kind in KINDS
    }


def _figures(rounds: list[dict[str, dict[str, list[float]]]], kind: str) -> dict[str, float]:
    pooled = {name: [value for each in rounds for value in each[name][kind]] for name in ("off", "on")}
    figures = {"median": statistics.median, "p99": p99}
    return {f"{name}_{figure}": round(of(values), 2) for figure, of in figures.items() for name, values in pooled.items()}


def _added(times: dict[str, dict[str, list[float]]], kind: str) -> float:
    return statistics.median(times["on"][kind]) - statistics.median(times["off"][kind])


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--saves", type=int, default=200, help="of each kind, in each round and shop")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "django_saves.json")
    parser.add_argument("--shop", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.shop:
        serve_saves()
        return
    found = summary(measure(options.rounds, options.saves))
    for kind, figures in found.items():
        print(kind, ", ".join(f"{name} {value} ms" for name, value in figures.items()))
    write(options.output, {"seed": SEED, "rounds": options.rounds, "saves": options.saves, "milliseconds": found})


if __name__ == "__main__":
    main()
