"""The bare reading: what is left of a skeleton without anything that can be put between letters, or in place of them.

Blanks, separators and punctuation are gone, digits, signs and look-alikes are letters, and, where a text repeats letters, each run is
one. It is written in classes (`readings`), so a search in it finds too much on purpose: `match.undisguise` looks at the skeleton again and
says what was really written. Forms are brought to the same shape once, when the lexicon is compiled.

Most texts have one bare reading, which costs two passes over bytes. Others come behind gates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

import daachorse
import numpy as np
from numpy.typing import NDArray

from wildgate_service.normalize import pages as page
from wildgate_service.normalize import tables
from wildgate_service.normalize.kana import has_hiragana, in_katakana
from wildgate_service.normalize.made_once import made_once
from wildgate_service.normalize.readings import RARE_SIGNS, SIGNS, class_of, letters_of

# First bytes of scripts in UTF-8.
LISU = b"\xea\x93"  # its letters are Latin capitals
LAO_BYTES = b"\xba"[0]  # the second byte of its letters, and hardly one of another in Thai
CYRILLIC, GREEK = (b"\xd0", b"\xd1"), (b"\xce", b"\xcf")
THAI, LAO, KANA = b"\xe0\xb8", b"\xe0\xba", re.compile(b"\xe3[\x82\x83]")
NOT_ASCII = "?"  # what stands for other characters where a text is encoded in ASCII
RARE_THAI = "ๅฃฅ"  # a vowel sign of two rare words, and two letters that nobody uses any more
HAN_TWINS = tuple(char.encode() for char in "亻力口二八工夕卜")  # the first is no word
UTF_32 = "utf-32-le"
REPEATED = re.compile(r"(.)\1+", re.DOTALL)
MOST_CLASSES = 65_536  # characters whose class is remembered
# Units that stand behind their number in scripts with look-alikes.
UNITS = "[а-я]|шт|мм|см|дм|км|мл|гр|кг|мг|вт|квт|ач|мач|ом|гц|мин|сек|мес|дн|гб|тб|тыс|руб|рул|уп|пар|пак|го|мя|ти|литр|штук"
# In such a script a digit or sign that may be a letter, before one that is: no number with its unit, and no bracket that is closed.
BEFORE_LETTER = re.compile(rf"(?:\d(?!(?:{UNITS})(?![^\W\d_]))|[@$!|+<#^*&]|\((?![^()]*\)))[\u0340-\u05ff\u1000-\u1fff]")
_FOREIGN, _SIGNS, _MIXED, _BEFORE = "foreign", "signs", "mixed", "before"


class Bare:
    """One bare reading of a skeleton. `signs` are the signs that it takes for letters.

    `written` is the skeleton as it was, where letters are read by their sound; else it is the skeleton.
    """

    def __init__(self, skeleton: str, text: str, signs: frozenset[str], *, foreign: bool = False, written: str = "") -> None:
        self.skeleton = skeleton
        self.written = written or skeleton
        self.signs = signs
        self.text = text
        self.foreign = foreign

    def places(self, positions: list[int]) -> list[tuple[int, int]]:
        """Where characters of the bare text stand in the skeleton: first and last of the run of letters that each is, if runs are one."""
        return [(at, at) for at in self.kept[positions].tolist()]

    @made_once
    def kept(self) -> NDArray[np.intp]:
        """Where the characters stand in the skeleton that are not dropped."""
        if self.foreign:
            return np.flatnonzero(np.frombuffer(bytes(map(bool, _letter_classes(self.skeleton, self.signs))), bool))
        in_ascii = self.skeleton.replace(NOT_ASCII, ",").encode("ascii", errors="replace")  # where no sign that may be a letter is lost
        return np.flatnonzero(np.frombuffer(in_ascii.translate(_kept_table(self.signs)), np.uint8))


class Collapsed(Bare):
    """A bare reading in which runs of a letter are one."""

    def __init__(self, whole: Bare) -> None:
        letters = np.frombuffer(whole.text.encode(UTF_32), np.uint32)
        self._begins = np.concatenate(([True], letters[1:] != letters[:-1]))
        super().__init__(whole.skeleton, letters[self._begins].tobytes().decode(UTF_32), whole.signs, written=whole.written)
        self._whole = whole

    def places(self, positions: list[int]) -> list[tuple[int, int]]:
        """Where the runs of letters begin and end in the skeleton that characters of the bare text are."""
        firsts = np.flatnonzero(self._begins)
        lasts = np.append(firsts[1:], len(self._begins)) - 1
        kept = self._whole.kept
        return list(zip(kept[firsts[positions]].tolist(), kept[lasts[positions]].tolist(), strict=True))


def is_letter(char: str, signs: frozenset[str]) -> bool:
    """Whether a character is read as a letter: letters, digits and marks of any script, and these signs."""
    return char.isalnum() or char in signs or (not char.isascii() and unicodedata.category(char)[0] == "M")


def bare_readings(skeleton: str, pages: bytes) -> Iterable[Bare]:
    """The bare readings of a skeleton: one for an ordinary text, others where signs, other scripts or repeats may be letters."""
    readings: dict[tuple[str, str, frozenset[str]], Bare] = {}
    for each in _readings(skeleton, pages):
        readings.setdefault((each.skeleton, each.text, each.signs), each)
    return readings.values()


def _readings(skeleton: str, pages: bytes) -> Iterator[Bare]:
    content = skeleton.encode()
    classes = byte_classes(content)
    gates = _open_gates(skeleton, content, classes, pages)
    plain = [Bare(skeleton, _of_bytes(content, SIGNS), SIGNS)]
    if _SIGNS in gates:
        plain += [Bare(skeleton, _of_bytes(content, signs), signs) for signs in (frozenset[str](), SIGNS | RARE_SIGNS)]
    if _FOREIGN in gates:
        every = frozenset(char for char in frozenset(skeleton) if not char.isalnum() and letters_of(char))
        looks = every - RARE_SIGNS
        choices = (looks, looks & SIGNS, frozenset[str](), *([every] if _SIGNS in gates else []))
        plain += [Bare(skeleton, _of_any(skeleton, signs), signs, foreign=True) for signs in dict.fromkeys(choices)]
    if _MIXED in gates:
        plain += _by_sound(skeleton)
    yield from plain
    in_alphabet = _IN_ROW in classes or page.CYRILLIC in pages
    if (in_alphabet and _repeats().find(skeleton)) or (pages.translate(None, _SHORT_PAGES) and is_tripled(content, _LONG)):
        for each in plain:
            if each.text:
                yield Collapsed(each)


def _by_sound(skeleton: str) -> Iterator[Bare]:
    """The text with Cyrillic letters as the Latin ones of their sound, and the other way round, where both are in one word."""
    for table in _sounds():
        heard = skeleton.translate(table)
        yield Bare(heard, _of_bytes(heard.encode(), SIGNS), SIGNS, written=skeleton)


@cache
def _sounds() -> tuple[dict[int, str], dict[int, str]]:
    rows = dict(tables.read("sounds.tsv"))
    to_latin = {ord(char): letter for char, letter in rows.items() if letter.isascii()}
    return to_latin, {ord(char): letter for char, letter in rows.items() if not letter.isascii()}


def bare_form(pattern: str) -> tuple[str, ...]:
    """How a folded form stands in bare readings: in its own script's letters, in classes throughout, and both with runs collapsed."""
    own = _of_bytes(pattern.encode(), frozenset())
    shapes = [own] if own.isascii() else ["".join(filter(_is_mark_or_letter, own)), _of_any(pattern, frozenset())]
    return tuple(dict.fromkeys((*shapes, *(REPEATED.sub(r"\1", each) for each in shapes))))


@cache
def _is_mark_or_letter(char: str) -> bool:
    return is_letter(char, frozenset())


def _of_bytes(content: bytes, signs: frozenset[str]) -> str:
    """The text without ASCII separators, with ASCII characters as classes and all kana as katakana; other characters stay."""
    table, dropped = _ascii_tables(signs)
    text = content.translate(table, dropped).decode()
    return in_katakana(text) if not text.isascii() and has_hiragana(content) else text


@cache
def _ascii_tables(signs: frozenset[str]) -> tuple[bytes, bytes]:
    table = bytes(ord(class_of(chr(point))) if class_of(chr(point)).isascii() else point for point in range(128)) + bytes(range(128, 256))
    return table, bytes(point for point in range(128) if not is_letter(chr(point), signs))


@cache
def _kept_table(signs: frozenset[str]) -> bytes:
    """1 for each ASCII character that is a letter, and for what stands for all that are not ASCII; else 0."""
    return bytes(chr(point) == NOT_ASCII or is_letter(chr(point), signs) for point in range(128)) + bytes(128)


def _of_any(skeleton: str, signs: frozenset[str]) -> str:
    """The text in classes throughout, whatever the script, and all kana as katakana."""
    text = skeleton.translate(_CLASSES) if signs.isdisjoint(skeleton) else "".join(_letter_classes(skeleton, signs))
    return in_katakana(text) if has_hiragana(text.encode()) else text


def _letter_classes(skeleton: str, signs: frozenset[str]) -> Iterator[str]:
    """The class of each character of a skeleton, "" for those that are no letters."""
    classes = {char: class_of(char) if char in signs else _letter_class(char) for char in frozenset(skeleton)}
    return map(classes.__getitem__, skeleton)


@lru_cache(maxsize=MOST_CLASSES)
def _letter_class(char: str) -> str:
    return class_of(char) if is_letter(char, frozenset()) else ""


class _Classes(dict[int, str]):
    """Code point → the class of the letter, "" for what is none; those that were met first are kept."""

    def __missing__(self, point: int) -> str:
        found = _letter_class(chr(point))
        if len(self) < MOST_CLASSES:
            self[point] = found
        return found


_CLASSES = _Classes()


def is_tripled(content: bytes, *units: int) -> bool:
    """Whether three times the same stands in a text, of so many bytes: the text, moved by as many, equals itself for two."""
    whole = int.from_bytes(content)
    return any(bytes(2 * unit) in (whole ^ (whole >> (8 * unit))).to_bytes(len(content)) for unit in units)


def byte_classes(content: bytes) -> bytes:
    """What each byte of a UTF-8 text is to the gates.

    `a` is a Latin letter, `0` a digit, `s` a sign that may be a letter, `c` the first byte of a letter of a script with look-alikes,
    `x` that of a symbol or rare letter, `u` that of any other character, `v` a byte that follows one of these, a blank anything else.
    """
    return content.translate(_BYTE_CLASSES)


def _table_of_classes() -> bytes:
    table = bytearray(b" " * 128 + b"v" * 64 + b"u" * 64)
    for characters, letter in ((b"abcdefghijklmnopqrstuvwxyz", "a"), (b"0123456789", "0"), (b"@$!|+(<#^*&", "s")):
        for byte in characters:
            table[byte] = ord(letter)
    for byte in (*range(0xC2, 0xCD), 0xE2, 0xF0):
        table[byte] = ord("x")
    for byte in (*range(0xCD, 0xD8), 0xE1):  # Greek, Cyrillic, Armenian, Hebrew; Georgian, Cherokee and Canadian letters among others
        table[byte] = ord("c")
    return bytes(table)


_BYTE_CLASSES = _table_of_classes()
_IN_ROW = b"aaa"  # Latin letters of which one may be repeated
_SHORT_PAGES = bytes(range(0x08))  # whose characters have less than three bytes
_LONG = 3  # of all others in UTF-8, but for those behind the first plane
_GATES = {
    _SIGNS: (b"asa", b"as0", b"0sa", b"assa", b"vsv", b"vsu", b"vsc"),
    _FOREIGN: (b"x", b"cv0c", b"cv0a", b"cvsc"),
    _BEFORE: (b"0c", b"sc"),
    _MIXED: (b"ac", b"cva", b"cvva"),
}


def _open_gates(skeleton: str, content: bytes, classes: bytes, pages: bytes) -> set[str]:
    """Names of the gates that a text opens."""
    automaton, names = _gates()
    opened = {names[pattern] for _, _, pattern in automaton.find(classes)}
    if (
        _MIXED in opened
        or (_BEFORE in opened and BEFORE_LETTER.search(skeleton))
        or (pages and (2 * classes.count(b"a") > len(classes) or _mixes_scripts(skeleton, content, pages)))
    ):
        opened.add(_FOREIGN)  # a Latin text with letters that are not, or another with its own look-alikes
    return opened


def _mixes_scripts(skeleton: str, content: bytes, pages: bytes) -> bool:
    """Whether letters stand in a text that only their look can have brought there."""
    if page.LISU in pages and LISU in content:
        return True
    if page.CYRILLIC in pages and (CYRILLIC[0] in content or CYRILLIC[1] in content):
        return page.GREEK in pages and (GREEK[0] in content or GREEK[1] in content)
    if page.THAI_AND_LAO in pages and THAI in content:
        return (LAO_BYTES in content and LAO in content) or any(letter in skeleton for letter in RARE_THAI)
    if page.KANA not in pages or not KANA.search(content):
        return False
    return any(twin in content for twin in HAN_TWINS) and _twin().search(content) is not None


@cache
def _twin() -> re.Pattern[bytes]:
    """A Han character that looks like a kana, beside a katakana; or one that is no word."""
    han = b"(?:" + b"|".join(HAN_TWINS) + b")"
    katakana = b"(?:\xe3(?:\x82[\xa1-\xbf]|\x83[\x80-\xbc]))"
    return re.compile(katakana + han + b"|" + han + katakana + b"|" + HAN_TWINS[0])


@cache
def _gates() -> tuple[daachorse.DoubleArrayAhoCorasick, tuple[str, ...]]:
    pairs = [(needle, name) for name, needles in _GATES.items() for needle in needles]
    return daachorse.DoubleArrayAhoCorasick([needle for needle, _ in pairs]), tuple(name for _, name in pairs)


@cache
def _repeats() -> daachorse.CharwiseDoubleArrayAhoCorasick:
    """An automaton over three times the same letter (without w, for www), and over two doubled letters in a row."""
    letters = "abcdefghijklmnopqrstuvwxyzабвгдежзиклмнопрстуфхцчшщыьэюя"
    doubled = [one * 2 + other * 2 for alphabet in (letters[:26], letters[26:]) for one in alphabet for other in alphabet if one != other]
    return daachorse.CharwiseDoubleArrayAhoCorasick([char * 3 for char in letters if char != "w"] + doubled)
