"""Misspelling: words a few slips away from a word of the lexicon, run together, backwards, masked (`masked`) or in signs (`decipher`).

A word that ordinary writing knows (`ordinary_words.tsv`) is never read as another. What is found reads the whole text with such words put
right, so that a form of several words is found with some of them misspelled. A word is put right only where that makes a form: it is one by
itself, or the word beside it stands beside it in a form too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator
from itertools import compress, islice, pairwise, product
from typing import NamedTuple

from wildgate_service.match.boundaries import is_unspaced
from wildgate_service.match.candidates import MOST_OPTIONS, SHORTEST, Candidates, indexes_of
from wildgate_service.match.corrected import Change, Corrected, apply
from wildgate_service.match.decipher import AROUND, Decipherer, is_strange
from wildgate_service.match.gaps import SHORTEST_FORM
from wildgate_service.match.masked import MaskedWords, WordsByLetters, is_masked
from wildgate_service.match.partners import Pairs, Partners, pairs_in, partners_of
from wildgate_service.match.run_together import parted
from wildgate_service.match.views import MASKED, MISSPELLING, RUN_TOGETHER
from wildgate_service.match.written import letters_worth
from wildgate_service.normalize.layers import BACKWARDS

MOST_REMEMBERED = 100_000  # tokens in a memo
MOST_BYTES_REMEMBERED = 8_000_000  # bytes of these and of what they may mean, roughly
LONGEST_REMEMBERED = 32
MOST_READINGS = 8
LONG_TEXT, MANY_WRONG = 2_000, 40  # code points, and words to be put right, of a text that is read in fewer ways
MOST_READINGS_OF_LONG_TEXT = 3
MOST_TOKENS = 1_500  # of a text, from its beginning, that are looked up: whatever the memo holds, so that a text has one answer
MOST_TOKENS_APART = 1
MARK = (
    "\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0b82\u0bbe-\u0bd7"  # Devanagari, Bengali, Tamil: \w leaves them out
)
LETTER = rf"(?:[^\W_]|[{MARK}])"
WORD = re.compile(rf"(?<![^\W_])(?:[^\W\d_]|[{MARK}]){{{SHORTEST},25}}(?![^\W_])")
ANY_WORD = re.compile(rf"{LETTER}+")
TRIM = ",;:!?()\"'.-[]#"
SHORTEST_BACKWARDS = 5  # letters of a word that is read from its end to its beginning
SHORTEST_BY_CHANCE = 4  # letters of a masked or drawn word that is more than chance by itself: "a+" alone is no "at"
FEWEST_BY_CHANCE = 3  # shorter ones that are more together
# The article and the one-letter words that Arabic writes as part of the next word.
ARABIC_PREFIX = re.compile(
    "(?:[\u0648\u0641]?[\u0628\u0643]?\u0627\u0644|\u0644\u0644|[\u0648\u0641\u0628\u0643\u0644])(?=[\u0621-\u064a]{3})"
)
WORD_BYTES = 120  # what a word takes in a memo, roughly

_Options = tuple[tuple[str, float], ...]  # words with what reading them so costs
_Words = tuple[str, tuple[_Options, ...], str]  # the word before some neighbors, what each of these may be, the word behind them


class _Found(NamedTuple):
    """A word that is none of the lexicon's, what it may stand for with what reading it so costs, and how."""

    start: int
    end: int
    options: _Options
    views: tuple[str, ...]
    alone: bool = False  # it needs no other word beside it
    beside: frozenset[str] = frozenset()  # of one that does, the words that stand beside one of the options in forms
    ordinary: bool = False  # it is a word of some language and means another only beside what makes a form of it


class _Placed(NamedTuple):
    """The same in a text: between which words it stands."""

    token: int
    found: _Found
    at: int
    before: str
    after: str


class Spelled(NamedTuple):
    """What a speller knows.

    `phrases` are the words that are forms by themselves, and the pairs of words that stand side by side in forms, `partners` say by either
    word of a pair the others; `known` are words that may be run together. The rest are indexes of the vocabulary.
    """

    vocabulary: frozenset[str]
    ordinary: Container[str]
    phrases: frozenset[str]
    common: frozenset[str]
    known: frozenset[str]
    partners: Partners
    candidates: Candidates
    masked: MaskedWords
    deciphered: Decipherer

    @classmethod
    def of(
        cls,
        words: Collection[str],
        ordinary: Container[str],
        phrases: frozenset[str] | None = None,
        common: frozenset[str] = frozenset(),
        known: frozenset[str] = frozenset(),
        pairs: Pairs | None = None,
    ) -> Spelled:
        """All of it from the words of the vocabulary, each once; each is a form by itself unless there are phrases.

        `pairs` are those in the phrases, if they are known already.
        """
        vocabulary, in_order = frozenset(words), sorted(words)
        phrases = vocabulary if phrases is None else phrases
        return cls(
            vocabulary,
            ordinary,
            phrases,
            common,
            known,
            partners_of(pairs_in(phrases) if pairs is None else pairs),
            Candidates(vocabulary, indexes_of(in_order)),
            MaskedWords(vocabulary, ordinary, WordsByLetters(in_order), common),
            Decipherer(vocabulary, ordinary, in_order),
        )


class Speller:
    """Finds what the words of a text may be slips of."""

    def __init__(self, parts: Spelled) -> None:
        self.parts = parts
        self._vocabulary, self._ordinary, self._phrases, self._common, self._known, self._partners, *_ = parts
        self._candidates, self._masked, self._deciphered = parts.candidates, parts.masked, parts.deciphered
        self._memo: dict[str, tuple[_Found, ...]] = {}
        self._remembered = 0

    def corrected(self, skeleton: str, tokens: list[str]) -> list[Corrected]:
        """Readings of a text with its misspelled, masked and run-together words put right; none if there is no such word.

        `tokens` are what blanks part in it.
        """
        meant = self._meant_by(tokens)
        numbers = list(compress(range(len(meant)), meant))
        if not numbers or not _is_more_than_chance([each for number in numbers for each in meant[number]]):
            return []
        wrong = list(self._supported(skeleton, tokens, meant, numbers))
        if not wrong:
            return []
        most = MOST_READINGS if len(skeleton) < LONG_TEXT and len(wrong) <= MANY_WRONG else MOST_READINGS_OF_LONG_TEXT
        return [apply(skeleton, changes) for changes in self._readings(wrong, most)]

    def forget(self) -> None:
        """Forget all words that were met."""
        self._memo.clear()
        self._remembered = 0

    # --- what a token may mean -------------------------------------------------------------------

    def _meant_by(self, tokens: list[str]) -> list[tuple[_Found, ...]]:
        """What the words of each token may mean: () for nearly all of an ordinary text."""
        memo, first = self._memo, tokens[:MOST_TOKENS]
        try:
            found = list(map(memo.__getitem__, first))
        except KeyError:
            met = {token: each if (each := memo.get(token)) is not None else self._remember(token) for token in set(first)}
            found = [met[token] for token in first]
        return found + [()] * (len(tokens) - len(found))

    def _remember(self, token: str) -> tuple[_Found, ...]:
        """What the words of a token between blanks may mean, kept in a memo that is emptied when full.

        A longer token is not kept, and can only be words run together.
        """
        if len(token) > LONGEST_REMEMBERED:
            return tuple(self._run_together(token, 0)) if token.isalpha() else ()
        meant = self._disguised(token) or tuple(self._misspelled(token))
        self._remembered += WORD_BYTES * (1 + sum(len(found.options) + len(found.beside) for found in meant))
        if len(self._memo) >= MOST_REMEMBERED or self._remembered >= MOST_BYTES_REMEMBERED:
            self.forget()
        self._memo[token] = meant
        return meant

    def _misspelled(self, token: str) -> Iterator[_Found]:
        for found in ANY_WORD.finditer(token):
            word = found[0]
            if len(word) < SHORTEST or word.isdigit() or is_unspaced(word[0]) or word in self._vocabulary or word in self._common:
                continue
            ordinary = word in self._ordinary
            options = self._candidates.of(word, ordinary=ordinary)
            if options:
                yield self._slip(found.start(), found.end(), options, ordinary=ordinary)
            elif not ordinary:
                yield from tuple(self._run_together(word, found.start())) or self._behind_prefix(word, found.start())
                if len(word) >= SHORTEST_BACKWARDS and word[::-1] in self._vocabulary:
                    yield _Found(found.start(), found.end(), ((word[::-1], 0.0),), (BACKWARDS,), alone=True)

    def _slip(self, start: int, end: int, options: tuple[tuple[str, float], ...], *, ordinary: bool) -> _Found:
        """A word that may be a slip; one that is not ordinary says so alone if an option is a form by itself."""
        alone = not ordinary and any(word in self._phrases for word, _ in options)
        beside = frozenset[str]() if alone else self._beside_any(word for word, _ in options)
        return _Found(start, end, options, (MISSPELLING,), alone, beside, ordinary)

    def _beside_any(self, words: Iterable[str]) -> frozenset[str]:
        """The words that stand beside one of some words in forms."""
        return frozenset(other for word in words for other in self._partners.get(word, ()))

    def _run_together(self, word: str, at: int) -> Iterator[_Found]:
        pieces = parted(word, self._known)
        if any(piece in self._vocabulary for piece in pieces):
            may_be_form = any(letters_worth(piece) >= SHORTEST_FORM for piece in pieces)
            alone = may_be_form or any(f"{one} {other}" in self._phrases for one, other in pairwise(pieces))
            beside = frozenset[str]() if alone else self._beside_any((pieces[0], pieces[-1]))
            yield _Found(at, at + len(word), ((" ".join(pieces), 0.0),), (RUN_TOGETHER,), alone, beside)

    def _behind_prefix(self, word: str, at: int) -> Iterator[_Found]:
        """What an Arabic word may mean without the article and the little words written together with it."""
        prefix = ARABIC_PREFIX.match(word)
        rest = word[prefix.end() :] if prefix else ""
        if prefix and rest not in self._vocabulary and rest not in self._common:
            options = self._candidates.of(rest, ordinary=True)
            if options:
                yield self._slip(at + prefix.end(), at + len(word), options, ordinary=rest in self._ordinary)

    def _disguised(self, token: str) -> tuple[_Found, ...]:
        """The word that a token is written for with letters masked, or with signs for letters."""
        core = token.strip(AROUND)
        if not is_strange(core) and (core.isalpha() or not is_masked(token)):
            return ()
        masked = self._masked.read(token)
        deciphered = None if masked else self._deciphered.read(token)
        start, end, words, views = (*masked[:3], (MASKED,)) if masked else deciphered or (0, 0, (), ())
        if not words:
            return ()
        alone = masked is None or not masked.may_be_common
        beside = frozenset[str]() if alone else self._beside_any(words)
        return (_Found(start, end, tuple((word, 0.0) for word in words[:MOST_OPTIONS]), views, alone, beside),)

    # --- what the words of a text mean together --------------------------------------------------

    def _supported(self, skeleton: str, tokens: list[str], meant: list[tuple[_Found, ...]], numbers: list[int]) -> Iterator[_Placed]:
        """What was found in the tokens of these numbers at its place in a text, with the options that make a form there."""
        at = here = 0
        for number in numbers:
            for index, each in enumerate(meant[number]):
                if not (each.alone or self._may_be_beside(tokens, meant, number, each.beside)):
                    continue
                before = self._beside(tokens, meant, number, index, step=-1)
                after = self._beside(tokens, meant, number, index, step=1)
                options = self._fitting(each, before, after)
                if options:
                    for token in tokens[here:number]:
                        at = skeleton.index(token, at) + len(token)
                    here, at = number, skeleton.index(tokens[number], at)
                    yield _Placed(number, each._replace(options=options), at, before[0], after[0])

    @staticmethod
    def _may_be_beside(tokens: list[str], meant: list[tuple[_Found, ...]], number: int, words: frozenset[str]) -> bool:
        """Whether one of some words may be beside a token, or in it beside what was found; a quick look."""
        for other in (number - 1, number + 1):
            if 0 <= other < len(tokens):
                beside = tokens[other].strip(TRIM)
                if meant[other] or beside in words or not beside.isalnum():
                    return True
        return len(meant[number]) > 1 or not tokens[number].strip(TRIM).isalnum()

    def _beside(self, tokens: list[str], meant: list[tuple[_Found, ...]], number: int, index: int, step: int) -> list[str]:
        """The word before (-1) or after (1) one that was found, as written and as it may be meant."""
        found = meant[number]
        cut = tokens[number][: found[index].start] if step < 0 else tokens[number][found[index].end :]
        there = found[index + step : index + step + 1] if index + step >= 0 else ()
        words = ANY_WORD.findall(cut) if cut else []
        if not words:
            if not 0 <= number + step < len(tokens):
                return [""]
            beside, there = tokens[number + step], meant[number + step]
            words = [beside] if beside.isalnum() else ANY_WORD.findall(beside)
        end = -1 if step < 0 else 0
        return [words[end] if words else "", *(word for word, _ in (there[end].options if there else ()))]

    def _fitting(self, found: _Found, before: list[str], after: list[str]) -> _Options:
        """The options that make a form, those that make one with a word beside them first."""
        pairs = [option for option in found.options if self._makes_pair(option[0], before, after)]
        alone = [option for option in found.options if self._is_form(option[0], found) and option not in pairs]
        return tuple(pairs + alone)[:MOST_OPTIONS]

    def _is_form(self, word: str, found: _Found) -> bool:
        return found.alone and (MISSPELLING not in found.views or word in self._phrases)

    def _makes_pair(self, word: str, before: list[str], after: list[str]) -> bool:
        first, last = word.partition(" ")[0], word.rpartition(" ")[2]  # of words run together
        return any(map(self._phrases.__contains__, [f"{each} {first}" for each in before] + [f"{last} {each}" for each in after]))

    def _readings(self, wrong: list[_Placed], most: int) -> Iterator[list[Change]]:
        """Ways to put the words right: neighbors are chosen together, words far apart each by themselves."""
        ranked: dict[_Words, list[_Options]] = {}
        groups = [self._together(group, most, ranked) for group in _neighbors(wrong)]
        for number in range(max(map(len, groups), default=0)):
            yield [change for group in groups for change in group[min(number, len(group) - 1)]]

    def _together(self, group: list[_Placed], most: int, ranked: dict[_Words, list[_Options]]) -> list[list[Change]]:
        """Ways to put neighboring words right, those that fit together first. `ranked` remembers them for the words."""
        words = (group[0].before, tuple(placed.found.options for placed in group), group[-1].after)
        if words not in ranked:
            ranked[words] = self._ranked(*words)[:most]
        return [
            [change for placed, (word, price) in zip(group, choice, strict=True) for change in _changes(placed, word, price)]
            for choice in ranked[words]
        ]

    def _ranked(self, before: str, options: tuple[_Options, ...], after: str) -> list[_Options]:
        choices = islice(product(*options), 4 * MOST_READINGS)
        return sorted(choices, key=lambda choice: (-self._fit(before, choice, after), sum([price for _, price in choice])))

    def _fit(self, before: str, choice: _Options, after: str) -> int:
        """How many words of a choice stand beside one that they stand beside in forms."""
        fitting, one = 0, before
        for word, _ in choice:
            fitting += f"{one} {word}" in self._phrases
            one = word
        return fitting + (f"{one} {after}" in self._phrases)


def _is_more_than_chance(found: list[_Found]) -> bool:
    """Whether a longer word is found, or several short ones."""
    return len(found) >= FEWEST_BY_CHANCE or any(
        len(each.options[0][0]) >= SHORTEST_BY_CHANCE or MISSPELLING in each.views for each in found
    )


def _neighbors(wrong: list[_Placed]) -> Iterator[list[_Placed]]:
    """The words found, those of neighboring tokens together."""
    group: list[_Placed] = []
    for placed in wrong:
        if group and (placed.token - group[-1].token > MOST_TOKENS_APART or len(group) > 3):  # noqa: PLR2004  (four words are a form)
            yield group
            group = []
        group.append(placed)
    if group:
        yield group


def _changes(placed: _Placed, word: str, price: float) -> Iterable[Change]:
    """What puts a word right: it is replaced, or blanks are put in."""
    start, end = placed.at + placed.found.start, placed.at + placed.found.end
    if RUN_TOGETHER not in placed.found.views:
        return [Change(start, end, word, placed.found.views, price)]
    blanks = [at for at, char in enumerate(word) if char == " "]
    places = [start + at - number for number, at in enumerate(blanks)]
    return [Change(at, at, " ", (RUN_TOGETHER,), 0.0) for at in places]
