"""A backtest as text for people, as JSON, and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from wildgate_service import __version__
from wildgate_service.report_page import environment, number, percent
from wildgate_service.types import Action

if TYPE_CHECKING:
    from wildgate_service.backtest import Backtest, Compared, Count
    from wildgate_service.types import ReportShare

MEASURES = (
    ("stopped_precision", "Of what is stopped, offers"),
    ("stopped_recall", "Of the offers, stopped"),
    ("refused_precision", "Of what is refused, offers"),
    ("refused_recall", "Of the offers, refused"),
)
MOST_ROWS = 30  # of a table in the text; the JSON has all


def as_json(found: Backtest) -> str:
    """All of it."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def as_text(found: Backtest) -> str:
    """Counts, tables of what changes, precision and recall of labeled listings, and the texts to read."""
    return "\n".join((*_head(found), *_grid(found), *_tables(found), *_quality(found), *_to_read(found), *_failures(found))) + "\n"


def as_page(found: Backtest) -> str:
    """The same as one self-contained HTML page."""
    return (
        environment()
        .get_template("backtest.html")
        .render(
            found=found,
            version=__version__,
            actions=list(Action),
            cells={(each.before, each.after): each.listings for each in found.moves},
            tables=[(title, rows) for title, rows in tables_of(found) if rows],
            measures=[(title, [getattr(side, name) for side in found.quality]) for name, title in MEASURES],
            percent=percent,
        )
    )


def tables_of(found: Backtest) -> tuple[tuple[str, tuple[Count, ...]], ...]:
    """What changes, by title."""
    return ("By language", found.by_language), ("By taxon group", found.by_group), ("By rule", found.by_rule)


def _head(found: Backtest) -> Iterator[str]:
    yield f"before: {found.before}"
    yield f"after:  {found.after}"
    if found.tenant:
        yield f"tenant: {found.tenant}"
    yield f"{number(found.listings)} listings, {number(found.changed)} get another action ({percent(found.changed, found.listings)})"


def _grid(found: Backtest) -> Iterator[str]:
    """Before down, after across."""
    cells = {(each.before, each.after): each.listings for each in found.moves}
    yield ""
    yield f"{'before':>10}{'':10}" + "".join(f"{'→ ' + after:>12}" for after in Action)
    for before in Action:
        yield f"{before:>10}{'':10}" + "".join(f"{number(cells.get((before, after), 0)):>12}" for after in Action)


def _tables(found: Backtest) -> Iterator[str]:
    for title, rows in tables_of(found):
        if rows:
            yield from ("", title)
            yield from (f"    {number(row.listings):>8}  {row.before} → {row.after:8} {row.value}" for row in rows[:MOST_ROWS])
            if rows[MOST_ROWS:]:
                yield f"    and {len(rows) - MOST_ROWS} more rows, in --format json"


def _quality(found: Backtest) -> Iterator[str]:
    """Shares of the labeled listings on both sides, each with its 95 % Wilson interval."""
    if not found.quality:
        return
    yield ""
    yield f"{number(found.labeled)} labeled listings{'':13}{'before':>32}{'after':>32}"
    for name, title in MEASURES:
        yield f"    {title:32}" + "".join(f"{_share(getattr(side, name)):>32}" for side in found.quality)


def _share(share: ReportShare) -> str:
    interval = f"[{100 * share.lower:.0f}, {100 * share.upper:.0f}]"
    return f"{percent(share.count, share.total)} {interval} {share.count} of {share.total}" if share.total else "none"


def _to_read(found: Backtest) -> Iterator[str]:
    counts = {(each.before, each.after): each.listings for each in found.moves}
    for move, sample in found.to_read.items():
        of = counts[sample[0].before, sample[0].after]
        yield from ("", f"{move}: {len(sample)} of {number(of)} to read")
        for each in sample:
            yield from _text(each)


def _text(each: Compared) -> Iterator[str]:
    label = "" if each.offer is None else ", labeled an offer" if each.offer else ", labeled no offer"
    shadow = ", in shadow" if each.in_shadow else ""
    yield f"    {named(each)}: {each.score:.2f} {each.language} {_listed(each.groups)} by {_listed(each.rules)}{label}{shadow}"
    yield f"        {' '.join(each.text.split())}"
    yield f"        {each.reason}"


def named(each: Compared) -> str:
    """By its id, else by its line."""
    return f"line {each.line}" if each.id is None else str(each.id)


def _failures(found: Backtest) -> Iterator[str]:
    if found.failed:
        yield from ("", f"{number(found.failed)} lines failed")
        yield from (f"    line {each.line}: {each.error}" for each in found.failures)
        if found.failed > len(found.failures):
            yield f"    and {number(found.failed - len(found.failures))} more"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
