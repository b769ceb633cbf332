"""False positives: how much of real, innocent text is not let through, by language and kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from rates import Row, print_table
from wildgate_service.pipeline import Engine
from wildgate_service.quality.negatives import AlarmsOf, Scored, alarms_by_source, alarms_on_titles, score_negatives
from wildgate_service.types import Action

LARGEST_SET_ASIDE = 0.001
SET_ASIDE = Path(__file__).parent / "set_aside.txt"
MEANING = (
    "Real texts without an offer of wildlife after a strict look, scored without language or market; posts as social_post, all "
    "else as listing. upper: one-sided exact 95 % bound (Clopper and Pearson 1934). The rows are unlabeled: set_aside.txt names "
    "those that were found to be offers, and every share is given with them (counted as wrong) and without. held_out is sha256(id) "
    "% 5 == 0: no head was trained on it; "
    "the lexicons' authors searched all rows for false alarms and mended them, so this is no rate on unseen texts."
)


def measure(engine: Engine, data: Path) -> Row:
    """Score all negatives. Raises ValueError if the set-aside file is too long or names an unknown id."""
    scored = score_negatives(engine, data)
    aside = read_set_aside(SET_ASIDE, {each.id for each in scored})
    kept = [each for each in scored if each.id not in aside]
    return {
        "meaning": MEANING,
        "rows": len(scored),
        "set_aside": len(aside),
        "set_aside_not_allowed": sum(each.verdict.stopped for each in scored if each.id in aside),
        "without_set_aside": {"all": rows_of(kept), "held_out": rows_of(_held_out(kept))},
        "with_set_aside": {"all": rows_of(scored), "held_out": rows_of(_held_out(scored))},
        "listing_titles": rows_of_titles(kept),
        "blocked_ids": " ".join(each.id for each in kept if each.verdict.blocked),
        "review_ids": " ".join(each.id for each in kept if each.verdict.action is Action.REVIEW),
    }


def _held_out(scored: Iterable[Scored]) -> list[Scored]:
    return [each for each in scored if each.held_out]


def read_set_aside(path: Path, known: set[str]) -> frozenset[str]:
    """Ids in the file; lines that begin with # are comments. Raises ValueError as `measure` says."""
    lines = path.read_text(encoding="utf-8").split("\n")
    ids = frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if ids - known:
        raise ValueError(f"{path} names ids that are not in the data: {', '.join(sorted(ids - known))}")
    if len(ids) > LARGEST_SET_ASIDE * len(known):
        raise ValueError(f"{path} sets {len(ids)} of {len(known)} aside; at most {LARGEST_SET_ASIDE:.1%} may be")
    return ids


def rows_of(scored: Iterable[Scored]) -> list[Row]:
    """One row per language and kind of source, one per kind of source, one of all."""
    return [{"language": each.language, "source_kind": each.source_kind, **_row(each)} for each in alarms_by_source(scored)]


def rows_of_titles(scored: Iterable[Scored]) -> list[Row]:
    """One row for each language that the service is meant for, with data or not; mixtures of languages have rows of their own."""
    return [{"language": each.language, **_row(each)} for each in alarms_on_titles(scored)]


def _row(each: AlarmsOf) -> Row:
    row: Row = msgspec.to_builtins(each.alarms)
    return row


def print_tables(result: Row) -> None:
    """Print what matters; the rest is in the file."""
    heads = ("language", "source", "n", "not ALLOW", "≤", "BLOCK", "≤", "")
    for subset in ("all", "held_out"):
        rows = result["without_set_aside"][subset]
        print_table(f"Negatives, {subset}, without {result['set_aside']} set aside", heads, map(list, map(_cells, rows)))
    total = result["with_set_aside"]["all"][0]
    print(f"\nwith those set aside: not ALLOW {total['not_allow']}/{total['n']}, BLOCK {total['block']}/{total['n']}")
    print(f"of those set aside, which are offers: not ALLOW {result['set_aside_not_allowed']}/{result['set_aside']}")
    print_table(
        "Listing titles alone",
        ("language", "n", "not ALLOW", "≤", "BLOCK", "≤", ""),
        (list(_cells(row)) for row in result["listing_titles"]),
    )


def _cells(row: Row) -> Iterator[str]:
    yield row["language"]
    if "source_kind" in row:
        yield row["source_kind"]
    yield from (
        f"{row['n']}",
        f"{row['not_allow']}",
        f"{row['not_allow_upper']:.3%}",
        f"{row['block']}",
        f"{row['block_upper']:.3%}",
        row["note"],
    )
