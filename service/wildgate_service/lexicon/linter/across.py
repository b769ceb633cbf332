"""Checks that need all rules at once."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from rapidfuzz.distance import OSA

from wildgate_service.lexicon.linter.by_form import duplicate_key, folded
from wildgate_service.lexicon.linter.finding import Finding
from wildgate_service.lexicon.rules import Entry, Reach, Rule
from wildgate_service.match.candidates import one_deletion
from wildgate_service.match.tables import EVERY_GROUP, TaxonRow
from wildgate_service.normalize import fold
from wildgate_service.types import TAXON_KINDS, RuleKind

WORD = re.compile(r"[^\W\d_]+")
ORDINARY = "an ordinary word of the examples"


class _Place(Struct, frozen=True):
    rule: Rule
    entry: Entry

    @property
    def taxa(self) -> frozenset[str]:
        return frozenset(self.entry.taxa or self.rule.taxa)

    def finding(self, code: str, message: str, hint: str) -> Finding:
        return Finding(self.rule.file, self.entry.line, code, f"{self.rule.id}: form {self.entry.form!r} {message}", hint)


def across_rules(rules: Sequence[Rule], taxa: Mapping[str, TaxonRow] | None = None) -> list[Finding]:
    """Findings about rules beside one another; without `taxa` no group is known."""
    living = [rule for rule in rules if rule.status != "deprecated"]
    places = [_Place(rule, entry) for rule in living for entry in rule.entries]
    return [
        *_duplicate_ids(rules),
        *_deprecated_named(rules),
        *_levels_differ(places),
        *_never_counts(places, taxa or {}),
        *_fuzzy_near(places, living),
    ]


def _duplicate_ids(rules: Iterable[Rule]) -> Iterator[Finding]:
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.id, rule)
        if other is not rule:
            message = f"{rule.id}: id stands already at {other.file}:{other.line}"
            yield Finding(rule.file, rule.line, "LEX003", message, "ids are unique and never reused")


def _deprecated_named(rules: Iterable[Rule]) -> Iterator[Finding]:
    deprecated = {rule.id for rule in rules if rule.status == "deprecated"}
    for rule in rules if deprecated else ():
        if rule.id in deprecated:
            continue
        texts = (rule.title, rule.description, *rule.falsepositives, *rule.references, *(entry.gloss for entry in rule.entries))
        for named in sorted({word for text in texts for word in re.findall(r"[a-z0-9-]+", text)} & deprecated):
            yield Finding(rule.file, rule.line, "LEX029", f"{rule.id}: names the deprecated rule {named}", "name the rule that replaced it")


def _levels_differ(places: Iterable[_Place]) -> Iterator[Finding]:
    """One form, one kind and one taxon, but two levels: the stronger wins, and the weaker was somebody's decision."""
    by_form: dict[tuple[str, str, str, RuleKind], list[_Place]] = defaultdict(list)
    for place in places:
        if place.rule.kind in TAXON_KINDS:
            key = (place.rule.language, duplicate_key(place.rule, place.entry), place.entry.match, place.rule.kind)
            by_form[key].append(place)
    for same in by_form.values():
        first = same[0]
        for place in same[1:]:
            if place.rule is not first.rule and place.taxa & first.taxa and _level(place) != _level(first):
                message = f"is {_level(place)} here and {_level(first)} in {first.rule.id} ({first.rule.file}:{first.entry.line})"
                yield place.finding("LEX022", message, "give it one level, or keep it in one rule")


def _level(place: _Place) -> str:
    return place.rule.level_of(place.entry).value


def _never_counts(places: Sequence[_Place], taxa: Mapping[str, TaxonRow]) -> Iterator[Finding]:
    """A context with exactly the form of a taxon rule lies over every place where that fires."""
    fires: dict[tuple[str, str], list[_Place]] = defaultdict(list)
    for place in places:
        if place.rule.kind in TAXON_KINDS:
            fires[folded(place.entry), place.entry.match].append(place)
    for place in places:
        for canceled in fires.get((folded(place.entry), place.entry.match), ()) if place.rule.cancels else ():
            if _is_same_form(place, canceled) and _speaks_of(place.rule.cancels, canceled, taxa):
                message = f"is also that of {canceled.rule.id} ({canceled.rule.file}:{canceled.entry.line}), which it cancels everywhere"
                yield place.finding("LEX031", message, "remove one of the two, or make the context's form longer")


def _is_same_form(place: _Place, other: _Place) -> bool:
    """Of forms that fold alike, those with protected marks are the same only with the same marks."""
    protected = any(each.rule.protects_marks(each.entry) for each in (place, other))
    return not protected or unicodedata.normalize("NFC", place.entry.form) == unicodedata.normalize("NFC", other.entry.form)


def _speaks_of(reach: Reach | None, place: _Place, taxa: Mapping[str, TaxonRow]) -> bool:
    """Whether a context speaks of a group of the rule's, as the matcher asks it."""
    groups = {taxa[taxon].group for taxon in place.rule.taxa if taxon in taxa}
    return reach is not None and (EVERY_GROUP in reach.groups or not groups.isdisjoint(reach.groups))


def _fuzzy_near(places: Sequence[_Place], rules: Iterable[Rule]) -> Iterator[Finding]:
    """A fuzzy form one typo from another word would read that word as itself misspelled."""
    fuzzy = [place for place in places if place.entry.fuzzy]
    if not fuzzy:
        return
    words = _index([*_forms(places), *_ordinary_words(rules)])
    for place in fuzzy:
        mine = folded(place.entry)
        keys = {mine, *one_deletion(mine)}
        near = {word: what for key in keys for word, what in words.get(key, {}).items() if _is_another(place, word, what)}
        for word, what in sorted(near.items(), key=lambda found: found[0])[:1]:
            said = ORDINARY if what is None else f"a form of {what.rule.id}"
            yield place.finding("LEX012", f"is fuzzy and one typo from {word!r}, {said}", "remove fuzzy; list the misspellings you know")


def _is_another(place: _Place, word: str, other: _Place | None) -> bool:
    """Whether a word near a fuzzy form means something else: another rule's form of other taxa or kind, or an ordinary word."""
    if OSA.distance(folded(place.entry), word) != 1:
        return False
    return other is None or not (place.taxa & other.taxa)


def _forms(places: Iterable[_Place]) -> Iterator[tuple[str, _Place | None]]:
    yield from ((folded(place.entry), place) for place in places)


def _ordinary_words(rules: Iterable[Rule]) -> Iterator[tuple[str, _Place | None]]:
    """Words of the texts that must not fire: the innocent words that somebody thought of."""
    yield from ((word, None) for rule in rules for text in rule.examples.no_match for word in WORD.findall(fold(text)))


def _index(words: Iterable[tuple[str, _Place | None]]) -> dict[str, dict[str, _Place | None]]:
    """Each word and each with one letter left out → the words, with the form each is; a form goes before an ordinary word."""
    index: dict[str, dict[str, _Place | None]] = defaultdict(dict)
    for word, place in words:
        if " " not in word:
            for key in {word, *one_deletion(word)}:
                index[key].setdefault(word, place)
    return index
