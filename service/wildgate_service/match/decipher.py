r"""Decipher: words of the lexicon written with other characters in place of their letters, one or several to a letter (|\/|0^k3y).

A sign may stand for several letters, and several signs for one, so what was meant is only known by the words that there are. The words in
order are their own trie: a reading goes on while some word begins so.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator
from functools import cache, lru_cache
from string import ascii_lowercase

from wildgate_service.match.views import LEETSPEAK, LOOK_ALIKES
from wildgate_service.normalize import tables
from wildgate_service.normalize.readings import characters_read, letters_of

SHORTEST = 2  # letters of a word that is read so
SHORTEST_OF_LETTERS = 5  # of one in which only letters stand for letters: rnonkey
MOST_WORDS = 4
FEWEST_PLAIN = 3  # one letter in so many is itself, or stands there as a sign that is no digit
MOST_STEPS = 600
LETTERS_KEPT = 3  # of beginnings and ends of words, which tell most that is no word
# Scripts of living languages: a word in one of them is no Latin word drawn with its letters.
LIVING = ((0x0370, 0x1380), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3))
EDGES = ",;:!?\"'.-"  # punctuation beside a word
PAIRS = ("()", "[]", "{}")  # brackets around a word
AROUND = EDGES + "".join(PAIRS)
NUMBER = re.compile(r"[$€£¥#+]?\d[\d.,:/x×]*(?:[a-z]{1,3}|[%°+]|[$€£¥])?")  # with its unit
# In a token of ASCII: a sign that is drawn with or stands for a letter; digits that letters are drawn with; letters drawn with letters.
DRAWN = re.compile(r"[|\\/<>\[\]{}()^@$!+#&%_~=?]|[1il]2|[1il]3|\d.*(?:vv|uu|nn|ivi|ph)|(?:vv|uu|nn|ivi|ph).*\d")
OF_LETTERS = re.compile("vv|uu|rn|nn|cl|ii")
# In any other: Latin letters, signs that are drawn with, digits among letters.
OF_LOOKS = frozenset(ascii_lowercase + "|\\/<>[]{}()^@$+#&%=")
AMONG_DIGITS = re.compile(r"[а-я]\d|\d[а-я]")
RARE_HAN = frozenset("卂乇丂卄乂匚冂凵屮廾乚㐅丅丄冋丿丨亅")  # that no living language writes by themselves


class Decipherer:
    """Finds the words of a vocabulary that a token may be written for."""

    def __init__(self, vocabulary: frozenset[str], ordinary: Container[str], words: Iterable[str] | None = None) -> None:
        """`words` are those of the vocabulary, if they stand in order already."""
        self._vocabulary = vocabulary
        self._ordinary = ordinary
        self.words = [word for word in (sorted(vocabulary) if words is None else words) if len(word) >= SHORTEST]
        longest = {word[:LETTERS_KEPT] for word in self.words}, {word[-LETTERS_KEPT:] for word in self.words}
        self._starts = frozenset(start[:letters] for start in longest[0] for letters in range(LETTERS_KEPT + 1))
        self._ends = frozenset(end[-letters:] for end in longest[1] for letters in range(1, LETTERS_KEPT + 1))

    def read(self, token: str) -> tuple[int, int, tuple[str, ...], tuple[str, ...]] | None:
        """Where in a token the word stands, the words that it may be, and the views; None if it is written plainly or means nothing."""
        for start, end in _cores(token):
            core = token[start:end]
            if core in self._vocabulary or core in self._ordinary:
                return None
            words = self._meant(core) if is_strange(core) else ()
            if words:
                return start, end, words, _views_of(core, words[0])
        return None

    def _meant(self, core: str) -> tuple[str, ...]:
        """The words that all of a core may be, the likeliest first."""
        if core.isalpha() and core.isascii():
            return tuple(word for pair in OF_LETTERS.findall(core) if (word := _of_pair(core, pair)) in self._vocabulary)
        return self._words_of(core)

    def _words_of(self, core: str) -> tuple[str, ...]:
        """The same by way of every reading of each of its characters."""
        if not all(map(_can_stand_for_letters, core)) or _is_number(core) or not self._may_end(core):
            return ()
        starts = self._starts
        best: dict[tuple[int, str], int] = {(0, ""): 0}
        found: dict[str, int] = {}
        stack = [(0, "", 0, 0)]
        steps = 0
        while stack and steps < MOST_STEPS:
            at, word, meant, cost = stack.pop()
            if at == len(core):
                if word in self._vocabulary and _is_likely(word, meant):
                    found[word] = min(cost, found.get(word, cost))
                continue
            for length, letter, counts, extra in _readings_at(core, at):
                steps += 1
                start = word + letter
                if start[:LETTERS_KEPT] not in starts:
                    continue
                step = (at + length, start)
                if cost + extra < best.get(step, MOST_STEPS) and (len(start) <= LETTERS_KEPT or self._begins(start)):
                    best[step] = cost + extra
                    stack.append((*step, meant + counts, cost + extra))
        return tuple(sorted(found, key=lambda word: (found[word], word))[:MOST_WORDS])

    def _may_end(self, core: str) -> bool:
        """Whether a word ends as a core may; True too where several of its characters may be one letter."""
        ends = {""}
        for at in range(len(core) - 1, max(-1, len(core) - 1 - LETTERS_KEPT), -1):
            if _is_drawn(core, at):
                return True
            ends = {letter + end for _, letter, *_ in _readings_at(core, at) for end in ends} & self._ends
            if not ends:
                return False
        return True

    def _begins(self, start: str) -> bool:
        """Whether a word begins so."""
        index = bisect_left(self.words, start)
        return index < len(self.words) and self.words[index].startswith(start)


def _views_of(core: str, word: str) -> tuple[str, ...]:
    look_alikes = core.isalpha() or any(char.isalpha() and char not in word and not (char.isascii() and word.isascii()) for char in core)
    return (*([LOOK_ALIKES] if look_alikes else []), *([] if core.isalpha() else [LEETSPEAK]))


def _cores(token: str) -> Iterator[tuple[int, int]]:
    """The token, and what is left of it without punctuation and brackets around it."""
    seen = set()
    for core in (token, token.rstrip(EDGES), token.strip(EDGES)):
        start = token.find(core)
        inner = [(start, start + len(core))]
        inner += [(start + 1, start + len(core) - 1) for pair in PAIRS if core[:1] == pair[0] and core[-1:] == pair[1]]
        for span in inner:
            if span not in seen and span[1] - span[0] >= SHORTEST:
                seen.add(span)
                yield span


def is_strange(core: str) -> bool:
    """Whether a token may be a word in disguise that the bare reading does not see through."""
    if core.isascii():
        if core.isalpha():
            return len(core) > SHORTEST_OF_LETTERS and OF_LETTERS.search(core) is not None
        return DRAWN.search(core) is not None and NUMBER.fullmatch(core) is None
    by_look = not _of_looks().isdisjoint(core) or AMONG_DIGITS.search(core) is not None
    return by_look and NUMBER.fullmatch(core) is None


@cache
def _of_looks() -> frozenset[str]:
    """What stands in a word of other than ASCII that is written by look: signs, Latin letters, rare characters."""
    every = {*characters_read(), *_further(), *RARE_HAN}
    return OF_LOOKS.union(char for char in every if _is_rare(char))


@lru_cache(maxsize=4_096)
def _can_stand_for_letters(char: str) -> bool:
    """Whether a character is a letter that may be Latin or Cyrillic, or a sign of a drawing."""
    return (bool(_letters(char)) and not _is_only_itself(char)) or any(char in drawing for drawing in _drawings())


def _is_only_itself(char: str) -> bool:
    """Whether a character is read as nothing else and is neither Latin nor Cyrillic."""
    return _letters(char) == char and not (char.isascii() or "\u0400" <= char <= "\u052f")


def _is_rare(char: str) -> bool:
    """Whether a character is taken for its look alone: one of no living script that is read as a letter."""
    point = ord(char)
    if char in RARE_HAN:
        return True
    return not char.isascii() and not any(start <= point <= end for start, end in LIVING) and bool(_letters(char))


def _is_likely(word: str, meant: int) -> bool:
    """Whether enough of a word is no digit, so that it is no number or model."""
    return len(word) >= SHORTEST and FEWEST_PLAIN * meant >= len(word)


def _of_pair(core: str, pair: str) -> str:
    """A word with two letters everywhere read as the one that they look like together; empty if it is short then."""
    word = core.replace(pair, _drawings()[pair][0])
    return word if len(word) >= SHORTEST_OF_LETTERS else ""


def _is_number(core: str) -> bool:
    """Whether so much of a core is digits, none drawn with others, that no word that it may be is likely."""
    if FEWEST_PLAIN * sum(not char.isdigit() for char in core) >= len(core):
        return False
    return all(length == 1 for at in range(len(core)) for length, *_ in _readings_at(core, at))


def _is_drawn(core: str, at: int) -> bool:
    """Whether the character at a place may be one of several that draw a letter together."""
    starts = range(max(0, at + 1 - _longest_drawing()), at + 1)
    return any(length > 1 for start in starts for length, *_ in _readings_at(core, start))


def _readings_at(core: str, at: int) -> tuple[tuple[int, str, bool, int], ...]:
    return _readings(core[at : at + _longest_drawing()])


@lru_cache(maxsize=16_384)
def _readings(rest: str) -> tuple[tuple[int, str, bool, int], ...]:
    """(length of what stands at a place, letter that it may be, whether it is no mere digit, how unlikely that is).

    `rest` are the characters from there on, no more than the longest drawing has.
    """
    drawings, char = _drawings(), rest[0]
    drawn = [
        (length, letter, True, rank) for length in range(2, len(rest) + 1) for rank, letter in enumerate(drawings.get(rest[:length], ""))
    ]
    return (*drawn, *((1, letter, not char.isdigit(), rank) for rank, letter in enumerate(_letters(char))))


@lru_cache(maxsize=4_096)
def _letters(char: str) -> str:
    """All letters that a character may be, the likeliest first: itself, Latin ones, then Cyrillic that look like these."""
    further = _further()
    latin = (char if char.isalpha() else "") + letters_of(char) + further.get(char, "")
    cyrillic = "".join(each for letter in latin if letter.isascii() for each in further.get(letter, "") if not each.isascii())
    return "".join(dict.fromkeys(latin + cyrillic))


@cache
def _further() -> dict[str, str]:
    return dict(tables.read("further_readings.tsv"))


@cache
def _drawings() -> dict[str, str]:
    """Drawing → the letters that it may be."""
    found: dict[str, str] = {}
    for letters, drawing in tables.read_pairs("drawn_letters.tsv"):
        found[drawing] = found.get(drawing, "") + letters
    return found


@cache
def _longest_drawing() -> int:
    return max(map(len, _drawings()))
