"""False positives: how much of real, innocent text is not let through, by language and kind of source. Needs the extra `train`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from wildgate_service.language import TRADED
from wildgate_service.model.labeled_texts import as_listing
from wildgate_service.model.training_data import NEGATIVES, is_held_out, read_rows
from wildgate_service.pipeline import Engine
from wildgate_service.quality.rates import NO_DATA, TOO_FEW
from wildgate_service.quality.verdicts import Verdict, verdict
from wildgate_service.types import ContentKind, Listing

ENOUGH = 3_000  # texts of a language and source
TITLES, POSTS = "listing_title", "social_post"
ALL = "all"


class Scored(Struct, frozen=True):
    """A negative with its verdict; its text is gone."""

    id: str
    language: str
    source_kind: str
    verdict: Verdict

    @property
    def held_out(self) -> bool:
        """Whether no model was trained or calibrated on it."""
        return is_held_out(self.id)


class Alarms(Struct, frozen=True):
    """Of n texts those not ALLOW and those BLOCK, with exact one-sided 95 % bounds (Clopper and Pearson 1934)."""

    n: int
    not_allow: int
    not_allow_share: float | None
    not_allow_upper: float
    block: int
    block_upper: float
    note: str


class AlarmsOf(Struct, frozen=True):
    """The same of one language and kind of source."""

    language: str
    source_kind: str
    alarms: Alarms


def score_negatives(engine: Engine, data: Path, *, held_out_alone: bool = False) -> list[Scored]:
    """Score the negatives of a folder, without language or market; posts as posts, all else as listings. Raises ModelError."""
    rows = (row for row in read_rows(data / NEGATIVES) if not held_out_alone or is_held_out(row["id"]))
    return [Scored(row["id"], row["lang"], row["source_kind"], verdict(engine, _listing(row))) for row in rows]


def _listing(row: dict[str, str]) -> Listing:
    return as_listing(row["text"], ContentKind.SOCIAL_POST if row["source_kind"] == POSTS else ContentKind.LISTING)


def alarms_by_source(scored: Iterable[Scored]) -> list[AlarmsOf]:
    """One of each language and kind of source, one of each kind of source, one of all."""
    cells: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for each in scored:
        for key in ((each.language, each.source_kind), (ALL, each.source_kind), (ALL, ALL)):
            cells[key].append(each.verdict)
    return [AlarmsOf(*key, alarms(cells[key])) for key in sorted(cells)]


def alarms_on_titles(scored: Iterable[Scored]) -> list[AlarmsOf]:
    """One of each language that the service is meant for, with data or not; mixtures of languages have rows of their own."""
    titles = [each for each in scored if each.source_kind == TITLES]
    languages = sorted(TRADED | {each.language for each in titles})
    return [AlarmsOf(language, TITLES, alarms([each.verdict for each in titles if each.language == language])) for language in languages]


def alarms(verdicts: list[Verdict]) -> Alarms:
    """Count them."""
    from wildgate_service.model.evaluation import share  # noqa: PLC0415  (needs the extra, which other measures do not)

    total = len(verdicts)
    stopped = share(sum(each.stopped for each in verdicts), total)
    blocked = share(sum(each.blocked for each in verdicts), total)
    return Alarms(
        n=total,
        not_allow=stopped.count,
        not_allow_share=round(stopped.count / total, 6) if total else None,
        not_allow_upper=round(stopped.upper, 6),
        block=blocked.count,
        block_upper=round(blocked.upper, 6),
        note=NO_DATA if not total else TOO_FEW if total < ENOUGH else "",
    )
