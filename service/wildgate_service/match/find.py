"""Occurrences of forms in the skeleton and its views, as matches in the field as sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz.distance import OSA

from wildgate_service.match.boundaries import Edge, is_bounded, with_number
from wildgate_service.match.tables import one_deletion
from wildgate_service.normalize.disguise import disguises_of
from wildgate_service.normalize.fold import FIELD_SEPARATOR
from wildgate_service.normalize.marks import fold_with_marks, has_marks
from wildgate_service.normalize.views import trace
from wildgate_service.types import Level, Match

if TYPE_CHECKING:
    from wildgate_service.match.tables import CompiledLexicon, Form
    from wildgate_service.normalize import NormalizedText
    from wildgate_service.types import View

LONG_WORD = re.compile(r"[^\W\d_]{6,24}")
WHOLE_WORD = re.compile(rf"(?<![^\W_]){LONG_WORD.pattern}(?![^\W_])")
SHORTEST = 6
LONGEST_REMEMBERED = 32
MOST_REMEMBERED = 100_000
MISSPELLING = "misspelling"
MARKS_DROPPED = "marks_dropped"
JOINED_FIELDS = "joined_fields"


class Occurrence(NamedTuple):
    """A form at a span of the skeleton, and the views that it took to read it."""

    start: int
    end: int
    form: int
    views: tuple[str, ...]


def taxon_occurrences(text: NormalizedText, lexicon: CompiledLexicon) -> list[Occurrence]:
    """Where species, products and code words occur, in the skeleton, its views, misspelled and across fields; in the order of the text."""
    skeleton = text.skeleton
    patterns = lexicon.tables.taxon_patterns
    found = [*_plain(lexicon, lexicon.find_taxa(skeleton), skeleton, patterns), *_misspelled(skeleton, lexicon)]
    for view in text.views:
        found += _in_view(lexicon, view, lexicon.find_taxa(view.text), patterns)
    if FIELD_SEPARATOR in skeleton:
        found += _across_fields(skeleton, lexicon)
    return _well_marked(text, lexicon, _unique(found))


def context_occurrences(text: NormalizedText, lexicon: CompiledLexicon) -> list[Occurrence]:
    """Where cues and benign contexts occur, in the skeleton and its views; in the order of the text."""
    patterns = lexicon.tables.context_patterns
    found = list(_plain(lexicon, lexicon.find_contexts(text.skeleton), text.skeleton, patterns))
    for view in text.views:
        found += _in_view(lexicon, view, lexicon.find_contexts(view.text), patterns)
    return _well_marked(text, lexicon, _unique(found))


def taxon_matches(text: NormalizedText, lexicon: CompiledLexicon, found: list[Occurrence]) -> tuple[Match, ...]:
    """The occurrences as matches; those that lie inside a longer one are dropped."""
    return tuple(_outermost(matches_of(text, lexicon, found)))


def _in_view(
    lexicon: CompiledLexicon, view: View, hits: Iterable[tuple[int, int, int]], patterns: tuple[tuple[int, ...], ...]
) -> Iterator[Occurrence]:
    """Occurrences that only a view shows, at their place in the skeleton."""
    for occurrence in _plain(lexicon, hits, view.text, patterns):
        start, end, names = trace(view, occurrence.start, occurrence.end)
        if names:
            yield Occurrence(start, end, occurrence.form, (*names, *occurrence.views))


def _plain(
    lexicon: CompiledLexicon, hits: Iterable[tuple[int, int, int]], text: str, patterns: tuple[tuple[int, ...], ...]
) -> Iterator[Occurrence]:
    """Occurrences that are words of their own."""
    forms = lexicon.forms
    for start, end, pattern in hits:
        for index in patterns[pattern]:
            form = forms[index]
            if is_bounded(text, start, end, form.left, form.right):
                span = with_number(text, start, end) if form.left is Edge.NUMBER else (start, end)
                yield Occurrence(*span, index, (form.view,) if form.view else ())


def _misspelled(skeleton: str, lexicon: CompiledLexicon) -> Iterator[Occurrence]:
    """Words one edit away from a form that bears it (insertion, deletion, substitution, transposition; OSA distance 1)."""
    memo = lexicon.misspellings
    forms: dict[str, str] = {}
    for token in skeleton.split():
        if len(token) < SHORTEST:
            continue
        meant = memo.get(token)
        if meant is None:
            meant = _remember(token, lexicon)
        if meant:
            forms.update(meant)
    for found in WHOLE_WORD.finditer(skeleton) if forms else ():  # once for all, or many misspellings cost the square of their number
        for index in lexicon.tables.fuzzy.get(forms.get(found[0], ""), ()):
            yield Occurrence(found.start(), found.end(), index, (MISSPELLING,))


def _remember(token: str, lexicon: CompiledLexicon) -> tuple[tuple[str, str], ...]:
    """(word, the fuzzy form it misspells) for the words in a token between blanks.

    Short tokens are kept in a memo that is emptied when full, so that no text can make it grow.
    """
    meant = tuple((word, form) for word in LONG_WORD.findall(token) if (form := _form_meant(word, lexicon)))
    memo = lexicon.misspellings
    if len(token) <= LONGEST_REMEMBERED:
        if len(memo) >= MOST_REMEMBERED:
            memo.clear()
        memo[token] = meant
    return meant


def _form_meant(word: str, lexicon: CompiledLexicon) -> str:
    """The fuzzy form one edit from a word, or "" if there is none or the word is itself one."""
    if word in lexicon.tables.fuzzy:
        return ""
    deletions = lexicon.deletions
    for key in (word, *one_deletion(word)):
        for form in deletions.get(key, ()):
            if OSA.distance(word, form, score_cutoff=1) == 1:
                return form
    return ""


def _across_fields(skeleton: str, lexicon: CompiledLexicon) -> Iterator[Occurrence]:
    """A word split between the end of one field and the beginning of the next."""
    at = skeleton.find(FIELD_SEPARATOR)
    while at >= 0:
        before, after = skeleton[max(0, at - 24) : at], skeleton[at + 1 : at + 25]
        left, right = re.search(r"[^\W_]+$", before), re.match(r"[^\W_]+", after)
        if left and right:
            word = left[0] + right[0]
            seam = len(left[0])
            for hit in _plain(lexicon, lexicon.find_taxa(word), word, lexicon.tables.taxon_patterns):
                if hit.start < seam < hit.end and hit.end - hit.start > 3:  # noqa: PLR2004  (shorter ones are accidents)
                    start = at - seam + hit.start
                    yield Occurrence(start, at + 1 + hit.end - seam, hit.form, (JOINED_FIELDS,))
        at = skeleton.find(FIELD_SEPARATOR, at + 1)


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
    """Without those whose protected marks are other ones."""
    return [each for each in found if _marks_of(text, lexicon, each) is not None]


def _marks_of(text: NormalizedText, lexicon: CompiledLexicon, at: Occurrence) -> tuple[str, ...] | None:
    """() if an occurrence bears the form's protected marks, the view if its whole field bears none, None if they are other marks."""
    form = lexicon.forms[at.form]
    if not form.marked or at.views:
        return ()
    field, start, end = text.locate(at.start, at.end)
    written = fold_with_marks(text.document[field.start + start : field.start + end])
    if written == form.marked or (not has_marks(form.marked) and not has_marks(written)):
        return ()
    return None if field.name in text.marked_fields else (MARKS_DROPPED,)


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
    doubtful = form.level is Level.ALONE and MARKS_DROPPED in views  # bare of its marks it may be another word
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
