"""Views: further readings of the skeleton, each undoing one disguise, each behind a gate that an ordinary text does not pass.

The steps in `STEPS` apply in order, each to what the steps before it left, so that disguises on top of one another come off together.
A character can have several readings (`1` is l or i): then the text goes on in as many readings, not in one guess.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import daachorse

from wildgate_service.normalize import tables
from wildgate_service.types import Edit, View

MOST_LEAVES = 3
REPEATS = "repeats"
HAN = "\u3400-\u4dbf\u4e00-\u9fff"
LETTER = r"[^\W\d_]"
BLANK_LIKE = r" \-/,;:_"
GLUE_LIKE = ".*~|^+="
# A token with a digit or sign before a letter, without the signs that trail it. It begins only where a token begins, so that a long
# run of signs costs one look and not one for each of its beginnings.
LEET_TOKEN = re.compile(r"(?<![a-z0-9@$!|])[a-z]*+[0-9@$!|]++[a-z][a-z0-9@$!|]*(?<=[a-z0-9])")
_HAS_LATIN = re.compile("[a-z]")
UNIT = re.compile(r"\d+[a-z]{1,3}")

Reading = Callable[[re.Match[str]], "str | None"]


class Step(NamedTuple):
    """A view: its name, the class patterns of which one must occur (see `classes`), what it rewrites, and its readings."""

    name: str
    gate: tuple[bytes, ...]
    pattern: re.Pattern[str]
    readings: tuple[Reading, ...]


def classes(text: str) -> bytes:
    """The text's UTF-8 bytes as classes, for gates that are one substring search each.

    `a` is a Latin letter, `0` a digit or sign that stands for a letter, `c` the first byte of a script with look-alikes, `u` another byte
    above ASCII, `.` glue, a blank anything else; and there is a blank at both ends.
    """
    return b" " + text.encode().translate(_CLASSES) + b" "


def _class_table() -> bytes:
    table = bytearray(b" " * 128 + b"u" * 128)
    for characters, letter in ((b"abcdefghijklmnopqrstuvwxyz", b"a"), (b"0123456789@$!|", b"0"), (b".*~^+=", b".")):
        for byte in characters:
            table[byte] = letter[0]
    for byte in (*range(0xCD, 0xD7), 0xE1):  # Greek, Cyrillic, Armenian, and Cherokee among others
        table[byte] = ord("c")
    return bytes(table)


_CLASSES = _class_table()


def read_views(skeleton: str) -> tuple[View, ...]:
    """All readings of a skeleton that differ from it; from step to step at most `MOST_LEAVES` are carried on."""
    opened = _opened_gates(skeleton)
    if not opened:
        return ()
    views: list[View] = []
    leaves: list[tuple[str, View | None]] = [(skeleton, None)]
    for step in steps():
        if not (views or step.name in opened):
            continue
        grown: list[tuple[str, View | None]] = []
        for text, parent in leaves:
            readings = list(_rewrite(step, text, parent))
            views += readings
            grown += [(view.text, view) for view in readings] or [(text, parent)]
        leaves = grown[:MOST_LEAVES]
    return tuple(views)


def _opened_gates(skeleton: str) -> set[str]:
    """Names of the steps whose gate the text opens: one search for all in its classes, one for repeated letters."""
    automaton, names = _gates()
    opened = {names[pattern] for _, _, pattern in automaton.find_overlapping(classes(skeleton))}
    if _repeats().find(skeleton):
        opened.add(REPEATS)
    return opened


@cache
def _gates() -> tuple[daachorse.DoubleArrayAhoCorasick, tuple[str, ...]]:
    """An automaton over the class patterns of all gates, and the step of each pattern."""
    pairs = [(needle, step.name) for step in steps() for needle in step.gate]
    unique = dict(pairs)
    return daachorse.DoubleArrayAhoCorasick(list(unique)), tuple(unique.values())


@cache
def _repeats() -> daachorse.CharwiseDoubleArrayAhoCorasick:
    """An automaton over three times the same letter; without w, for www."""
    return daachorse.CharwiseDoubleArrayAhoCorasick([char * 3 for char in "abcdefghijklmnopqrstuvxyz"])


def trace(view: View, start: int, end: int) -> tuple[int, int, tuple[str, ...]]:
    """Span in the skeleton of a span of a view, and the names of the views whose edits it needed, outermost first."""
    names: list[str] = []
    at: View | None = view
    while at is not None:
        if _is_edited(at, start, end):
            names.append(at.name)
        start, end = _to_source(at, start, last=False), _to_source(at, end - 1, last=True)
        at = at.parent
    return start, end, tuple(dict.fromkeys(reversed(names)))


def _is_edited(view: View, start: int, end: int) -> bool:
    """Whether a span of the view touches an edit: the last one that begins before its end reaches farthest."""
    index = bisect_left(view.edits, end, key=lambda edit: edit.start) - 1
    return index >= 0 and start < view.edits[index].end


def _to_source(view: View, position: int, *, last: bool) -> int:
    """Where a code point of the view begins (`last`: ends) in the text it was made from."""
    index = bisect_right(view.edits, position, key=lambda edit: edit.start) - 1
    if index < 0:
        return position + last
    edit = view.edits[index]
    if position < edit.end:
        return edit.source_end if last else edit.source_start
    return edit.source_end + position - edit.end + last


def _rewrite(step: Step, text: str, parent: View | None) -> Iterator[View]:
    """One view per reading that changes something."""
    seen = {text}
    for reading in step.readings:
        changed, edits = _apply(step.pattern, reading, text)
        if changed not in seen:
            seen.add(changed)
            yield View(step.name, changed, edits, parent)


def _apply(pattern: re.Pattern[str], reading: Reading, text: str) -> tuple[str, tuple[Edit, ...]]:
    pieces: list[str] = []
    edits: list[Edit] = []
    kept = length = 0
    for found in pattern.finditer(text):
        replacement = reading(found)
        if replacement is None or replacement == found[0]:
            continue
        pieces += [text[kept : found.start()], replacement]
        length += found.start() - kept
        edits.append(Edit(length, length + len(replacement), found.start(), found.end()))
        length += len(replacement)
        kept = found.end()
    return "".join([*pieces, text[kept:]]), tuple(edits)


@cache
def steps() -> tuple[Step, ...]:
    """The views in the order in which they come off."""
    look_alike = "".join(map(re.escape, _confusables()))
    return (
        Step("confusables", (b"ac", b"ua", b"ca", b"0c", b"u0"), re.compile(rf"[a-z0-9{look_alike}]+"), (_as_latin,)),
        Step("leetspeak", (b"a0a", b"a00a", b"0aaa"), LEET_TOKEN, (_leet_reading(0), _leet_reading(1))),
        Step(REPEATS, (), re.compile(rf"({LETTER})\1{{2,}}"), (lambda found: found[1], lambda found: found[1] * 2)),
        Step(
            "separated_letters",
            (
                b" a a a",
                b".a.a",
                b" a.a.",
                b" cu cu cu",
                b".cu.cu",
                b" uu uu uu",
                b".uu.uu",
                b" uuu uuu ",
                b"uuu.uuu",
                b".uuu.",
                b" uuu.uuu",
            ),
            re.compile(
                rf"(?<![^\W_]){LETTER}(?:[{BLANK_LIKE}{GLUE_LIKE}]{{1,3}}{LETTER}(?![^\W_])){{2,}}"
                rf"|(?<![{HAN}])[{HAN}](?:[{BLANK_LIKE}{GLUE_LIKE}]{{1,3}}[{HAN}](?![{HAN}]))+"
            ),
            (_letters_only,),
        ),
        Step(
            "separators",
            (b"a.a", b"u.u", b"u.c", b"a..a", b"u..u", b"u..c"),
            re.compile(rf"(?<={LETTER})[{GLUE_LIKE}]{{1,3}}(?={LETTER})"),
            (lambda _: "",),
        ),
    )


def _as_latin(found: re.Match[str]) -> str | None:
    """A token that mixes scripts, its look-alikes as Latin letters; None for a token of one script."""
    token = found[0]
    if token.isascii() or not _HAS_LATIN.search(token):
        return None
    table = _confusables()
    return "".join(table.get(char, char) for char in token)


def _leet_reading(choice: int) -> Reading:
    """The token with its digits and signs as letters, each by its reading number `choice` or, without one, its first."""

    def read(found: re.Match[str]) -> str | None:
        if UNIT.fullmatch(found[0]):
            return None
        table = _leet()
        return "".join(table[char][min(choice, len(table[char]) - 1)] if char in table else char for char in found[0])

    return read


def _letters_only(found: re.Match[str]) -> str:
    return "".join(char for char in found[0] if char.isalpha())


@cache
def _confusables() -> dict[str, str]:
    return dict(reversed(list(tables.read("confusables.tsv"))))


@cache
def _leet() -> dict[str, str]:
    return dict(tables.read("leet.tsv"))
