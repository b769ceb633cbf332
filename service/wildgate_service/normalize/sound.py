"""The sound reading: a text in other scripts, in Latin letters or in both, as it sounds.

    skeleton ─letter by letter→ Latin letters ─classes of like sounds→ `full` ─without vowels→ `consonants`

How people write a language in Latin letters differs most in vowels, blanks, and which of k, kh and g they take; so `full` has one letter
for each class of consonants and of vowels and no blanks, and `consonants` has no vowels either. Forms are brought to the same shape when
the lexicon is compiled; `match.by_sound` says which finds are meant. Only pieces of a text behind a gate are read by their sound: those
around Latin words that are none of the common ones, in a text of another script or in one in which hardly any word is a common one.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wildgate_service.normalize import tables
from wildgate_service.normalize.made_once import made_once

CLASSES = str.maketrans(
    {**dict.fromkeys("kgq", "k"), **dict.fromkeys("td", "t"), **dict.fromkeys("pbf", "p"), **dict.fromkeys("cj", "c")}
    | {**dict.fromkeys("sxz", "s"), **dict.fromkeys("ei", "i"), **dict.fromkeys("ou", "o")}
)
VOWELS = "aeiou"
SILENT = "hwyv"  # written or not, and in each other's place
JOINERS = " -'`"  # what may stand between the letters of a form
LATIN = re.compile("[a-z]")
LATIN_WORD = re.compile("[a-z]+")
MARGIN, MARGIN_IN_LATIN = 24, 10  # characters around a Latin word that are read with it: where there is another script, and where not
KNOWN_SHARE, KNOWN_SHARE_OF_SEVERAL = 4, 10  # a text is in a language in Latin letters if one word in so many is a common one
FEWEST_LETTERS = 2
FEWEST_IN_OTHER_SCRIPT = 3  # letters of a Latin word by itself in a text of another script
SCRIPTS = {
    "Cyrillic": "\u0430-\u045f",
    "Arabic": "\u0620-\u06d3",
    "Devanagari": "\u0900-\u097f",
    "Thai": "\u0e01-\u0e4f",
    "Lao": "\u0e81-\u0edf",
    "Myanmar": "\u1000-\u104f",
    "Khmer": "\u1780-\u17d3",
    "Chinese or Japanese": "\u3041-\u30ff\u4e00-\u9fff",
    "Hangul": "\uac00-\ud7a3",
}
OTHER_SCRIPT = re.compile(f"[{''.join(SCRIPTS.values())}]")
HAN = re.compile("[\u4e00-\u9fff]")
KANA = re.compile("[\u3041-\u30ff]{2}")
JAPANESE = re.compile(r"[\u3041-\u30ff]|\b(?:no|wa|ga|wo|ni|to|de)\b")  # kana, or particles in Latin letters
HANGUL = range(0xAC00, 0xD7A4)
MEDIALS, FINALS = 21, 28
# Revised Romanization, letter by letter.
INITIAL = ("g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h")
MEDIAL = ("a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "eu", "ui", "i")
FINAL = (
    "",
    "g",
    "kk",
    "gs",
    "n",
    "nj",
    "nh",
    "d",
    "l",
    "lg",
    "lm",
    "lb",
    "ls",
    "lt",
    "lp",
    "lh",
    "m",
    "b",
    "bs",
    "s",
    "ss",
    "ng",
    "j",
    "ch",
    "k",
    "t",
    "p",
    "h",
)


LONGEST_AT_ONCE = 64  # characters of a code that is searched as a whole
MOST_LETTERS = 8  # bytes of what one character becomes, so that they are one number
NOTHING = b"\0"
CONTINUATION = bytes(range(0x80, 0xC0))  # the bytes of UTF-8 that begin no character
Find = tuple[int, int, int]  # first character, behind the last, number of a pattern


class Sound(NamedTuple):
    """What of Latin letters is heard: the class of each, which are dropped, 1 for those that begin one that is kept, what is left out."""

    table: bytes
    dropped: bytes
    kept: bytes
    left_out: str
    longest: int  # letters of a code that is searched for

    @classmethod
    def without(cls, left_out: str, classes: bytes, longest: int) -> Sound:
        """The sound without some letters."""
        dropped = (left_out + left_out.upper() + JOINERS).encode()
        kept = bytes(byte not in dropped and byte not in CONTINUATION for byte in range(256))
        return cls(classes, dropped, kept, left_out, longest)


_CLASSES = bytes(range(256)).lower().decode("latin-1").translate(CLASSES).encode("latin-1")
FULL = Sound.without(SILENT, _CLASSES, 16)
CONSONANTS = Sound.without(SILENT + VOWELS, _CLASSES.upper(), 28)
IS_LOWERCASE = bytes(chr(byte) in string.ascii_lowercase for byte in range(256))
# Of a text in ASCII, where `?` is every other character: its Latin letters alone, and where such touch another character.
_LETTERS = bytes(byte if is_letter else ord(" ") for byte, is_letter in enumerate(IS_LOWERCASE))
_TOUCHING = bytes(ord("a" if is_letter else "?" if byte == ord("?") else " ") for byte, is_letter in enumerate(IS_LOWERCASE))
_RANGES = [(ord(first) >> 8, ord(last) >> 8) for letters in SCRIPTS.values() for first, last in re.findall("(.)-(.)", letters)]
_OTHER_PAGES = bytes(any(first <= page <= last for first, last in _RANGES) for page in range(256))


class Code:
    """The sound of a piece of a text as it is searched."""

    def __init__(self, heard: Heard, sound: Sound) -> None:
        self.text = _code(heard.marked, sound)
        self.left_out = sound.left_out
        self._heard = heard
        self._sound = sound

    @made_once
    def _latin(self) -> bytes:
        """1 for each character that is a Latin letter in the text, else 0."""
        return self._heard.marked.translate(IS_LOWERCASE, self._sound.dropped + CONTINUATION)

    def latin_letters(self, first: int, last: int) -> int:
        """How many of the characters from `first` to `last` are Latin letters in the text."""
        return last - first if self._heard.is_latin else self._latin.count(1, first, last)

    def finds(self, find: Callable[[str], list[Find]]) -> list[Find]:
        """What a search finds in it with a Latin letter of the text; most of a long text in another script need not be searched."""
        if self._heard.is_latin:
            return find(self.text)
        parts = [(0, len(self.text))] if len(self.text) <= LONGEST_AT_ONCE else self._near_latin()
        found = [(at + first, at + last, number) for at, end in parts for first, last, number in find(self.text[at:end])]
        latin = self._latin.find
        return [each for each in found if latin(1, each[0], each[1]) >= 0]

    def _near_latin(self) -> Iterator[tuple[int, int]]:
        """The parts in which a find with a Latin letter can lie; they do not overlap."""
        longest, at = self._sound.longest, 0
        between = bytes(2 * longest)
        for part in self._latin.split(between):
            first = part.find(1)
            if first >= 0:
                yield max(0, at + first - longest), at + part.rfind(1) + longest
            at += len(part) + len(between)

    @made_once
    def positions(self) -> list[int]:
        """Where each character stands in the piece."""
        places: list[int] = self._heard.origins[np.frombuffer(self._heard.marked.translate(self._sound.kept), bool)].tolist()
        return places

    def is_break(self, at: int) -> bool:
        """Whether a word ends in the text before a character, or all of it."""
        if not 0 < at < len(self.positions):
            return True
        return not self._heard.skeleton[self.positions[at - 1] : self.positions[at]].isalpha()


class Heard:
    """A piece of a skeleton, from `start` on, by its sound: `codes` with vowels and without.

    `keeps_han`: Han characters stand for themselves, as in Japanese, else for their pinyin. `marked` is the piece in Latin letters, in
    UTF-8, each run of a letter as one, those that stand for letters of another script as capitals; `is_latin` if there are none.
    """

    def __init__(self, skeleton: str, start: int, *, keeps_han: bool) -> None:
        self.skeleton = skeleton
        self.start = start
        self.keeps_han = keeps_han
        self.is_latin = skeleton.isascii()
        self._written = skeleton.encode() if self.is_latin else _written(skeleton, keeps_han=keeps_han)
        letters = self._written.translate(None, NOTHING)
        self._repeats = _repeats(letters)
        self.marked = _without(letters, self._repeats)
        self.codes = Code(self, FULL), Code(self, CONSONANTS)

    @made_once
    def origins(self) -> NDArray[np.intp]:
        """Where each byte of `marked` stands in the piece."""
        places = np.flatnonzero(np.frombuffer(self._written, np.uint8))
        first = np.ones(len(places), bool)
        first[self._repeats] = False
        return places[first] // (1 if self.is_latin else MOST_LETTERS)

    @made_once
    def scripts(self) -> frozenset[str]:
        """Names of the other scripts in it."""
        return frozenset() if self.is_latin else frozenset(map(script_of, set(self.skeleton))) - {""}


def in_latin(text: str, *, keeps_han: bool) -> str:
    """A folded text in Latin letters, letter by letter, each run of a letter as one."""
    latin = "".join(map(_letters(keeps_han=keeps_han).__getitem__, text)).encode()
    return _without(latin, _repeats(latin)).decode()


def _repeats(latin: bytes) -> list[int]:
    """Where letters stand that are the one before them: what moved by one letter equals itself."""
    content = latin.lower()
    whole = int.from_bytes(content)
    unlike = (whole ^ (whole >> 8)).to_bytes(len(content))
    found = []
    at = unlike.find(0)
    while at >= 0:
        if IS_LOWERCASE[content[at]]:
            found.append(at)
        at = unlike.find(0, at + 1)
    return found


def _without(content: bytes, places: list[int]) -> bytes:
    """What is left without some bytes."""
    starts = (0, *(at + 1 for at in places))
    return b"".join([content[start:end] for start, end in zip(starts, (*places, None), strict=True)]) if places else content


def make_tables() -> None:
    """Make now what the first text would else be kept waiting for: some tens of milliseconds."""
    for keeps_han in (False, True):
        _table(keeps_han=keeps_han)
    _common_words()
    _in_pinyin()


def codes_of(latin: str) -> tuple[str, str]:
    """The sound of a text in Latin letters with vowels and, in capitals, without."""
    return _code(latin.encode(), FULL), _code(latin.encode(), CONSONANTS)


def _code(latin: bytes, sound: Sound) -> str:
    return latin.translate(sound.table, sound.dropped).decode()


def heard_readings(skeleton: str, tokens: list[str], pages: bytes) -> Iterator[Heard]:
    """The sound readings of the pieces of a skeleton that may be another script's words in Latin letters; none for an ordinary text."""
    for start, end in _pieces(skeleton, tokens, pages):
        piece = skeleton[start:end]
        japanese = HAN.search(piece) and JAPANESE.search(piece)
        if japanese:
            yield Heard(piece, start, keeps_han=True)
        if not (japanese and KANA.search(piece)):
            yield Heard(piece, start, keeps_han=False)


def _pieces(skeleton: str, tokens: list[str], pages: bytes) -> list[tuple[int, int]]:
    """Where Latin words stand that are none of the common ones, or touch another script, with what is around them."""
    margin = MARGIN_IN_LATIN
    if 1 in pages.translate(_OTHER_PAGES) and OTHER_SCRIPT.search(skeleton):
        if not _may_have_uncommon(skeleton):
            return []
        margin = MARGIN
    elif _is_known(tokens):
        return []
    pieces: list[tuple[int, int]] = []
    for start, end in _near(_uncommon(skeleton), 2 * margin):
        first, last = _widened(skeleton, start, end, margin)
        if pieces and first <= pieces[-1][1]:
            first = pieces.pop()[0]
        pieces.append((first, last))
    return pieces


def _may_have_uncommon(skeleton: str) -> bool:
    """Whether Latin words that `_uncommon` seeks may stand in a text of another script; a quick look."""
    in_ascii = skeleton.encode("ascii", errors="replace")
    touching = in_ascii.translate(_TOUCHING)
    if b"a?" in touching or b"?a" in touching:
        return True
    words = in_ascii.translate(_LETTERS).decode().split()
    return any(len(word) >= FEWEST_IN_OTHER_SCRIPT and word not in _common_words() for word in words)


def _uncommon(skeleton: str) -> Iterator[tuple[int, int]]:
    """Where Latin words stand that are none of the common ones, or touch another script."""
    common, other_scripts = _common_words(), not skeleton.isascii()
    for word in LATIN_WORD.finditer(skeleton):
        start, end = word.span()
        fewest = FEWEST_IN_OTHER_SCRIPT if other_scripts else FEWEST_LETTERS
        if (end - start >= fewest and word[0] not in common) or (other_scripts and _touches(skeleton, start, end, word[0])):
            yield start, end


def _near(spans: Iterable[tuple[int, int]], farthest: int) -> Iterator[tuple[int, int]]:
    """The spans, those that lie so near as one."""
    begin = end = -1
    for start, last in spans:
        if begin >= 0 and start - end > farthest:
            yield begin, end
            begin = -1
        begin, end = (begin if begin >= 0 else start), last
    if begin >= 0:
        yield begin, end


def _is_known(words: list[str]) -> bool:
    """Whether so many words of a text are common ones of a language in Latin letters that it is one."""
    known = sum(map(_common_words().__contains__, words))
    return known * (KNOWN_SHARE if known == 1 else KNOWN_SHARE_OF_SEVERAL) >= len(words)


def _touches(skeleton: str, start: int, end: int, word: str) -> bool:
    """Whether a letter of another script stands beside a Latin word; beside Han characters, where brands do too, only one in pinyin."""
    beside = [skeleton[at] for at in (start - 1, end) if 0 <= at < len(skeleton)]
    if any(HAN.match(char) for char in beside):
        return _in_pinyin().fullmatch(word) is not None
    return any(script_of(char) for char in beside)


@cache
def _in_pinyin() -> re.Pattern[str]:
    """Syllables of pinyin and nothing else."""
    syllables = sorted({syllable for _, syllable in tables.read("pinyin.tsv")}, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(syllables)})+")


def _widened(skeleton: str, start: int, end: int, margin: int) -> tuple[int, int]:
    """A span with so many characters around it, and what of a Latin word they would cut off."""
    start, end = max(0, start - margin), min(len(skeleton), end + margin)
    while start and "a" <= skeleton[start - 1] <= "z":
        start -= 1
    while end < len(skeleton) and "a" <= skeleton[end] <= "z":
        end += 1
    return start, end


def letter_in_latin(char: str) -> str:
    """A letter of a skeleton in Latin letters; itself if it is none of another script."""
    return _letters(keeps_han=False)[char]


@cache
def script_of(char: str) -> str:
    """The name in `SCRIPTS` of a letter's script; empty if it has none."""
    return next((name for name, letters in SCRIPTS.items() if re.match(f"[{letters}]", char)), "")


class _Letters(dict[str, str]):
    """Letter of another script → Latin letters, if `marked` in capitals. Hangul syllables are written when first met."""

    def __init__(self, rows: dict[str, str], *, marked: bool) -> None:
        super().__init__({char: latin.upper() for char, latin in rows.items()} if marked else rows)
        self.update((char, char) for char in map(chr, range(128)))
        self._marked = marked

    def __missing__(self, char: str) -> str:
        if ord(char) not in HANGUL:
            return char
        latin = _syllable(ord(char))
        self[char] = latin.upper() if self._marked else latin
        return self[char]


def _syllable(point: int) -> str:
    initial, rest = divmod(point - HANGUL.start, MEDIALS * FINALS)
    medial, final = divmod(rest, FINALS)
    return INITIAL[initial] + MEDIAL[medial] + FINAL[final]


@cache
def _letters(*, keeps_han: bool, marked: bool = False) -> _Letters:
    rows = dict(tables.read("letters_in_latin.tsv")) | ({} if keeps_han else dict(tables.read("pinyin.tsv")))
    return _Letters(rows, marked=marked)


def _written(skeleton: str, *, keeps_han: bool) -> bytes:
    """The Latin letters of each character, `marked`, in UTF-8 and filled up with zeros."""
    return _table(keeps_han=keeps_han).take(np.frombuffer(skeleton.encode("utf-32-le"), np.uint32), mode="clip").tobytes()


@cache
def _table(*, keeps_han: bool) -> NDArray[np.uint64]:
    """The same by code point; the last is for all behind the first plane."""
    rows = _letters(keeps_han=keeps_han, marked=True)
    points = (rows[char] if char in rows or ord(char) in HANGUL else char for char in map(chr, range(0x10000)))
    content = b"".join(point.encode(errors="surrogatepass").ljust(MOST_LETTERS, NOTHING) for point in points)
    return np.frombuffer(content + b"\x7f".ljust(MOST_LETTERS, NOTHING), np.uint64)


@cache
def _common_words() -> frozenset[str]:
    return frozenset(tables.read_words("common_words.tsv"))
