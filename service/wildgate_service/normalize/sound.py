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
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import accumulate, pairwise

from wildgate_service.normalize import tables

CLASSES = str.maketrans(
    {**dict.fromkeys("kgq", "k"), **dict.fromkeys("td", "t"), **dict.fromkeys("pbf", "p"), **dict.fromkeys("cj", "c")}
    | {**dict.fromkeys("sxz", "s"), **dict.fromkeys("ei", "i"), **dict.fromkeys("ou", "o")}
)
SILENT = "hwyv"  # written or not, and in each other's place
JOINERS = " -'`"  # what may stand between the letters of a form
REPEATED = re.compile("([a-z])\\1+")
LATIN = re.compile("[a-z]")
LATIN_WORD = re.compile("[a-z]+")
MARGIN, MARGIN_IN_LATIN = 24, 10  # characters around a Latin word that are read with it: where there is another script, and where not
KNOWN_SHARE, KNOWN_SHARE_OF_SEVERAL = 3, 6  # a text is in a language in Latin letters if one word in so many is a common one
FEWEST_LETTERS = 2
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


class Heard:
    """A piece of a skeleton, from `start` on, by its sound.

    `keeps_han`: Han characters stand for themselves, as in Japanese, else for their pinyin.
    """

    def __init__(self, skeleton: str, start: int, *, keeps_han: bool) -> None:
        self.skeleton = skeleton
        self.start = start
        self.keeps_han = keeps_han
        self.full, self.consonants = codes_of(in_latin(skeleton, keeps_han=keeps_han))

    def positions(self, code: str) -> list[int]:
        """Where each character of `full` or `consonants` stands in the skeleton."""
        return self._positions[0 if code is self.full else 1]

    @cached_property
    def _positions(self) -> tuple[list[int], list[int]]:
        table = _letters(keeps_han=self.keeps_han)
        full: list[int] = []
        consonants: list[int] = []
        last = ""
        for at, char in enumerate(self.skeleton):
            for letter in table[ord(char)]:
                if letter == last and letter in string.ascii_lowercase:
                    continue
                last = letter
                if letter not in SILENT and letter not in JOINERS:
                    full.append(at)
                    if letter not in "aeiou":
                        consonants.append(at)
        return full, consonants

    @cached_property
    def scripts(self) -> frozenset[str]:
        """Names of the other scripts in it."""
        return frozenset(name for name, letters in SCRIPTS.items() if re.search(f"[{letters}]", self.skeleton))

    def breaks(self, code: str) -> set[int]:
        """The characters of `full` or `consonants` before which a word ends in the skeleton, and where all end."""
        positions = self.positions(code)
        inside = (at for at, (one, other) in enumerate(pairwise(positions), start=1) if not self.skeleton[one:other].isalpha())
        return {0, *inside, len(positions)}

    def latin_before(self, code: str) -> list[int]:
        """How many characters of `full` or `consonants` before each, and before its end, are Latin letters in the skeleton."""
        return list(accumulate(("a" <= self.skeleton[at] <= "z" for at in self.positions(code)), initial=0))


def in_latin(text: str, *, keeps_han: bool) -> str:
    """A folded text in Latin letters, letter by letter, each run of a letter as one."""
    return REPEATED.sub(r"\1", text.translate(_letters(keeps_han=keeps_han)))


def codes_of(latin: str) -> tuple[str, str]:
    """The sound of a text in Latin letters with vowels and, in capitals, without."""
    content = latin.encode()
    return content.translate(*_full_table()).decode(), content.translate(*_consonant_table()).decode()


def heard_readings(skeleton: str) -> Iterator[Heard]:
    """The sound readings of the pieces of a skeleton that may be another script's words in Latin letters; none for an ordinary text."""
    for start, end in _pieces(skeleton):
        piece = skeleton[start:end]
        japanese = HAN.search(piece) and JAPANESE.search(piece)
        if japanese:
            yield Heard(piece, start, keeps_han=True)
        if not (japanese and KANA.search(piece)):
            yield Heard(piece, start, keeps_han=False)


def _pieces(skeleton: str) -> list[tuple[int, int]]:
    """Where Latin words stand that are none of the common ones, or touch another script, with what is around them."""
    margin = MARGIN_IN_LATIN
    if not skeleton.isascii() and OTHER_SCRIPT.search(skeleton):
        margin = MARGIN
    elif _is_known(skeleton.split()):
        return []
    pieces: list[tuple[int, int]] = []
    for word in LATIN_WORD.finditer(skeleton):
        start, end = word.span()
        if (word[0] in _common_words() or end - start < FEWEST_LETTERS) and not _touches(skeleton, start, end):
            continue
        start, end = _widened(skeleton, start, end, margin)
        if pieces and start <= pieces[-1][1]:
            start = pieces.pop()[0]
        pieces.append((start, end))
    return pieces


def _is_known(words: list[str]) -> bool:
    """Whether so many words of a text are common ones of a language in Latin letters that it is one."""
    known = sum(map(_common_words().__contains__, words))
    return known * (KNOWN_SHARE if known == 1 else KNOWN_SHARE_OF_SEVERAL) >= len(words)


def _touches(skeleton: str, start: int, end: int) -> bool:
    """Whether a letter of another script stands beside a Latin word."""
    return (start > 0 and bool(script_of(skeleton[start - 1]))) or (end < len(skeleton) and bool(script_of(skeleton[end])))


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
    return _letters(keeps_han=False)[ord(char)]


@cache
def script_of(char: str) -> str:
    """The name in `SCRIPTS` of a letter's script; empty if it has none."""
    return next((name for name, letters in SCRIPTS.items() if re.match(f"[{letters}]", char)), "")


class _Letters(dict[int, str]):
    """Code point → Latin letters. Hangul syllables are written when first met."""

    def __missing__(self, point: int) -> str:
        if point not in HANGUL:
            return chr(point)
        self[point] = latin = _syllable(point)
        return latin


def _syllable(point: int) -> str:
    initial, rest = divmod(point - HANGUL.start, MEDIALS * FINALS)
    medial, final = divmod(rest, FINALS)
    return INITIAL[initial] + MEDIAL[medial] + FINAL[final]


@cache
def _letters(*, keeps_han: bool) -> _Letters:
    rows = dict(tables.read("letters_in_latin.tsv")) | ({} if keeps_han else dict(tables.read("pinyin.tsv")))
    return _Letters({point: chr(point) for point in range(128)} | {ord(char): latin for char, latin in rows.items()})


@cache
def _common_words() -> frozenset[str]:
    return frozenset(tables.read_words("common_words.tsv"))


@cache
def _full_table() -> tuple[bytes, bytes]:
    table = bytes(range(256)).decode("latin-1").translate(CLASSES).encode("latin-1")
    return table, (SILENT + JOINERS).encode()


@cache
def _consonant_table() -> tuple[bytes, bytes]:
    table, dropped = _full_table()
    return table.upper(), dropped + b"aeiou"
