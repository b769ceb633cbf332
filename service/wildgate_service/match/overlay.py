"""Overlay: a lexicon that differs from another in a few rules, laid over it.

The lexicon below is shared by all processes that were forked with it and is never changed or copied; what lies over it is small. Together
they answer as a lexicon compiled from scratch would: forms are numbered in the order of the files, and what is found is in the same order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

from wildgate_service.match.automaton import Automaton, Both, Lookup, Table, open_automaton
from wildgate_service.match.candidates import Candidates, Indexes
from wildgate_service.match.decipher import Decipherer
from wildgate_service.match.lost_marks import MarklessSearch, Slipped, that_may_slip
from wildgate_service.match.masked import MaskedWords, WordsByLetters
from wildgate_service.match.misspelling import Spelled, Speller
from wildgate_service.match.partners import Partners, pairs_in, partners_of
from wildgate_service.match.tables import (
    BareUses,
    CompiledLexicon,
    Form,
    LanguageCount,
    RuleRow,
    Search,
    TaxonRow,
    Uses,
    by_form,
    requirements_of,
    version_of,
)

Item = TypeVar("Item")


class Run(Struct, frozen=True, array_like=True):
    """So many forms, one after the other: those of the base from number `first` on, or if `new` of the delta."""

    first: int
    length: int
    new: bool


class Words(Struct, frozen=True, array_like=True):
    """Words that came to a set and words that are gone from it."""

    came: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class AddedPatterns(Struct, frozen=True, array_like=True):
    """Patterns of new forms, numbered as in `Tables` but from 0, and their automaton; b"" if there are none."""

    uses: tuple[Uses, ...] = ()
    automaton: bytes = b""


class AddedBarePatterns(Struct, frozen=True, array_like=True):
    """The same of bare readings, or of sounds."""

    uses: tuple[BareUses, ...] = ()
    automaton: bytes = b""


class Delta(Struct, frozen=True):
    """What makes one lexicon of another. New rules are numbered after the base's, new forms from 0; `runs` say the order of all forms."""

    base: str  # digest of what it is laid over
    digest: str
    version: str  # SemVer of the content
    languages: tuple[LanguageCount, ...]
    runs: tuple[Run, ...]
    rules: tuple[RuleRow, ...]
    gone_rules: tuple[str, ...]
    forms: tuple[Form, ...]
    taxon_patterns: AddedPatterns
    context_patterns: AddedPatterns
    bare_taxon_patterns: AddedBarePatterns
    bare_context_patterns: AddedBarePatterns
    sound_taxon_patterns: AddedBarePatterns
    sound_context_patterns: AddedBarePatterns
    taxa: dict[str, TaxonRow]  # those that came or changed
    gone_taxa: tuple[str, ...]
    unions: dict[str, tuple[str, ...]]
    taxon_words: Words = Words()
    context_words: Words = Words()
    taxon_phrases: Words = Words()
    context_phrases: Words = Words()
    glue: Words = Words()
    known: Words = Words()  # words that may be run together


def lay_over(base: CompiledLexicon, delta: Delta) -> CompiledLexicon:
    """The lexicon that a delta makes of its base."""
    numbers = Numbers(delta.runs)
    rules = Rules(base.rules, delta.rules)
    gone = frozenset(delta.gone_rules)
    glue = changed_words(base.taxon_search.glue, delta.glue)
    return CompiledLexicon(
        version=version_of(delta.version, delta.digest),
        digest=delta.digest,
        languages=delta.languages,
        rules=rules,
        forms=Spliced(base.forms, delta.forms, delta.runs),
        rows={id_: row for id_, row in base.rows.items() if id_ not in gone} | {row.id: row for row in delta.rules},
        requirements={key: wanted for key, wanted in base.requirements.items() if key[0] not in gone}
        | by_form(requirements_of(delta.forms, rules)),
        taxa={key: row for key, row in base.taxa.items() if key not in delta.gone_taxa} | delta.taxa,
        unions=delta.unions,
        ordinary=base.ordinary,
        homographs=base.homographs,
        taxon_search=_search(
            base.taxon_search,
            Added(delta.taxon_patterns, delta.bare_taxon_patterns, delta.sound_taxon_patterns),
            numbers,
            Spelling(delta.taxon_words, delta.taxon_phrases, delta.known),
            glue,
        ),
        context_search=_search(
            base.context_search,
            Added(delta.context_patterns, delta.bare_context_patterns, delta.sound_context_patterns),
            numbers,
            Spelling(delta.context_words, delta.context_phrases, delta.known),
            glue,
        ),
        below=base,
    )


class Spelling(NamedTuple):
    """What changes for a speller."""

    words: Words
    phrases: Words
    known: Words


class Added(NamedTuple):
    """The patterns of new forms of one sort."""

    plain: AddedPatterns
    bare: AddedBarePatterns
    sound: AddedBarePatterns


def _search(base: Search, added: Added, numbers: Numbers, spelling: Spelling, glue: frozenset[str]) -> Search:
    uses = tuple(tuple(map(numbers.of_new, each)) for each in added.plain.uses)
    bare_uses, sound_uses = (
        tuple(tuple((numbers.of_new(form), text) for form, text in each) for each in patterns.uses)
        for patterns in (added.bare, added.sound)
    )
    return Search(
        _both(base.automaton, len(base.patterns), added.plain.automaton),
        Renumbered(base.patterns, uses, numbers),
        _both(base.bare_automaton, len(base.bare_patterns), added.bare.automaton),
        RenumberedBare(base.bare_patterns, bare_uses, numbers),
        _both(base.sound_automaton, len(base.sound_patterns), added.sound.automaton),
        RenumberedBare(base.sound_patterns, sound_uses, numbers),
        respelled(base.speller, spelling),
        glue,
        MarklessOverlay(base.markless, MarklessSearch(that_may_slip(chain.from_iterable(bare_uses))), numbers),
    )


def _both(base: Automaton, first: int, added: bytes) -> Automaton:
    return Both(base, first, open_automaton(added)) if added else base


# --- numbers -------------------------------------------------------------------------------------


class Numbers:
    """What number a form has now that was another of the base's, or of the new ones."""

    def __init__(self, runs: tuple[Run, ...]) -> None:
        at = 0
        kept: list[tuple[int, int, int]] = []
        new: list[tuple[int, int, int]] = []
        for run in runs:
            (new if run.new else kept).append((run.first, run.first + run.length, at - run.first))
            at += run.length
        self._kept, self._new = sorted(kept), sorted(new)
        self._kept_from, self._new_from = [first for first, _, _ in self._kept], [first for first, _, _ in self._new]

    def of_kept(self, number: int) -> int | None:
        """The number of one of the base's forms; None if it is gone."""
        at = bisect_right(self._kept_from, number) - 1
        if at < 0 or number >= self._kept[at][1]:
            return None
        return number + self._kept[at][2]

    def of_new(self, number: int) -> int:
        """The number of one of the new forms."""
        return number + self._new[bisect_right(self._new_from, number) - 1][2]


class Renumbered:
    """By the number of a pattern the forms written so: of the base those that are still there, of patterns that came after those all."""

    def __init__(self, base: Lookup[Uses], new: Lookup[Uses], numbers: Numbers) -> None:
        self._base = base
        self._new = new
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._base) + len(self._new)

    def __getitem__(self, number: int, /) -> Uses:
        """The forms of a pattern."""
        if number >= len(self._base):
            return self._new[number - len(self._base)]
        now = map(self._numbers.of_kept, self._base[number])
        return tuple(form for form in now if form is not None)


class RenumberedBare:
    """The same of bare readings."""

    def __init__(self, base: Lookup[BareUses], new: Lookup[BareUses], numbers: Numbers) -> None:
        self._base = base
        self._new = new
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._base) + len(self._new)

    def __getitem__(self, number: int, /) -> BareUses:
        """The forms of a pattern, each with its folded spelling."""
        if number >= len(self._base):
            return self._new[number - len(self._base)]
        now = ((self._numbers.of_kept(form), text) for form, text in self._base[number])
        return tuple((form, text) for form, text in now if form is not None)


class MarklessOverlay(MarklessSearch):
    """Forms with wrong marks: of the base those that are still there, and of the new ones."""

    def __init__(self, base: MarklessSearch, new: MarklessSearch, numbers: Numbers) -> None:
        self._base = base
        self._new = new
        self._numbers = numbers

    def find(self, text: str, pages: bytes) -> Iterator[Slipped]:
        """Forms with wrong marks in a skeleton of some pages, those with none wrong left out."""
        for each in self._base.find(text, pages):
            now = self._numbers.of_kept(each.form)
            if now is not None:
                yield each._replace(form=now)
        yield from self._new.find(text, pages)


class Spliced(Generic[Item]):
    """Runs of two tables as one."""

    def __init__(self, base: Table[Item], new: Table[Item], runs: tuple[Run, ...]) -> None:
        self._pieces = [(new if run.new else base, run.first, run.length) for run in runs]
        ends = [0]
        for run in runs:
            ends.append(ends[-1] + run.length)
        self._starts, self._length = ends[:-1], ends[-1]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int, /) -> Item:
        """The item with a number from 0 on."""
        if not 0 <= number < self._length:
            raise IndexError(number)
        at = bisect_right(self._starts, number) - 1
        items, first, _ = self._pieces[at]
        return items[first + number - self._starts[at]]

    def __iter__(self) -> Iterator[Item]:
        return chain.from_iterable(map(items.__getitem__, range(first, first + length)) for items, first, length in self._pieces)


class Rules:
    """Rules by the number that forms name them by: the base's, gone ones too, and the new ones after them."""

    def __init__(self, base: Lookup[RuleRow], new: tuple[RuleRow, ...]) -> None:
        self._base = base
        self._new = new

    def __len__(self) -> int:
        return len(self._base) + len(self._new)

    def __getitem__(self, number: int, /) -> RuleRow:
        """The row of a rule."""
        first = len(self._base)
        return self._base[number] if number < first else self._new[number - first]


# --- words ---------------------------------------------------------------------------------------


class ChangedWords(frozenset[str]):
    """A set of words as another is without copying it: what came is the set's own, what stays is looked up below."""

    _below: frozenset[str]
    _gone: frozenset[str]

    @classmethod
    def over(cls, below: frozenset[str], words: Words) -> ChangedWords:
        """Make one."""
        made = cls(words.came)
        made._below, made._gone = below, frozenset(words.gone)
        return made

    def __contains__(self, word: object) -> bool:
        return frozenset.__contains__(self, word) or (word in self._below and word not in self._gone)

    def __iter__(self) -> Iterator[str]:
        return chain(frozenset.__iter__(self), (word for word in self._below if word not in self._gone))

    def __len__(self) -> int:
        return frozenset.__len__(self) + len(self._below) - len(self._gone)


def changed_words(below: frozenset[str], words: Words) -> frozenset[str]:
    """A set with some words changed; itself if none is."""
    return ChangedWords.over(below, words) if words.came or words.gone else below


class ChangedIndex(dict[Any, list[str]]):
    """An index of words with some of its lists changed."""

    def __init__(self, below: dict[Any, list[str]], changed: dict[Any, list[str]]) -> None:
        super().__init__(changed)
        self._below = below

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401  (as dict's)
        """The words of a key."""
        return self[key] if key in self else self._below.get(key, default)


class ChangedLetters(WordsByLetters):
    """Words by their letters as others are, without those that are gone and with those that came."""

    def __init__(self, below: WordsByLetters, touched: WordsByLetters, gone: frozenset[str]) -> None:
        """`touched` are the words that came; those that are gone may be among them."""
        self._below = below
        self._touched = touched
        self._gone = gone

    def having(self, core: str, one: int, other: int) -> list[str]:
        """The words as long as a core that have its letters at two places, in the order of the alphabet."""
        return sorted({*self._below.having(core, one, other), *self._touched.having(core, one, other)} - self._gone)


def respelled(speller: Speller, spelling: Spelling) -> Speller:
    """A speller that knows some words and phrases more or less; itself if there are none. Only lists that hold the words are made anew."""
    if not any(words.came or words.gone for words in spelling):
        return speller
    below, gone = speller.parts, frozenset(spelling.words.gone)
    touched = Spelled.of(frozenset(spelling.words.came) | gone, below.ordinary)
    vocabulary = changed_words(below.vocabulary, spelling.words)
    return Speller(
        below._replace(
            vocabulary=vocabulary,
            phrases=changed_words(below.phrases, spelling.phrases),
            known=changed_words(below.known, spelling.known),
            partners=joined(below.partners, partners_of(pairs_in(spelling.phrases.came))),  # one that is gone is looked at in vain
            candidates=Candidates(vocabulary, _changed(below.candidates.indexes, touched.candidates.indexes, gone)),
            masked=MaskedWords(
                vocabulary,
                below.ordinary,
                ChangedLetters(below.masked.by_letters, touched.masked.by_letters, gone),
                below.masked.common,
            ),
            deciphered=Decipherer(vocabulary, below.ordinary, sorted({*below.deciphered.words, *touched.deciphered.words} - gone)),
        )
    )


def joined(below: Partners, came: Partners) -> Partners:
    """Partners with those that came."""
    return ChangedIndex(below, {word: [*below.get(word, ()), *others] for word, others in came.items()}) if came else below


def _changed(below: Indexes, touched: Indexes, gone: frozenset[str]) -> Indexes:
    """Indexes with the lists made anew that words which came or are gone stand in."""
    return Indexes(
        *(
            ChangedIndex(index, {key: sorted({*index.get(key, ()), *words} - gone) for key, words in changed.items()})
            for index, changed in zip(below, touched, strict=True)
        )
    )
