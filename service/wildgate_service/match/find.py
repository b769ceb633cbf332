"""Occurrences of forms in the skeleton and its views, as matches in the field as sent."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from wildgate_service.match.bearing import bears, is_sure
from wildgate_service.match.boundaries import Edge, is_bounded, with_number
from wildgate_service.match.by_sound import by_sound
from wildgate_service.match.effort import HITS
from wildgate_service.match.garbled import put_right
from wildgate_service.match.repeated import once
from wildgate_service.match.undisguise import SURELY_MEANT, Undisguise
from wildgate_service.match.views import (
    DOUBTFUL,
    HOMOPHONE,
    MARKS_DROPPED,
    MASKED,
    MISSPELLING,
    MIXED_SCRIPT,
    PINYIN,
    ROMANIZED,
    RUN_TOGETHER,
    SLIP,
    SPLIT_WORD,
)
from wildgate_service.match.written import letters_worth
from wildgate_service.normalize.disguise import EMOJI, disguises_of
from wildgate_service.normalize.layers import BACKWARDS, JOINED_FIELDS, REVERSED, UPSIDE_DOWN
from wildgate_service.normalize.marks import FEWEST_FOREIGN, are_among, fold_with_marks, foreign_letters, has_marks, is_noisy, marks_of
from wildgate_service.types import Level, Match, RuleKind

if TYPE_CHECKING:
    from wildgate_service.match.automaton import Found, Lookup
    from wildgate_service.match.corrected import Corrected
    from wildgate_service.match.effort import Effort
    from wildgate_service.match.tables import CompiledLexicon, Form, Search, Uses
    from wildgate_service.normalize import NormalizedText
    from wildgate_service.normalize.bare import Bare

SURELY = {MISSPELLING: SLIP}
SURE_IF_LONG = frozenset({JOINED_FIELDS, RUN_TOGETHER, SPLIT_WORD})
SURELY_SEEN = 0.8  # of the letters of a long form of several words, which nobody takes for another though the rest is masked
LONG_ROMANIZED, LONG_SPELLED = 12, 10  # letters of a form in Latin letters that is no word of another language: by sound, and to the letter
LONG_HOMOPHONE = 4  # characters of a form that is no other word with one of them misspelled
LATIN_MARKED = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")  # the first letter of a form in Latin letters, with or without marks
SOUNDS = frozenset({MIXED_SCRIPT, PINYIN, ROMANIZED})


Span = tuple[int, int]
Placed = TypeVar("Placed")


class Places(dict[Span, Placed | None], Generic[Placed]):
    """Where spans of another reading of a text stand in it, each asked for once; None where they stand nowhere."""

    def __init__(self, place: Callable[[int, int], Placed | None]) -> None:
        super().__init__()
        self._place = place

    def __missing__(self, span: Span) -> Placed | None:
        self[span] = found = self._place(*span)
        return found


class Occurrence(NamedTuple):
    """A form at a span of the skeleton, and the views that it took to read it."""

    start: int
    end: int
    form: int
    views: tuple[str, ...]


def taxon_occurrences(text: NormalizedText, lexicon: CompiledLexicon, effort: Effort) -> list[Occurrence]:
    """Where species, products and code words occur, plainly, disguised or misspelled; in the order of the text."""
    return _occurrences(text, lexicon, lexicon.taxon_search, effort)


def context_occurrences(text: NormalizedText, lexicon: CompiledLexicon, effort: Effort) -> list[Occurrence]:
    """Where cues and benign contexts occur, in the same ways; in the order of the text."""
    return _occurrences(text, lexicon, lexicon.context_search, effort)


def _occurrences(text: NormalizedText, lexicon: CompiledLexicon, search: Search, effort: Effort) -> list[Occurrence]:
    corrected = search.speller.corrected(text.skeleton, text.tokens)
    undisguise = Undisguise(search.glue, effort)
    found = _read(text, lexicon, search, undisguise, effort)
    found += [Occurrence(*each) for each in by_sound(text.heard, lexicon, search, effort)]
    turned = any(BACKWARDS in edit.views for each in corrected for edit in each.edits)
    for layer, other in (*text.layers, text.backwards) if turned else text.layers:
        if not effort.opens(len(other.document)):
            break
        places = Places(partial(text.from_layer, layer))
        for each in _read(other, lexicon, search, undisguise, effort, places):
            span = places[each[:2]]
            if span and not (layer.name == BACKWARDS and each.views):  # "walk" backwards is no "kiaw"
                found.append(Occurrence(*span, each.form, (layer.name, *each.views)))
    found += _misspelled(text, corrected, lexicon, search, effort)
    return _well_marked(text, lexicon, _unique(_plainest(found))) if found else found


def with_garbled(
    found: list[Occurrence], text: NormalizedText, lexicon: CompiledLexicon, search: Search, effort: Effort
) -> list[Occurrence]:
    """What was found in a garbled text, and what is found in it besides (`garbled`); no innocent phrases, for these must be written."""
    further = [
        each
        for corrected in put_right(text, search.speller)
        for each in _put_right(text.skeleton, corrected, lexicon, search, effort, garbled=True)
        if lexicon.rules[lexicon.forms[each.form].rule].kind is not RuleKind.BENIGN_CONTEXT
    ]
    return _unique(_plainest([*found, *_well_marked(text, lexicon, further)])) if further else found


def _read(
    text: NormalizedText,
    lexicon: CompiledLexicon,
    search: Search,
    undisguise: Undisguise,
    effort: Effort,
    places: Places[Span] | None = None,
) -> list[Occurrence]:
    """Occurrences in the skeleton, of those that are plain only where there is a place for them, and in its bare readings."""
    hits = search.find(text.skeleton)
    if places is not None:
        hits = _behind(hits, search, places, effort)
    found = list(_plain(lexicon, hits, text.skeleton, search.patterns))
    for bare in text.bare:
        if effort.reads(len(bare.text)) and (hits := search.find_bare(bare.text)):
            found += _disguised(bare, hits, lexicon, search, undisguise)
    return found


def taxon_matches(text: NormalizedText, lexicon: CompiledLexicon, found: list[Occurrence]) -> tuple[Match, ...]:
    """The occurrences as matches; those that lie inside a longer one are dropped."""
    return tuple(_outermost(matches_of(text, lexicon, found)))


def _disguised(bare: Bare, hits: Found, lexicon: CompiledLexicon, search: Search, undisguise: Undisguise) -> Iterator[Occurrence]:
    """Occurrences in a bare reading that somebody would read as the form."""
    for first, last, number in undisguise.places(bare, hits):
        for index, pattern in search.bare_patterns[number]:
            form = lexicon.forms[index]
            reading = undisguise.read(bare, first, last, pattern, form)
            if reading:
                views = (*reading.views, form.view) if form.view else reading.views
                yield Occurrence(reading.start, reading.end, index, views)


def _behind(hits: Found, search: Search, places: Places[Placed], effort: Effort) -> Found:
    """Those of the hits in another reading of a text that stand somewhere in it; none if they, or their forms, are too many to look at."""
    if not hits or not effort.allows(len(hits) // HITS):
        return []
    there = [each for each in hits if places[each[:2]]]
    return there if effort.allows(sum(len(search.patterns[number]) for _, _, number in there)) else []


def _plain(lexicon: CompiledLexicon, hits: Iterable[tuple[int, int, int]], text: str, patterns: Lookup[Uses]) -> Iterator[Occurrence]:
    """Occurrences that are words of their own."""
    forms = lexicon.forms
    for start, end, pattern in hits:
        edges, bounded = None, False  # a word has forms of many languages, nearly all with the same edges
        for index in patterns[pattern]:
            form = forms[index]
            if edges != (form.left, form.right):
                edges = form.left, form.right
                bounded = is_bounded(text, start, end, *edges)
            if bounded:
                span = with_number(text, start, end) if form.left is Edge.NUMBER else (start, end)
                yield Occurrence(*span, index, (form.view,) if form.view else ())


def _misspelled(
    text: NormalizedText, readings: list[Corrected], lexicon: CompiledLexicon, search: Search, effort: Effort
) -> Iterator[Occurrence]:
    """Occurrences in the text with what was misspelled, masked, repeated or run together put right."""
    skeleton, pages = text.skeleton, text.pages
    yield from _with_marks_wrong(skeleton, pages, lexicon, search)
    for corrected in readings:
        yield from _put_right(skeleton, corrected, lexicon, search, effort)
    for corrected in once(skeleton, pages):
        yield from _put_right(skeleton, corrected, lexicon, search, effort, _with_marks_wrong(corrected.text, pages, lexicon, search))


def _with_marks_wrong(text: str, pages: bytes, lexicon: CompiledLexicon, search: Search) -> Iterator[Occurrence]:
    """Forms with wrong marks; no innocent phrases, for these must be written: "นางอายุ" is not meant where "นางอาย" stands."""
    for each in search.markless.find(text, pages):
        if lexicon.rules[lexicon.forms[each.form].rule].kind is not RuleKind.BENIGN_CONTEXT:
            yield Occurrence(each.start, each.end, each.form, (SLIP if each.sure else MISSPELLING,))


def _put_right(
    source_text: str,
    corrected: Corrected,
    lexicon: CompiledLexicon,
    search: Search,
    effort: Effort,
    further: Iterable[Occurrence] = (),
    *,
    garbled: bool = False,
) -> Iterator[Occurrence]:
    """Those of a corrected text, plain or `further` ones, that an edit made and that bear it, where they stand in what it was made from."""
    places = Places(corrected.to_source)
    hits = _behind(search.find(corrected.text), search, places, effort)
    plain = _plain(lexicon, hits, corrected.text, search.patterns)
    for each in (*plain, *further):
        source = places[each[:2]]
        if source and bears(lexicon, each, source[2], source_text, garbled=garbled):
            start, end, edits = source
            sure = is_sure(lexicon.forms[each.form], each, edits)
            views = dict.fromkeys((*(SURELY.get(view, view) if sure else view for edit in edits for view in edit.views), *each.views))
            yield Occurrence(start, end, each.form, tuple(views))


def _plainest(found: list[Occurrence]) -> list[Occurrence]:
    """Without those read through a view where another form is written plainly: "rhino horn" is no "Rhinohorn" broken in two."""
    fewest: dict[tuple[int, int], int] = {}
    for each in found:
        fewest[each[:2]] = min(len(each.views), fewest.get(each[:2], len(each.views)))
    found = [each for each in found if len(each.views) == fewest[each[:2]]]
    plain = [each for each in found if not each.views]
    if not plain or len(plain) == len(found):
        return found
    ends: dict[int, int] = {}
    for each in plain:
        ends[each.start] = max(each.end, ends.get(each.start, 0))
    starts = sorted(ends)
    reach = list(accumulate((ends[start] for start in starts), max))  # how far any plain form that begins so early stretches
    return [each for each in found if not each.views or not _is_covered(each, starts, reach)]


def _is_covered(at: Occurrence, starts: list[int], reach: list[int]) -> bool:
    index = bisect_right(starts, at.start) - 1
    return index >= 0 and reach[index] >= at.end


def _unique(found: list[Occurrence]) -> list[Occurrence]:
    """One occurrence per form and place, with the fewest views, in the order of the text."""
    best: dict[tuple[int, int, int], Occurrence] = {}
    for each in found:
        key = each[:3]
        if key not in best or len(each.views) < len(best[key].views):
            best[key] = each
    return sorted(best.values())


def _outermost(found: Iterable[Match]) -> list[Match]:
    """Without those that lie inside a longer one: "leopard tortoise" is no leopard."""
    kept: list[Match] = []
    reach = (-1, -1)
    for each in sorted(found, key=lambda one: (one.skeleton_start, -one.skeleton_end)):
        span = (each.skeleton_start, each.skeleton_end)
        if span[1] <= reach[1] and span != reach:
            continue
        kept.append(each)
        if span[1] > reach[1]:
            reach = span
    return kept


def matches_of(text: NormalizedText, lexicon: CompiledLexicon, found: list[Occurrence]) -> Iterator[Match]:
    """The occurrences as matches in the field as sent."""
    for each in found:
        form = lexicon.forms[each.form]
        field, start, end = text.locate(each.start, each.end)
        surface = text.document[field.start + start : field.start + end]
        views = (*each.views, *disguises_of(surface))
        views = (*views, *(_marks_of(text, lexicon, each) or ()))
        yield _match(lexicon, form, each, views, field.name, start, end, surface)


def _well_marked(text: NormalizedText, lexicon: CompiledLexicon, found: list[Occurrence]) -> list[Occurrence]:
    """Without those whose protected marks are other ones, and those that would need an emoji where there is a word."""
    return [
        each
        for each in found
        if _marks_of(text, lexicon, each) is not None and _has_its_emoji(text, lexicon, each) and _is_in_letters(text, lexicon, each)
    ]


def _has_its_emoji(text: NormalizedText, lexicon: CompiledLexicon, at: Occurrence) -> bool:
    """Whether a form spelled with an emoji has one there: "🦏 Horn" is German, "rhino horn" is not, though both fold alike."""
    if lexicon.forms[at.form].view != EMOJI:
        return True
    field, start, end = text.locate(at.start, at.end)
    return EMOJI in disguises_of(text.document[field.start + start : field.start + end])


def _is_in_letters(text: NormalizedText, lexicon: CompiledLexicon, at: Occurrence) -> bool:
    """Whether a form of another script is written in Latin letters of no language: neither in emoji nor with the marks of one."""
    if SOUNDS.isdisjoint(at.views) or LATIN_MARKED.match(lexicon.forms[at.form].form):
        return True
    field, start, end = text.locate(at.start, at.end)
    surface = text.document[field.start + start : field.start + end]
    return EMOJI not in disguises_of(surface) and not has_marks(surface)


def _marks_of(text: NormalizedText, lexicon: CompiledLexicon, at: Occurrence) -> tuple[str, ...] | None:
    """() if an occurrence bears the form's protected marks, the view if its whole field bears none, None if they are other marks."""
    form = lexicon.forms[at.form]
    if not form.marked:
        return ()
    field, start, end = text.locate(at.start, at.end)
    surface = text.shown(at.start, at.end)
    disguised = bool(at.views or disguises_of(text.document[field.start + start : field.start + end]))
    if is_noisy(surface) or foreign_letters(surface) >= FEWEST_FOREIGN:
        return (MARKS_DROPPED,)
    if disguised:
        marks, expected = marks_of(surface), marks_of(form.marked)
        if not {BACKWARDS, REVERSED, UPSIDE_DOWN}.isdisjoint(at.views):
            return () if set(marks) <= set(expected) else None
        return () if are_among(marks, expected) else None
    written = fold_with_marks(surface)
    if written == form.marked or (not has_marks(form.marked) and not has_marks(written)):
        return ()
    return None if field.name in text.marked_fields else (MARKS_DROPPED,)


def _doubtful(form: Form, surface: str) -> frozenset[str]:
    """The views in which mistakes are made with this form, so written: fewer where both are long."""
    views, seen = DOUBTFUL, sum(map(str.isalpha, surface))
    if letters_worth(form.form) >= SURELY_MEANT:
        views -= SURE_IF_LONG
        if " " in form.form and seen >= SURELY_SEEN * sum(map(str.isalpha, form.form)):
            views -= {MASKED}
    if len(form.form) >= LONG_HOMOPHONE:
        views -= {HOMOPHONE}
    return views - {PINYIN, ROMANIZED} if seen >= (LONG_SPELLED if form.view else LONG_ROMANIZED) else views


def _match(
    lexicon: CompiledLexicon,
    form: Form,
    at: Occurrence,
    views: tuple[str, ...],
    field: str,
    start: int,
    end: int,
    surface: str,
) -> Match:
    rule = lexicon.rules[form.rule]
    doubtful = form.level is Level.ALONE and not _doubtful(form, surface).isdisjoint(views)
    return Match(
        rule_id=rule.id,
        kind=rule.kind,
        level=Level.WITH_COMPANY if doubtful else form.level,
        language=rule.language,
        form=form.form,
        gloss=form.gloss,
        surface=surface,
        field=field,
        start=start,
        end=end,
        skeleton_start=at.start,
        skeleton_end=at.end,
        views=tuple(dict.fromkeys(views)),
        taxa=form.taxa or rule.taxa,
        groups=lexicon.groups_of(form.taxa) if form.taxa else rule.groups,
        cue_type=rule.cue_type,
        sourced=form.sourced or rule.reviewed,
        restricted=rule.restricted,
    )
