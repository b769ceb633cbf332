"""What the service gets right and wrong: real negatives, two labeled sets, functional texts, kept templates, long listings.

Usage: python benchmarks/quality/evaluate.py --data DIR [--functional FILE] [--output DIR]

No text of the data sets is written anywhere: their rows have no redistribution licence. What is missing is named, the rest is measured,
and the exit status is then 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import descriptions
import functional
import labeled
import negatives
import templates
from machine import write
from rates import Row
from wildgate_service.errors import WildgateError
from wildgate_service.local import local_engine
from wildgate_service.model.training_data import LEATHER, NEGATIVES, TWEETS
from wildgate_service.pipeline import Engine
from wildgate_service.quality.verdicts import complete, lexicons_alone, provenance

FUNCTIONAL = HERE.parent.parent / "tests" / "functional" / "texts.jsonl"

Measure = Callable[[Engine, Path], Row]
Part = tuple[str, tuple[Path, ...], Path, Measure, Callable[[Row], None]]


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    missing = [path for _, needed, *_ in parts(chosen.data, chosen.functional) for path in needed if not path.is_file()]
    try:
        engine = complete(local_engine())
        for name, needed, source, measure, show in parts(chosen.data, chosen.functional):
            if not set(needed) & set(missing):
                result = measure(engine, source)
                show(result)
                write(chosen.output / f"{name}.json", provenance(engine) | result)
    except (WildgateError, ValueError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    for path in missing:
        print(
            f"evaluate: missing {path}: what it is for was not measured; --data names the folder of the data sets",
            file=sys.stderr,
        )
    return 2 if missing else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of negatives.tsv.gz, leather_titles.tsv, ivory_tweets.tsv.gz")
    parser.add_argument("--functional", type=Path, default=FUNCTIONAL, help="file of the functional texts")
    parser.add_argument("--output", type=Path, default=HERE / "results", help="folder of the results")
    return parser.parse_args()


def parts(data: Path, texts: Path) -> tuple[Part, ...]:
    """Name, files needed, source, measure and printer of each part."""
    return (
        ("negatives", (data / NEGATIVES,), data, negatives.measure, negatives.print_tables),
        ("negatives_lexicons_alone", (data / NEGATIVES,), data, _by_lexicons_alone, negatives.print_tables),
        ("labeled", (data / LEATHER, data / TWEETS), data, labeled.measure, labeled.print_tables),
        ("functional", (texts,), texts, functional.measure, functional.print_tables),
        ("templates", (), texts, templates.measure, templates.print_tables),
        ("descriptions", (data / NEGATIVES,), data, descriptions.measure, descriptions.print_tables),
    )


def _by_lexicons_alone(engine: Engine, data: Path) -> Row:
    """The same with screen and encoder off."""
    return negatives.measure(lexicons_alone(engine), data)


if __name__ == "__main__":
    sys.exit(main())
