"""Sheet 7: complaints, disputes before bodies outside the courts, and suspensions for misuse.

Counted are those received in the period, as they stood at its end. The law says "upheld" of the platform's decision; outcomes say it of the
complaint, so one is the other's opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wildgate_service.annex1.about import Family
from wildgate_service.annex1.facts import Facts, reversed_in_part_or_whole
from wildgate_service.annex1.matters import UNDER_ARTICLE_16, Matter, median_hours
from wildgate_service.annex1.quality import DECIMALS
from wildgate_service.annex1.template import APPEALS, Cell, Row, template
from wildgate_service.outcomes import Misuse, NoticeSource, OutcomeKind

ALL = "Total number"
UPHELD, IN_PART, REVERSED = "Decisions upheld", "Decisions partially reversed", "Decisions reversed"
MEDIAN, OMITTED, IMPLEMENTED = "Median time", "Decision omitted", "Percentage of outcomes implemented"

COMPLAINTS = "Number of complaints submitted to the internal-complaints mechanism"
NEWLY_IMPOSED = "Number of restrictions newly imposed as a result of an internal complaint"
ABOUT = "Complaint regarding a decision"
# Article 20(1)(a) to (d), in this order: a complaint about several restrictions counts in the first.
ABOUT_RESTRICTION = {
    "visibility_": f"{ABOUT} to remove or disable access to or restrict visibility of information",
    "provision_": f"{ABOUT} to suspend or terminate the provision of the service",
    "account_": f"{ABOUT} to suspend or terminate an account",
    "monetary_": f"{ABOUT} to restrict the ability to monetise information",
}
NO_ACTION = f"{ABOUT} not to take action on a notice submitted in accordance with Article 16"
NO_ACTION_FLAGGED = f"{ABOUT} not to take action on a notice submitted by a Trusted Flagger in accordance with Article 16"
DISPUTES = "Number of disputes submitted to out-of-court dispute settlement bodies"
SUSPENSIONS = {
    "Number of suspensions enacted for the provision of manifestly illegal content": Misuse.ILLEGAL_CONTENT,
    "Number of suspensions enacted for the provision of manifestly unfounded notices": Misuse.UNFOUNDED_NOTICES,
    "Number of suspensions enacted for the provision of manifestly unfounded complaints": Misuse.UNFOUNDED_COMPLAINTS,
}

Figures = dict[tuple[str, str], tuple[Cell, str]]  # (indicator, scope): (value, contextual information)


def appeals(facts: Facts) -> list[Row]:
    """The rows of the sheet, in the official order."""
    figures: Figures = {}
    if facts.knows(Family.COMPLAINTS):
        figures |= _complaints(facts)
    if facts.knows(Family.DISPUTES):
        figures |= {(DISPUTES, scope): (value, "") for scope, value in _disputes(facts.disputes)}
    if facts.knows(Family.SUSPENSIONS):
        for indicator, misuse in SUSPENSIONS.items():
            figures[indicator, ALL] = (sum(measure.misuse is misuse for measure in facts.suspensions), "")
    return filled(facts, APPEALS, figures)


def filled(facts: Facts, name: str, figures: Figures) -> list[Row]:
    """The official rows of a sheet of indicators with their values, blank where there is none or the row does not apply."""
    rows: list[Row] = []
    for row in template()[name].rows:
        applicability, _, _, section, indicator, scope, *_ = map(str, row)
        known = figures.get((indicator.strip(), scope.strip())) if facts.applies(applicability) else None
        rows.append((applicability, facts.about.service, facts.period, section, indicator, scope, *(known or ("", ""))))
    return rows


def _complaints(facts: Facts) -> Figures:
    figures: Figures = {(COMPLAINTS, scope): (value, "") for scope, value in _decided(facts.complaints)}
    unclear = 0
    about: dict[str, list[Matter]] = {indicator: [] for indicator in (*ABOUT_RESTRICTION.values(), NO_ACTION, NO_ACTION_FLAGGED)}
    for complaint in facts.complaints:
        indicators = list(_about(complaint))
        unclear += not indicators
        for indicator in indicators:
            about[indicator].append(complaint)
    for indicator, complaints in about.items():
        figures |= {(indicator, scope): (value, "") for scope, value in _decided(complaints)}
    if unclear:
        note = f"{unclear} about a decision that was not recorded, or without a stated restriction: in none of the rows by decision."
        figures[COMPLAINTS, ALL] = (len(facts.complaints), note)
    figures[NEWLY_IMPOSED, ALL] = (_newly_imposed(facts), "")
    return figures


def _about(complaint: Matter) -> Iterator[str]:
    """The row by decision; two for a notice of a trusted flagger that was not acted on, which is a notice under Article 16 too."""
    names = [indicator for family, indicator in ABOUT_RESTRICTION.items() if any(each.value.startswith(family) for each in complaint.about)]
    yield from names[:1]
    if not complaint.acted and complaint.source in UNDER_ARTICLE_16:
        yield NO_ACTION
        if complaint.source is NoticeSource.TRUSTED_FLAGGER:
            yield NO_ACTION_FLAGGED


def _newly_imposed(facts: Facts) -> int:
    """Measures that followed a complaint which had success and was about nothing having been done."""
    imposed = {
        (measure.tenant, measure.outcome_id)
        for complaint in facts.complaints
        if not complaint.acted and reversed_in_part_or_whole(complaint)
        for measure in facts.actions.after(complaint)
    }
    return len(imposed)


def _decided(of: Sequence[Matter]) -> Iterator[tuple[str, Cell]]:
    """How many there were, how they ended, and how long it took."""
    counted: Callable[[str], int] = lambda end: sum(matter.ended is OutcomeKind(f"{matter.family}_{end}") for matter in of)  # noqa: E731
    yield ALL, len(of)
    yield UPHELD, counted("rejected")
    yield IN_PART, counted("partly_upheld")
    yield REVERSED, counted("upheld")
    yield MEDIAN, median_hours(matter.hours_to_end for matter in of if matter.ended is not OutcomeKind.DISPUTE_ENDED)


def _disputes(of: Sequence[Matter]) -> Iterator[tuple[str, Cell]]:
    yield from _decided(of)
    yield OMITTED, sum(matter.ended is OutcomeKind.DISPUTE_ENDED for matter in of)
    lost = [matter for matter in of if reversed_in_part_or_whole(matter)]
    if lost:
        yield IMPLEMENTED, round(sum(matter.implemented for matter in lost) / len(lost), DECIMALS)
