"""What the change of a lexicon changes for listings: each is scored with both, and those whose action differs are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service.bulk import score_line
from wildgate_service.lexicon.listing_lines import lines_of
from wildgate_service.pipeline import Engine
from wildgate_service.types import TAXON_KINDS, RuleKind

NO_LANGUAGE = "und"
MOST_TEXT = 300  # code points of a listing that is shown to read


class Changed(Struct, frozen=True):
    """A listing whose action differs.

    `gained` and `lost` are rules that fire on one side only; cues, which are searched for only beside a taxon, if no other rule is.
    """

    line: int
    id: str | int | None
    before: str
    after: str
    language: str
    groups: tuple[str, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    text: str


class Impact(Struct, frozen=True):
    """Listings read, lines that are no listing, and what changed, in the order of the file."""

    listings: int
    unreadable: int
    changed: tuple[Changed, ...]


class _Taxon(Struct):
    group: str


class _Match(Struct):
    rule_id: str
    kind: RuleKind


class _Answer(Struct):
    """What is read of an answer to a line; an answer without an action is an error."""

    action: str = ""
    language: str = NO_LANGUAGE
    id: str | int | None = None
    taxa: tuple[_Taxon, ...] = ()
    matches: tuple[_Match, ...] = ()


def compare(before: Engine, after: Engine, source: Path) -> Impact:
    """Score a JSONL file of listings with both engines. Raises WildgateError if it cannot be read."""
    listings = unreadable = 0
    changed: list[Changed] = []
    for number, line in lines_of(source):
        one, other = (msgspec.json.decode(score_line(engine, number, line), type=_Answer) for engine in (before, after))
        listings += 1
        unreadable += not one.action
        if one.action != other.action:
            changed.append(_changed(number, line, one, other))
    return Impact(listings - unreadable, unreadable, tuple(changed))


def _changed(number: int, line: bytes, one: _Answer, other: _Answer) -> Changed:
    return Changed(
        line=number,
        id=one.id,
        before=one.action,
        after=other.action,
        language=other.language,
        groups=tuple(dict.fromkeys(taxon.group for taxon in (*one.taxa, *other.taxa))),
        gained=_only_in(other, one),
        lost=_only_in(one, other),
        text=text_of(line),
    )


def _only_in(answer: _Answer, other: _Answer) -> tuple[str, ...]:
    elsewhere = {match.rule_id for match in other.matches}
    rules = {match.rule_id: match.kind for match in answer.matches if match.rule_id not in elsewhere}
    return tuple(rule for rule, kind in rules.items() if kind in TAXON_KINDS) or tuple(rules)


def text_of(line: bytes) -> str:
    """Title and description of a listing that was scored, cut to what one reads at a glance."""
    row = msgspec.json.decode(line)
    text = " | ".join(row[name] for name in ("title", "description") if row.get(name))
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"


# --- shown -------------------------------------------------------------------------------------------


def as_json(impact: Impact, show: int) -> dict[str, Any]:
    """Plain values; `show` of the changed listings with their texts, all with their ids."""
    rows: list[dict[str, Any]] = msgspec.to_builtins(impact.changed)
    for row in rows[show:]:
        del row["text"]
    return {
        "listings": impact.listings,
        "unreadable": impact.unreadable,
        "actions": dict(_counts(_move(each) for each in impact.changed)),
        **{name: dict(counts) for name, counts in _tables(impact.changed)},
        "changed": rows,
    }


def as_text(impact: Impact, show: int) -> str:
    """Counts, then `show` of the changed listings to read."""
    unread = f", {impact.unreadable:,} lines are no listing" if impact.unreadable else ""
    lines = [f"{impact.listings:,} listings{unread}: {len(impact.changed):,} get another action"]
    lines += [f"    {move}: {count:,}" for move, count in _counts(_move(each) for each in impact.changed)]
    for name, counts in _tables(impact.changed):
        lines += [name.replace("_", " "), *(f"    {key}: {count:,}" for key, count in counts)]
    for each in impact.changed[:show]:
        lines += [f"{_named(each)}: {_move(each)}", *_why(each), f"    {each.text}"]
    if impact.changed[show:]:
        lines.append(f"further: {', '.join(map(_named, impact.changed[show:]))}")
    return "\n".join(lines)


def _named(each: Changed) -> str:
    return f"line {each.line}" if each.id is None else str(each.id)


def _move(each: Changed) -> str:
    return f"{each.before} → {each.after}"


def _why(each: Changed) -> Iterator[str]:
    if each.gained:
        yield f"    now fires: {', '.join(each.gained)}"
    if each.lost:
        yield f"    no longer: {', '.join(each.lost)}"


def _tables(changed: Iterable[Changed]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """By language, by group, and by rule; one listing counts once in each row it belongs to."""
    changed = tuple(changed)
    yield "by_language", _counts(f"{each.language} {_move(each)}" for each in changed)
    yield "by_group", _counts(f"{group} {_move(each)}" for each in changed for group in each.groups)
    yield "by_rule", _counts(f"{sign}{rule} {_move(each)}" for each in changed for sign, rule in _rules(each))


def _rules(each: Changed) -> Iterator[tuple[str, str]]:
    yield from (("+", rule) for rule in each.gained)
    yield from (("-", rule) for rule in each.lost)


def _counts(keys: Iterable[str]) -> list[tuple[str, int]]:
    """Most frequent first, then by name."""
    return sorted(Counter(keys).items(), key=lambda counted: (-counted[1], counted[0]))
