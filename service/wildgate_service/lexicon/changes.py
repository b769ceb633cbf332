"""Changes: what a lexicon differs in from one that is served, as a delta that can be laid over it.

An object that came, or whose rules are of other groups now, is new as a whole; one that is gone is gone as a whole. That costs what the
changed rules cost, however large the rest is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from wildgate_service.lexicon.gathering import Placed
from wildgate_service.lexicon.linking import (
    BarePatterns,
    Patterns,
    Sources,
    bare_uses_of,
    check_ids,
    in_order,
    languages_of,
    linked_objects,
    rows_of,
    union,
    uses_of,
)
from wildgate_service.lexicon.objects import Sealed
from wildgate_service.match.automaton import build_automaton
from wildgate_service.match.overlay import AddedBarePatterns, AddedPatterns, Delta, Run, Words
from wildgate_service.match.tables import RuleRow, Tables, by_word, known_words, words_of_phrases

LARGEST_SHARE = 0.1  # of the base's forms that may come and go; with more, reading and searching two layers costs more than it saves
KNOWN = 5  # which of the sets of words, the last, those are that may be run together: the common ones whatever the rules say
FEWEST_FORMS = 1_000  # that may come and go in any case


Shared = TypeVar("Shared")


class Part(NamedTuple):
    """An object of the base, where its rules and forms begin, and its rules' rows."""

    object: Sealed
    first_rule: int
    first_form: int
    rows: tuple[RuleRow, ...]


class Base:
    """A lexicon that is served, as what later ones are held against."""

    def __init__(self, tables: Tables, objects: Sequence[Sealed], sources: Sources) -> None:
        """`sources` are what it is held against next: words that it has in common with them are held once, and compared at once."""
        self.digest = tables.digest
        self.keys = tables.manifest
        self.taxa = tables.taxa
        self.ordinary = _one(sources.ordinary, by_word(tables.ordinary))
        self.homographs = _one(sources.homographs, by_word(tables.homographs))
        self.common = _one(sources.common, frozenset(tables.common))
        self.rules, self.forms = len(tables.rules), sum(each.forms for each in objects)
        words = (tables.taxon_words, tables.context_words, tables.taxon_phrases, tables.context_phrases, tables.glue)
        self.words = (*map(frozenset, words), known_words(tables))
        self.parts = dict(zip(self.keys, _parts(objects, tables.rules), strict=True))

    def holds(self, key: str, rows: tuple[RuleRow, ...]) -> bool:
        """Whether an object is in it, with these rows."""
        return key in self.parts and self.parts[key].rows == rows

    def is_exceeded_by(self, came: Iterable[Sealed], gone: Iterable[Sealed]) -> bool:
        """Whether so many objects that came and went are too much to lay over it."""
        changed = sum(each.forms for each in (*came, *gone))
        return changed > max(FEWEST_FORMS, LARGEST_SHARE * self.forms)


def _one(theirs: Shared, ours: Shared) -> Shared:
    """Theirs if both are alike, else ours."""
    return theirs if theirs == ours else ours


def _parts(objects: Iterable[Sealed], rules: tuple[RuleRow, ...]) -> Iterator[Part]:
    rule = form = 0
    for each in objects:
        yield Part(each, rule, form, rules[rule : rule + len(each.heads)])
        rule += len(each.heads)
        form += each.forms


def delta_of(base: Base, sources: Sources, digest: str) -> Delta | None:
    """What makes a lexicon of a base; None if that is too much.

    Raises LexiconError with file and line for an id that stands twice or a taxon that nobody knows.
    """
    check_ids(sources.placed)
    rows = [rows_of(each, sources.taxa) for each in sources.placed]
    kept = {each.key for each, wanted in zip(sources.placed, rows, strict=True) if base.holds(each.key, wanted)}
    came = [each.object for each in sources.placed if each.key not in kept]
    gone = [part for key, part in base.parts.items() if key not in kept]
    other_words = (sources.ordinary, sources.common, sources.homographs) != (base.ordinary, base.common, base.homographs)
    if other_words or base.is_exceeded_by(came, [part.object for part in gone]):
        return None
    new_rows = [wanted for each, wanted in zip(sources.placed, rows, strict=True) if each.key not in kept]
    linked = linked_objects(came, new_rows, sources.ordinary, base.rules)
    now = [each.object for each in sources.placed]
    words = _words(base, came, [part.object for part in gone], now)
    return Delta(
        base=base.digest,
        digest=digest,
        version=sources.version,
        languages=languages_of(now),
        runs=tuple(_joined(_runs(base, sources.placed, kept))),
        rules=linked.rules,
        gone_rules=tuple(row.id for part in gone for row in part.rows),
        forms=tuple(linked.forms),
        taxon_patterns=_added(linked.taxon_patterns),
        context_patterns=_added(linked.context_patterns),
        bare_taxon_patterns=_added_bare(linked.bare_taxon_patterns),
        bare_context_patterns=_added_bare(linked.bare_context_patterns),
        sound_taxon_patterns=_added_bare(linked.sound_taxon_patterns),
        sound_context_patterns=_added_bare(linked.sound_context_patterns),
        taxa={key: row for key, row in sources.taxa.items() if base.taxa.get(key) != row},
        gone_taxa=tuple(base.taxa.keys() - sources.taxa.keys()),
        unions=sources.unions,
        taxon_words=words[0],
        context_words=words[1],
        taxon_phrases=words[2],
        context_phrases=words[3],
        glue=words[4],
        known=words[5],
    )


def _runs(base: Base, placed: Sequence[Placed], kept: set[str]) -> Iterator[Run]:
    new = 0
    for each in placed:
        length = each.object.forms
        if each.key in kept:
            yield Run(base.parts[each.key].first_form, length, new=False)
        else:
            yield Run(new, length, new=True)
            new += length


def _joined(runs: Iterable[Run]) -> Iterator[Run]:
    """The same with as few runs as possible, none of them empty."""
    last: Run | None = None
    for run in runs:
        if last and last.new is run.new and last.first + last.length == run.first:
            last = Run(last.first, last.length + run.length, run.new)
            continue
        if last and last.length:
            yield last
        last = run
    if last and last.length:
        yield last


def _words(base: Base, came: Sequence[Sealed], gone: Sequence[Sealed], now: Sequence[Sealed]) -> list[Words]:
    """The words of each of the base's sets that came and that are gone: a word that another object has stays."""
    new, lost = _all_sets(came), _all_sets(gone)
    lost[KNOWN] -= base.common
    for each in now:
        if not any(lost):
            break
        lost = [words - kept if words else words for words, kept in zip(lost, _sets(each), strict=True)]
    return [Words(in_order(words - had), in_order(gone)) for words, had, gone in zip(new, base.words, lost, strict=True)]


def _all_sets(objects: Sequence[Sealed]) -> list[frozenset[str]]:
    return list(map(union, zip(*map(_sets, objects), strict=True))) or [frozenset()] * (KNOWN + 1)


def _sets(each: Sealed) -> tuple[frozenset[str], ...]:
    """The sets of words of an object, in the order of `Base.words`."""
    all_words = each.all_words()
    words, phrases = all_words.words, all_words.phrases
    return *words, *phrases, all_words.glue, frozenset(union(words) | words_of_phrases(union(phrases)))


def _added(patterns: Patterns) -> AddedPatterns:
    return AddedPatterns(uses_of(patterns), build_automaton(tuple(patterns)) if patterns else b"")


def _added_bare(patterns: BarePatterns) -> AddedBarePatterns:
    return AddedBarePatterns(bare_uses_of(patterns), build_automaton(tuple(patterns)) if patterns else b"")
