r"""Layers: other documents behind a document, for disguises that the fold cannot see.

Fields are read without what stands between them, emoji between or in place of letters become separators or letters, letters drawn with
several signs (|\| for n) become one, zhuyin loses its tones, and what is written backwards or upside down is turned round. Each layer is
folded by itself; since it has the document's length, or says what it moved, what is found in it is known in the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from wildgate_service.normalize import tables
from wildgate_service.normalize.bare import byte_classes
from wildgate_service.types import FieldSlice

EMOJI_LETTERS = "emoji_letters"
DRAWN = "leetspeak"
REVERSED = "reversed_text"
BACKWARDS = "backwards"
UPSIDE_DOWN = "upside_down"
JOINED_FIELDS = "joined_fields"
ZHUYIN = "zhuyin"
LONGEST_SHORT = 60  # code points of a field over which a word may be spread
FEWEST_SHORT, MOST_SHORT = 3, 24
# Without skin tones, which are joiners.
EMOJI = "[\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff\u2139]"
JOINERS = "[\u0300-\u036f\ufe0f\u200d\U0001f3fb-\U0001f3ff]"
# What is searched for begins with an emoji, so that the rest of a text is passed over quickly.
BETWEEN = re.compile(rf"{EMOJI}(?<=[^\W\d_].){JOINERS}*(?:{EMOJI}{JOINERS}*)*(?=[^\W\d_])")
BEFORE_SINGLE = re.compile(rf"{EMOJI}{JOINERS}* ?[^\W\d_](?![^\W\d_])")  # is in whatever is APART
APART = re.compile(rf"(?<![^\W\d_])[^\W\d_](?: ?(?:{EMOJI}{JOINERS}*)+ ?[^\W\d_](?![^\W\d_]))+")
ANY_EMOJI = re.compile(EMOJI)
PLANE_OF_EMOJI = b"\xf0\x9f"
OTHER_EMOJI = re.compile(rb"\xe2[\x84\x86\x87\x8c-\x8f\x91-\x93\x96-\x9e\xac-\xaf]")  # those of U+2100 to U+2BFF in UTF-8
PHONETIC = re.compile(rb"[\xc6\xc7\xc9\xca]")  # first bytes of letters upside down, two of which are in every such text
ZHUYIN_LETTERS = b"\xe3\x84"  # with which they begin in UTF-8, and Korean ones too
# A tone behind a letter of zhuyin, and blanks between syllables.
BETWEEN_SYLLABLES = re.compile("(?<=[\u3105-\u3129])(?:[\u02ca\u02c7\u02cb\u02d9]? *(?=[\u3105-\u3129])|[\u02ca\u02c7\u02cb\u02d9])")
OVERRIDES = "\u202e", "\u202d"
# What stands behind an override, and letters of Hebrew and Arabic behind the one that sets them from left to right.
OVERRIDDEN = re.compile("(?:\u202e|\u202d(?=[^A-Za-z\u202c\n]*[\u0590-\u08ff]))([^\u202c\u2069\n\x1f\u202d\u202e]*)")
DRAWN_WITH = ("|", "\\", "[)", "()", "[]", "<>", "><", ")(", "/-/", ")-(", "]-[")  # one of them is in every drawing that is read here
ENDS_OF_DRAWINGS = "|\\)]</"  # one of them is in each of these
SIGN_OF_DRAWING = re.compile("|".join(map(re.escape, DRAWN_WITH)))
UNSURE = frozenset("'\"`~:#!01789") | frozenset("abcdefghijklmnopqrstuwxyz")  # what is in drawings that may be ordinary writing
SEPARATOR = "*"
FILLER = "\u2060"  # the fold drops it
FEWEST_TURNED = 2  # letters upside down, before a text is turned round
DOTLESS = "ı"  # an i upside down, and a letter of Turkish

Span = tuple[int, int]


class Layer(NamedTuple):
    """A document of the same length. `turned` are the spans that stand there backwards, in order, `moved` those in another order.

    A span of `moved` is (where it begins in the layer, where in the document, length); they cover the whole of it.
    """

    name: str
    document: str
    turned: tuple[Span, ...] = ()
    moved: tuple[tuple[int, int, int], ...] = ()

    def to_document(self, start: int, end: int) -> Span | None:
        """The span of the document behind a span of the layer; of what was brought together from apart, the first part.

        None if nothing was brought together in it.
        """
        if not self.moved:
            parts = list(self._parts(start, end))
            return min(first for first, _ in parts), max(last for _, last in parts)
        inside = [(at, origin, length) for at, origin, length in self.moved if at < end and start < at + length]
        at, origin, length = inside[0]
        return None if len(inside) == 1 else (origin + start - at, origin + length)

    def _parts(self, start: int, end: int) -> Iterator[Span]:
        """The pieces of a span, each where it stands in the document."""
        at = start
        inside = slice(bisect_right(self.turned, start, key=itemgetter(1)), bisect_left(self.turned, end, key=itemgetter(0)))
        for first, last in self.turned[inside]:
            if at < first:
                yield at, first
            begin, stop = max(start, first), min(end, last)
            yield first + last - stop, first + last - begin
            at = last
        if at < end:
            yield at, end


def joined_fields(document: str, fields: tuple[FieldSlice, ...]) -> Iterator[Layer]:
    """The title and the attributes without what stands between them, for words that a seller spread over them."""
    short = [field for field in fields if field.name != "description" and field.end - field.start <= LONGEST_SHORT]
    if not FEWEST_SHORT <= len(short) <= MOST_SHORT:
        return
    pieces: list[str] = []
    moved = []
    at = 0
    for field in short:
        moved.append((at, field.start, field.end - field.start))
        pieces.append(document[field.start : field.end])
        at += field.end - field.start + 1
    yield Layer(JOINED_FIELDS, " ".join(pieces), moved=tuple(moved))


def layers_of(document: str) -> Iterator[Layer]:
    """The layers of a document; none for an ordinary text."""
    if any(map(document.__contains__, ENDS_OF_DRAWINGS)) and SIGN_OF_DRAWING.search(document):
        yield from _drawn(document)
    if document.isascii():
        return
    content = document.encode(errors="surrogatepass")
    if ZHUYIN_LETTERS in content:
        yield from _without_tones(document)
    if b"x" not in byte_classes(content):
        return
    if (PLANE_OF_EMOJI in content or OTHER_EMOJI.search(content)) and _has_emoji_at_letters(document):
        yield from _without_emoji(document)
    if OVERRIDES[0] in document or OVERRIDES[1] in document:
        yield from _behind_overrides(document)
    if PHONETIC.search(content) and len(_turned_letters().findall(document)) >= FEWEST_TURNED:
        yield from _upright(document)


def _drawn(document: str) -> Iterator[Layer]:
    """Letters drawn with several signs, as one letter each."""
    letters = _drawings()
    changed = _drawing().sub(lambda found: letters[found[0].lower()] + FILLER * (len(found[0]) - 1), document)
    if changed != document:
        yield Layer(DRAWN, changed)


def _without_tones(document: str) -> Iterator[Layer]:
    """Zhuyin as the lexicon has it: syllables joined, without tones."""
    changed = BETWEEN_SYLLABLES.sub(lambda found: FILLER * len(found[0]), document)
    if changed != document:
        yield Layer(ZHUYIN, changed)


@cache
def _drawings() -> dict[str, str]:
    """Drawing → letter, of those that are hardly anything else; what the others may be only the lexicon's words tell (`match.decipher`)."""
    return {
        drawing: letters[0]
        for letters, drawing in tables.read_pairs("drawn_letters.tsv")
        if UNSURE.isdisjoint(drawing) and any(sign in drawing for sign in DRAWN_WITH)
    }


@cache
def _drawing() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(each) for each in sorted(_drawings(), key=lambda each: (-len(each), each))), re.IGNORECASE)


def _without_emoji(document: str) -> Iterator[Layer]:
    """Emoji inside words as letters where they look like one, and as separators."""
    letters = _emoji_letters()
    together = _replace(APART, document, {}) if BEFORE_SINGLE.search(document) else document
    for changed in dict.fromkeys((_replace(_touching(), document, letters), _replace(BETWEEN, together, {}))):
        if changed != document:
            yield Layer(EMOJI_LETTERS, changed)


def _has_emoji_at_letters(document: str) -> bool:
    """Whether emoji may be letters or between letters: some look like letters, or such stand on both sides of them; a quick look."""
    looks = _look()
    for emoji in _any_letters_or_emoji().finditer(document):
        start, end = emoji.span()
        if document[start - 1 : start].isalnum() and document[end : end + 1].isalnum():
            return True
        if _is_single(document[max(0, start - 3) : start][::-1]) and _is_single(document[end : end + 3]):
            return True
        if looks.search(document, start, end):
            return True
    return False


def _is_single(beside: str) -> bool:
    """Whether what stands beside emoji may be one letter by itself, with a blank between or without."""
    beside = beside.removeprefix(" ")
    return beside[:1].isalnum() and not beside[1:2].isalpha()


@cache
def _any_letters_or_emoji() -> re.Pattern[str]:
    return re.compile(f"(?:{EMOJI[:-1]}{''.join(map(re.escape, _emoji_letters()))}]{JOINERS}*)+")


@cache
def _look() -> re.Pattern[str]:
    return re.compile(_looks())


def _looks() -> str:
    return f"(?:[{''.join(map(re.escape, _emoji_letters()))}]{JOINERS}*)"


def _replace(pattern: re.Pattern[str], document: str, letters: dict[str, str]) -> str:
    return pattern.sub(lambda found: ANY_EMOJI.sub(lambda emoji: letters.get(emoji[0], SEPARATOR), found[0]), document)


@cache
def _emoji_letters() -> dict[str, str]:
    """Emoji that look like a Latin letter, and the letters of flags."""
    flags = {chr(0x1F1E6 + at): letter for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
    return dict(tables.read("emoji_letters.tsv")) | flags


@cache
def _touching() -> re.Pattern[str]:
    """Emoji that look like letters, beside a letter or two in a row; and any emoji between letters."""
    looks = _looks()
    either = f"(?={EMOJI}|{looks})"
    return re.compile(rf"{either}(?:(?<=[^\W\d_]){looks}+|{looks}+(?=[^\W\d_])|{looks}{{2,}}|{BETWEEN.pattern})")


def backwards(document: str, fields: tuple[FieldSlice, ...]) -> Layer:
    """Each field from its end to its beginning, for a text of which words stand backwards."""
    return _read_backwards(document, BACKWARDS, [(field.start, field.end) for field in fields])


def _behind_overrides(document: str) -> Iterator[Layer]:
    """What stands behind overrides of direction, turned round: letters with their marks, as one writes, or each by itself."""
    spans = [found.span(1) for found in OVERRIDDEN.finditer(document)]
    layer = _read_backwards(document, REVERSED, spans)
    yield layer
    by_code_point = list(document)
    for start, end in spans:
        by_code_point[start:end] = document[start:end][::-1]
    if "".join(by_code_point) != layer.document:
        yield Layer(REVERSED, "".join(by_code_point), tuple(spans))


def _upright(document: str) -> Iterator[Layer]:
    """Letters upside down as they are meant: each word turned round by itself, and all words in a row turned round together.

    Words that could as well be upright (uoo) are turned round with the others, or left.
    """
    letters = _turned_table()
    words = [found.span() for found in _turned_word().finditer(document)]
    sure = [span for span in words if _turned_letters().search(document[slice(*span)])]
    certain = frozenset(sure)
    unsure = [span for span in words if span in certain or _can_be_turned(document[slice(*span)])]
    for spans in (sure, unsure) if len(unsure) > len(sure) else (sure,):
        changed = list(document)
        for start, end in spans:
            changed[start:end] = [letters.get(char, char) for char in document[start:end]]
        upright = "".join(changed)
        yield _read_backwards(upright, UPSIDE_DOWN, spans)
        if len(spans) > 1:
            yield _read_backwards(upright, UPSIDE_DOWN, [(spans[0][0], spans[-1][1])])


def _can_be_turned(word: str) -> bool:
    """Whether each letter of a word of ASCII is one upside down too."""
    return not TURNABLE.isdisjoint(word) and all(char in TURNABLE or char in SAME_TURNED for char in word)


# A letter with what belongs to it: vowels written before it, marks, and the letters that a sign joins to it.
CLUSTER = re.compile(
    r"[\u0e40-\u0e44\u0ec0-\u0ec4]?[\s\S]"
    r"(?:[\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0900-\u0903\u093a-\u094c\u094e\u094f"
    r"\u0981-\u0983\u09bc-\u09cc\u09d7\u0b82\u0bbe-\u0bd7"
    r"\u102b-\u1038\u103a-\u103e\u17b4-\u17d1\u17d3\u064b-\u0655\u0670\u3099\u309a\u200d\ufe0f]|[\u094d\u09cd\u1039\u17d2][\s\S]?)*"
)
TURNABLE = frozenset("nudpbqmw")
SAME_TURNED = frozenset("osxzil")


@cache
def _turned_table() -> dict[str, str]:
    return dict(tables.read("turned_letters.tsv"))


@cache
def _turned_word() -> re.Pattern[str]:
    """Letters and digits, and signs that are letters upside down."""
    signs = "".join(char for char in _turned_table() if not char.isalnum())
    return re.compile(rf"(?:[^\W_]|[{re.escape(signs)}])+")


@cache
def _turned_letters() -> re.Pattern[str]:
    """Those that are nothing but letters upside down: not b, which is also q."""
    return re.compile(f"[{''.join(char for char in _turned_table() if not char.isascii() and char not in DOTLESS)}]")


def _read_backwards(document: str, name: str, spans: list[Span]) -> Layer:
    """The document with some spans turned round."""
    pieces = list(document)
    for start, end in spans:
        pieces[start:end] = "".join(reversed(CLUSTER.findall(document[start:end])))
    return Layer(name, "".join(pieces), tuple(spans))
