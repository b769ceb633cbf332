"""What one policy changes against another for a file of listings: each is scored once and decided twice.

Memory does not grow with the file: counts are kept, and of the texts that change a sample of each kind of change.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from wildgate_service.bulk import InputRow, Place, Score, answered, failure_of, in_order, listing_of, say, shown_on, source_of
from wildgate_service.decide.policy import Policy
from wildgate_service.errors import InvalidListingError
from wildgate_service.lexicon.impact import text_of
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, decide_on, weigh
from wildgate_service.policy import default_policy, load_policy
from wildgate_service.report import make_share
from wildgate_service.types import TAXON_KINDS, Action, Decision, ReportShare

MOST_FAILURES = 20  # that are named
LABELS = {
    **dict.fromkeys(("true", "1", "yes", "offer", "block", "review"), True),
    **dict.fromkeys(("false", "0", "no", "benign", "allow"), False),
}
STRICTNESS = {action.value: rank for rank, action in enumerate((Action.ALLOW, Action.REVIEW, Action.BLOCK))}
Move = tuple[str, str]  # actions before and after


class Job(Struct, frozen=True):
    """Two policies and what to score with. None is the policy that ships; `live` takes the second one out of shadow."""

    lexicons: Path | None
    packs: tuple[Path, ...] | None
    before: Path | None
    after: Path | None
    live: bool = False
    tenant: str = ""
    market: str = ""  # of listings that say none

    def policies(self) -> tuple[Policy, Policy]:
        """Both sides. Raises PolicyError."""
        before, after = (load_policy(path or default_policy()) for path in (self.before, self.after))
        return before, after.out_of_shadow() if self.live else after

    def open(self) -> Score:
        """What a process does with each line."""
        engine = local_engine(self.lexicons, self.before or default_policy(), self.packs)
        before, after = self.policies()
        return lambda line, text: compare_line(engine, before, after, self, line, text)


class LabeledRow(InputRow, kw_only=True):
    """A line of input that may say whether it is an offer, in either column."""

    label: bool | int | str | None = None
    expected: bool | int | str | None = None


class Compared(Struct, omit_defaults=True):
    """What is kept of one listing. `groups` and `rules` are those found; they and what follows are there if the action differs.

    `in_shadow`: the second policy would ask for more if it were not in shadow, or a rule.
    """

    line: int
    before: str = ""
    after: str = ""
    id: str | int | None = None
    score: float = 0.0
    language: str = ""
    groups: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    offer: bool | None = None
    in_shadow: bool = False
    reason: str = ""
    text: str = ""
    error: str = ""


class Count(Struct, frozen=True):
    """How many listings of a language, group or rule went from one action to another."""

    value: str
    before: str
    after: str
    listings: int


class Quality(Struct, frozen=True):
    """Of the labeled listings: precision and recall of what is stopped (review or block), and of what is refused."""

    side: str
    stopped_precision: ReportShare
    stopped_recall: ReportShare
    refused_precision: ReportShare
    refused_recall: ReportShare


class Backtest(Struct, frozen=True, kw_only=True):
    """The outcome. `moves` has every pair of actions that occurs, the tables only those that differ."""

    before: str
    after: str
    tenant: str
    listings: int
    changed: int
    moves: tuple[Count, ...]
    by_language: tuple[Count, ...]
    by_group: tuple[Count, ...]
    by_rule: tuple[Count, ...]
    labeled: int
    quality: tuple[Quality, ...]
    to_read: dict[str, tuple[Compared, ...]]
    failed: int
    failures: tuple[Compared, ...]


def backtest(source: Path, form: str, job: Job, *, workers: int, show: int, seed: int, progress: IO[str] | None = None) -> Backtest:
    """Compare two policies on a file. Raises WildgateError if a file or the engine cannot be used.

    `show` texts of each kind of change are drawn; the same `seed` draws the same ones, whatever the number of workers.
    """
    before, after = job.policies()
    tally = Tally(show, seed)
    given = source_of(source, form, LabeledRow.__struct_fields__)
    work = partial(answered, given, job.open(), b"\n".join)
    with shown_on(progress, given.size) as show_counts:
        for block, done in in_order(given.blocks(Place()), work, workers, say):
            for line in done.answers.splitlines():
                tally.add(msgspec.json.decode(line, type=Compared))
            read = tally.listings + tally.failed
            show_counts(block, f"{read:,} listings, {tally.changed:,} changed, {tally.failed:,} failed", read)
    names = _names(job, before, after)
    return tally.result(*names, job.tenant)


def _names(job: Job, before: Policy, after: Policy) -> tuple[str, str]:
    """What the sides are called: file and version."""
    one, other = (
        f"{path.name if path else 'the policy that ships'} {policy.version}" for path, policy in ((job.before, before), (job.after, after))
    )
    return one, f"{other}, out of shadow" if job.live else other


def compare_line(engine: Engine, before: Policy, after: Policy, job: Job, line: int | None, text: bytes) -> bytes:
    """One JSON object in, one `Compared` out, or what `wildgate score` says of a bad line."""
    try:
        row = msgspec.json.decode(text, type=LabeledRow)
        listing = listing_of(row)
        weighed = weigh(engine, msgspec.structs.replace(listing, market=listing.market or job.market))
        offer = is_offer(row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidListingError) as error:
        return failure_of(error, line, text)
    one, other = (decide_on(weighed, engine, policy, tenant=job.tenant) for policy in (before, after))
    compared = Compared(line or 0, one.action, other.action, row.id, one.score, one.language, offer=offer)
    if one.action is not other.action:
        compared.groups = tuple(dict.fromkeys(taxon.group for taxon in one.taxa))
        compared.rules = _rules(one)
        compared.reason = other.reason
        compared.in_shadow = other.shadow
        compared.text = text_of(text)
    return msgspec.json.encode(compared)


def _rules(decision: Decision) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match.rule_id for match in decision.matches if match.kind in TAXON_KINDS))


def is_offer(row: LabeledRow) -> bool | None:
    """What the label says; None without one. Raises InvalidListingError if it says nothing that is known."""
    label = row.label if row.label is not None else row.expected
    if label is None:
        return None
    known = LABELS.get(str(label).strip().lower())
    if known is None:
        message = f"label {str(label)[:40]!r} is none of {', '.join(LABELS)}"
        raise InvalidListingError(message, reason="FIELD_INVALID", field="label")
    return known


# --- counting ------------------------------------------------------------------------------------


class Tally:
    """Running counts, and the sample of each kind of change."""

    def __init__(self, show: int, seed: int) -> None:
        self.listings = self.changed = self.failed = 0
        self._show, self._seed = show, seed
        self._moves: Counter[Move] = Counter()
        self._tables: dict[str, Counter[tuple[str, Move]]] = {name: Counter() for name in ("language", "group", "rule")}
        self._labels: Counter[tuple[str, str, bool]] = Counter()
        self._labeled = 0
        self._samples: dict[Move, list[tuple[int, int, Compared]]] = {}
        self._failures: list[Compared] = []

    def add(self, each: Compared) -> None:
        """Count one listing."""
        if each.error:
            self.failed += 1
            if len(self._failures) < MOST_FAILURES:
                self._failures.append(each)
            return
        move = (each.before, each.after)
        self.listings += 1
        self._moves[move] += 1
        if each.offer is not None:
            self._labeled += 1
            self._labels["before", each.before, each.offer] += 1
            self._labels["after", each.after, each.offer] += 1
        if each.before != each.after:
            self.changed += 1
            self._count_change(each, move)

    def _count_change(self, each: Compared, move: Move) -> None:
        for name, values in (("language", (each.language,)), ("group", each.groups), ("rule", each.rules)):
            self._tables[name].update((value, move) for value in values)
        if self._show:
            sample = self._samples.setdefault(move, [])
            kept = (-_lot(self._seed, each.line), -each.line, each)
            (heapq.heappush if len(sample) < self._show else heapq.heappushpop)(sample, kept)

    def result(self, before: str, after: str, tenant: str) -> Backtest:
        """All counts, the largest first; texts in the order of the file, under the move that lets most slip or stops most."""
        return Backtest(
            before=before,
            after=after,
            tenant=tenant,
            listings=self.listings,
            changed=self.changed,
            moves=_counts((("", move), count) for move, count in self._moves.items()),
            by_language=_counts(self._tables["language"].items()),
            by_group=_counts(self._tables["group"].items()),
            by_rule=_counts(self._tables["rule"].items()),
            labeled=self._labeled,
            quality=tuple(self._quality(side) for side in ("before", "after")) if self._labeled else (),
            to_read={
                f"{move[0]} → {move[1]}": tuple(sorted((each for _, _, each in self._samples[move]), key=lambda each: each.line))
                for move in sorted(self._samples, key=_by_strictness)
            },
            failed=self.failed,
            failures=tuple(self._failures),
        )

    def _quality(self, side: str) -> Quality:
        return Quality(
            side,
            *(
                make_share(f"{name}_{measure}", self._labeled_as(side, actions, offer=True), total)
                for name, actions in (("stopped", ("review", "block")), ("refused", ("block",)))
                for measure, total in (
                    ("precision", self._labeled_as(side, actions)),
                    ("recall", self._labeled_as(side, tuple(STRICTNESS), offer=True)),
                )
            ),
        )

    def _labeled_as(self, side: str, actions: Iterable[str], *, offer: bool | None = None) -> int:
        """Labeled listings that got one of some actions; offers alone, or all."""
        labels = (True,) if offer else (True, False)
        return sum(self._labels[side, action, label] for action in actions for label in labels)


def _lot(seed: int, line: int) -> int:
    """A number drawn for a line; the smallest are in the sample."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{line}".encode(), digest_size=8).digest())


def _by_strictness(move: Move) -> tuple[int, int]:
    """What becomes stricter first, and of that what is refused."""
    return STRICTNESS[move[0]] - STRICTNESS[move[1]], STRICTNESS[move[0]]


def _counts(counted: Iterable[tuple[tuple[str, Move], int]]) -> tuple[Count, ...]:
    """Most frequent first, then by name."""
    rows = (Count(value, *move, listings) for (value, move), listings in counted)
    return tuple(sorted(rows, key=lambda row: (-row.listings, row.value, row.before, row.after)))
