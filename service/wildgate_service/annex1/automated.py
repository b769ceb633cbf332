"""Sheet 8: measures and notices by whether software alone took or processed them, and how good the software is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wildgate_service.annex1.about import Family
from wildgate_service.annex1.facts import Facts, own_initiative
from wildgate_service.annex1.matters import Matter
from wildgate_service.annex1.quality import NOTICES, OWN_INITIATIVE, RECALL, TOTAL, TRUSTED_FLAGGERS, Quality
from wildgate_service.annex1.template import AUTOMATED, Cell, Row, places, template
from wildgate_service.measures import Measure
from wildgate_service.outcomes import Means, NoticeSource

SOLELY, NOT = "Number of measures solely taken by automated means", "Number of measures not taken by automated means"
NOTICES_SOLELY = "Number of notices solely processed by automated means"
NOTICES_NOT = "Number of notices not processed by automated means"
ACCURACY_OF = "Accuracy of the automated means - "
UNMEASURED = "Not measured: no sample of this scope was judged in the period."
UNMEASURED_RECALL = "Not measured: it needs a random sample of published listings that moderators judge; notices are no such sample."

Counts = dict[tuple[str, str], tuple[Cell, str]]


def automated(facts: Facts) -> list[Row]:
    """The official rows with their figures, one for each classifier, and every language by itself."""
    counts = _counts(facts)
    quality = _by_row(facts.quality)
    rows: list[Row] = []
    for applicability, section, indicator, scope in _official():
        start = (applicability, facts.about.service, facts.period, section, indicator, scope)
        key = indicator.strip(), scope.strip()
        required = facts.applies(applicability)
        figures: Iterable[tuple[Cell, str]] = [("", "")]
        if required or (facts.about.languages and scope in places().languages):
            figures = _figures(key, counts, quality, required=required)
        rows += [(*start, value, context) for value, context in figures]
    return rows


def _official() -> Iterator[tuple[str, str, str, str]]:
    """(applicability, section, indicator, scope) of each row; the rows `bg [..] sv` for each indicator and language."""
    kept, of_languages = [], {}
    for applicability, _, _, section, indicator, scope, *_ in ((str(cell) for cell in row) for row in template()[AUTOMATED].rows):
        if applicability == "Only for VLOPs":
            of_languages[indicator] = (applicability, section, indicator)
        else:
            kept.append((applicability, section, indicator, scope))
    yield from kept
    for row in of_languages.values():
        yield from ((*row, language) for language in places().languages)


def _figures(
    key: tuple[str, str], counts: Counts, quality: dict[tuple[str, str], list[Quality]], *, required: bool
) -> Iterable[tuple[Cell, str]]:
    if not key[0].startswith(ACCURACY_OF):
        return [counts.get(key, ("", ""))]
    if key in quality:
        return [("" if each.value is None else each.value, each.context) for each in quality[key]]
    if not required:
        return [("", "")]
    return [("", UNMEASURED_RECALL if key[0].endswith(RECALL) else UNMEASURED)]


def _by_row(quality: Sequence[Quality]) -> dict[tuple[str, str], list[Quality]]:
    found: dict[tuple[str, str], list[Quality]] = {}
    for each in quality:
        found.setdefault((f"{ACCURACY_OF}{each.measure}", each.scope), []).append(each)
    return found


def _counts(facts: Facts) -> Counts:
    counts: Counts = {}
    if facts.knows(Family.MEASURES):
        counts |= _of_measures(TOTAL, facts.measures)
        counts |= _of_measures(OWN_INITIATIVE, [measure for measure in facts.measures if own_initiative(measure)])
        for language in places().languages:
            counts |= _of_measures(language, [each for each in facts.measures if each.subject.language.partition("-")[0] == language])
    if facts.knows(Family.NOTICES):
        counts |= _of_notices(NOTICES, facts.notices)
        counts |= _of_notices(TRUSTED_FLAGGERS, [notice for notice in facts.notices if notice.source is NoticeSource.TRUSTED_FLAGGER])
    return counts


def _of_measures(scope: str, measures: Sequence[Measure]) -> Counts:
    by_person = [measure for measure in measures if measure.means is Means.MODERATOR]
    unsaid = sum(measure.means is Means.UNKNOWN for measure in measures)
    found = sum(measure.found_by_software for measure in by_person)
    about_persons = f"{found} of them on listings that software had found." if found else ""
    return {
        (SOLELY, scope): (sum(measure.means is Means.AUTOMATED for measure in measures), _unsaid(unsaid, "measures")),
        (NOT, scope): (len(by_person), about_persons),
    }


def _of_notices(scope: str, notices: Sequence[Matter]) -> Counts:
    ended = [notice for notice in notices if notice.ended]
    unsaid = sum(notice.means is Means.UNKNOWN for notice in ended)
    return {
        (NOTICES_SOLELY, scope): (sum(notice.means is Means.AUTOMATED for notice in ended), _unsaid(unsaid, "notices")),
        (NOTICES_NOT, scope): (sum(notice.means is Means.MODERATOR for notice in ended), ""),
    }


def _unsaid(number: int, of: str) -> str:
    return f"Of {number} more {of} it was not said who took or processed them: in neither row." if number else ""
