"""How much of what is found in plain writing is still found under a disguise, and what that costs ordinary texts.

Usage: python benchmarks/quality/robustness.py [--half development|reported] [--families NAME,...] [--lexicons-alone] [--output FILE]

Families of which a package is missing are named as not run; `pip install 'wildgate-service[robustness]'` has them all.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import msgspec
from machine import write
from rates import Row
from robustness.catalog import FAMILIES
from robustness.family import Family
from robustness.measure import Answer, Filter, Missed, measure_clean, measure_family
from robustness.rivals import installed_rivals
from robustness.summary import summarized
from robustness.tables import print_tables
from robustness.texts import HALVES, Form, Text, read_texts
from robustness.words import Strength
from wildgate_service.errors import WildgateError
from wildgate_service.lexicon import compile_lexicons, default_lexicons
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, load_engine, score_listing
from wildgate_service.quality.verdicts import complete, provenance
from wildgate_service.settings import load_settings
from wildgate_service.types import Action, Attribute, Listing

SEED = 20_260_101
MEANING = (
    "retained: of the offers that are not ALLOW in plain writing and that the family changes, those not ALLOW when disguised. "
    "false_alarms: of the benign texts that are ALLOW in plain writing and that the family changes, those not ALLOW when disguised. "
    "named_view: of the retained offers, those with a match that names a view; all halves measured together. Intervals: 95 %, Wilson. "
    "Rivals are asked about the offers that they themselves stop when plain."
)


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    try:
        engine = lexicons_alone() if chosen.lexicons_alone else complete(local_engine())
        families = [family for family in FAMILIES if family.name in chosen.families]
        texts = [text for text in read_texts() if chosen.half in {"", text.half}]
        result = measure(engine, families, texts, chosen)
    except (WildgateError, ValueError) as error:
        print(f"robustness: {error}", file=sys.stderr)
        return 2
    print_tables(result)
    write(chosen.output, result)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    names = [family.name for family in FAMILIES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=HALVES, default="", help="measure one half of the texts (default: both, apart and together)")
    parser.add_argument("--families", type=lambda given: given.split(","), default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--lexicons-alone", action="store_true", help="without the screen and the encoder")
    parser.add_argument("--no-rivals", dest="rivals", action="store_false", help="leave the word filters out")
    parser.add_argument("--seed", type=int, default=SEED, help="what is touched, and how")
    parser.add_argument("--missed", type=Path, help="write the lost offers as JSON lines; with --half development only")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "robustness.json", help="file of the result")
    chosen = parser.parse_args()
    if unknown := set(chosen.families) - set(names):
        parser.error(f"no such family: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if chosen.missed and chosen.half != HALVES[0]:
        parser.error("--missed needs --half development: whoever reads lost texts of the reported half spoils it")
    return chosen


def lexicons_alone() -> Engine:
    """The engine without its models."""
    engine = load_engine(compile_lexicons(default_lexicons(), load_settings().settings.cache))
    return msgspec.structs.replace(engine, screen=None)


def service(engine: Engine) -> Filter:
    """The service as a filter: everything but ALLOW stops."""

    def answer(form: Form) -> Answer:
        attributes = tuple(Attribute("", value) for value in form.attributes)
        decision = score_listing(engine, Listing(title=form.title, description=form.description, attributes=attributes))
        return Answer(decision.action is not Action.ALLOW, any(match.views for match in decision.matches))

    return Filter("wildgate", answer)


def measure(engine: Engine, families: list[Family], texts: list[Text], chosen: argparse.Namespace) -> Row:
    """Every family on every filter."""
    rivals, status = installed_rivals(texts, chosen.seed) if chosen.rivals else ([], {})
    filters = [service(engine), *rivals]
    clean, stopped = measure_clean(filters, texts)
    lost: list[str] = []
    rows = {}
    for family in families:
        rows[family.name] = measure_family(family, filters, texts, stopped, chosen.seed, collector(lost))
        print(f"{family.name}: {rows[family.name]['status']}", file=sys.stderr)
    if chosen.missed:
        chosen.missed.write_text("".join(lost), encoding="utf-8")
    return {
        "meaning": MEANING,
        "seed": chosen.seed,
        "lexicons_alone": chosen.lexicons_alone,
        **provenance(engine),
        "texts": {label: sum(text.label == label for text in texts) for label in ("offer", "benign")},
        "rivals": status,
        "clean": clean,
        "summary": summarized(rows, list(clean), [name for name in clean["wildgate"] if name != "by_language"]),
        "families": rows,
    }


def collector(lost: list[str]) -> Missed:
    """Appends lost offers as lines of JSON."""

    def collect(family: Family, strength: Strength, text: Text, form: Form) -> None:
        row = {"family": family.name, "strength": strength.name, "id": text.id, "language": text.language, **asdict(form)}
        lost.append(json.dumps(row, ensure_ascii=False) + "\n")

    return collect


if __name__ == "__main__":
    sys.exit(main())
