"""Words: descriptions of KEYWORD_OTHER rows, contextual information, texts, dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from wildgate_service.annex1.about import LONGEST
from wildgate_service.annex1.check.finding import Finding
from wildgate_service.annex1.check.numbers import SHARE_OF, VALUE, amount, headings_of_counts
from wildgate_service.annex1.check.rows import DESCRIPTION, DESCRIPTION_PLACEHOLDER, PLACEHOLDERS, placed, scopes
from wildgate_service.annex1.check.tables import Record, Table
from wildgate_service.annex1.template import AUTOMATED, BY_CATEGORY, IDENTIFICATION, KEYWORD_OTHER, TEXTS

CONTEXT_OF_VALUE = "Contextual Information"
SOLELY = ("Number of measures solely taken by automated means", "Number of notices solely processed by automated means")


def descriptions(table: Table) -> Iterator[Finding]:
    """A KEYWORD_OTHER row that counts something says what, and no two of a category say the same."""
    if table.name not in BY_CATEGORY:
        return
    for block in scopes(table).values():
        seen: set[tuple[str, str]] = set()
        for line, record in placed(table, block):
            description = table.value(record, DESCRIPTION)
            if line.keyword != KEYWORD_OTHER:
                if description:
                    fix = f"describe only {KEYWORD_OTHER} rows; use contextual information"
                    yield table.finding("ANX603", f"a description in the row {line.keyword or line.category}", fix, record, DESCRIPTION)
                continue
            if description and (line.category, description.casefold()) in seen and description != DESCRIPTION_PLACEHOLDER:
                fix = "add the rows up, or tell them apart"
                yield table.finding("ANX602", f"two rows of {line.category} are described {description!r}", fix, record, DESCRIPTION)
            seen.add((line.category, description.casefold()))
            yield from _undescribed(table, record, description)


def _undescribed(table: Table, record: Record, description: str) -> Iterator[Finding]:
    counted = max(amount(table.value(record, heading)) or 0 for heading in headings_of_counts(table))
    if counted and description in {"", DESCRIPTION_PLACEHOLDER}:
        message = f"{KEYWORD_OTHER} counts {counted:.0f} and does not say of what"
        yield table.finding("ANX601", message, "describe what the row counts: it is no catch-all", record, DESCRIPTION)


# --- accuracy ------------------------------------------------------------------------------------


def accuracy(table: Table) -> Iterator[Finding]:
    """Shares of accuracy bear contextual information; where software acted, they are not blank."""
    if table.name != AUTOMATED:
        return
    acted = {
        table.value(record, "Scope")
        for record in table.records
        if table.value(record, "Indicator").startswith(SOLELY) and amount(table.value(record, VALUE))
    }
    for record in table.records:
        if not table.value(record, "Indicator").startswith(SHARE_OF):
            continue
        value, scope = table.value(record, VALUE), table.value(record, "Scope")
        if value and not table.value(record, CONTEXT_OF_VALUE):
            fix = "say of which classifier it is, how it was measured, and on how many"
            yield table.finding("ANX803", "a share without contextual information", fix, record, CONTEXT_OF_VALUE)
        if not value and scope in acted:
            message = f"blank, though software alone acted in the scope {scope!r}"
            fix = "measure it on a sample that moderators judge; a small sample has an interval, which contextual information can tell"
            yield table.finding("ANX804", message, fix, record, VALUE)


# --- texts and dates -----------------------------------------------------------------------------


def texts(table: Table) -> Iterator[Finding]:
    """Texts of sheet 11: at most 5,000 characters, and not left out where they apply to everybody."""
    if table.name == TEXTS:
        for record in table.records:
            value = table.value(record, VALUE)
            if len(value) > LONGEST:
                yield table.finding("ANX801", f"{len(value)} characters", f"shorten it to {LONGEST}", record, VALUE)
            if not value and table.value(record, "Applicability") == "All":
                message = f"no text for {table.value(record, 'Indicator')!r}"
                yield table.finding("ANX802", message, "write it, or say why it is left out", record, VALUE)


def identification(table: Table) -> Iterator[Finding]:
    """Sheet 1: a provider, and dates that are dates; there may be no report before."""
    if table.name != IDENTIFICATION:
        return
    for record in table.records:
        indicator, value = table.value(record, "Indicator"), table.value(record, VALUE)
        if value in PLACEHOLDERS:
            continue
        if not value and "previous" not in indicator:
            yield table.finding("ANX305", f"{indicator!r} is blank", "fill it in", record, VALUE)
        if value and "ate of" in indicator and day(value) is None:
            yield table.finding("ANX305", f"{value!r} is no date", "write it like 2026-12-31", record, VALUE)


def day(text: str) -> date | None:
    """A day such as 2026-12-31, None for anything else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None


CHECKS = (descriptions, accuracy, texts, identification)
