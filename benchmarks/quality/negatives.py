"""False positives: how much of real, innocent text is not let through, by language and kind of source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rates import Row, print_table
from scoring import Verdict, as_listing, verdict
from wildgate_service.classify.language import TRADED
from wildgate_service.model.evaluation import share
from wildgate_service.model.training_data import NEGATIVES, is_held_out, read_rows
from wildgate_service.pipeline import Engine
from wildgate_service.types import Action, ContentKind

ENOUGH = 3_000
LARGEST_SET_ASIDE = 0.001
TITLES, POSTS = "listing_title", "social_post"
TOO_FEW, NO_DATA = "too few to say", "no data"
ALL = "all"
SET_ASIDE = Path(__file__).parent / "set_aside.txt"
MEANING = (
    "Real texts without an offer of wildlife after a strict look, scored without language or market; posts as social_post, all "
    "else as listing. upper: one-sided exact 95 % bound (Clopper and Pearson 1934). The rows are unlabeled: set_aside.txt names "
    "those that were found to be offers, and every share is given with them (counted as wrong) and without. held_out is sha256(id) "
    "% 5 == 0: no head was trained on it; "
    "the lexicons' authors searched all rows for false alarms and mended them, so this is no rate on unseen texts."
)


@dataclass(frozen=True)
class Scored:
    """A negative with its verdict; its text is gone."""

    id: str
    language: str
    source_kind: str
    verdict: Verdict


def measure(engine: Engine, data: Path) -> Row:
    """Score all negatives. Raises ValueError if the set-aside file is too long or names an unknown id."""
    scored = [_scored(engine, row) for row in read_rows(data / NEGATIVES)]
    aside = read_set_aside(SET_ASIDE, {each.id for each in scored})
    kept = [each for each in scored if each.id not in aside]
    return {
        "meaning": MEANING,
        "rows": len(scored),
        "set_aside": len(aside),
        "set_aside_not_allowed": sum(each.verdict.stopped for each in scored if each.id in aside),
        "without_set_aside": {"all": rows_of(kept), "held_out": rows_of(_held_out(kept))},
        "with_set_aside": {"all": rows_of(scored), "held_out": rows_of(_held_out(scored))},
        "listing_titles": verdicts_on_titles(kept),
        "blocked_ids": " ".join(each.id for each in kept if each.verdict.blocked),
        "review_ids": " ".join(each.id for each in kept if each.verdict.action is Action.REVIEW),
    }


def _scored(engine: Engine, row: dict[str, str]) -> Scored:
    kind = ContentKind.SOCIAL_POST if row["source_kind"] == POSTS else ContentKind.LISTING
    return Scored(row["id"], row["lang"], row["source_kind"], verdict(engine, as_listing(row["text"], kind)))


def _held_out(scored: Iterable[Scored]) -> list[Scored]:
    return [each for each in scored if is_held_out(each.id)]


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
    cells: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for each in scored:
        for key in ((each.language, each.source_kind), (ALL, each.source_kind), (ALL, ALL)):
            cells[key].append(each.verdict)
    return [{"language": language, "source_kind": kind, **figures(cells[language, kind])} for language, kind in sorted(cells)]


def figures(verdicts: list[Verdict]) -> Row:
    """Sample size, and the shares not ALLOW and BLOCK with their upper bounds."""
    total = len(verdicts)
    stopped = share(sum(each.stopped for each in verdicts), total)
    blocked = share(sum(each.blocked for each in verdicts), total)
    return {
        "n": total,
        "not_allow": stopped.count,
        "not_allow_share": round(stopped.count / total, 6) if total else None,
        "not_allow_upper": round(stopped.upper, 6),
        "block": blocked.count,
        "block_upper": round(blocked.upper, 6),
        "note": NO_DATA if not total else TOO_FEW if total < ENOUGH else "",
    }


def verdicts_on_titles(scored: list[Scored]) -> list[Row]:
    """One row for each language that the service is meant for, with data or not; mixtures of languages have rows of their own."""
    titles = [each for each in scored if each.source_kind == TITLES]
    languages = sorted(TRADED | {each.language for each in titles})
    return [{"language": language, **figures([each.verdict for each in titles if each.language == language])} for language in languages]


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
