"""The result as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator

from rates import Row, print_table, shown


def print_tables(result: Row) -> None:
    """Print clean figures, then a line per family and strength; the half to go by is `reported` where it was measured."""
    filters = list(result["clean"])
    for name, status in result["rivals"].items():
        if name not in filters:
            print(f"{name}: {status}")
    half = "reported" if "reported" in result["clean"][filters[0]] else "development"
    rows = [(name, shown(row[half]["recall"]), shown(row[half]["false_alarms"])) for name, row in result["clean"].items()]
    print_table(f"Plain texts, {half} half", ("filter", "recall", "false alarms"), rows)
    summary = result["summary"][half]
    rows = [(name, *(_mean(row[each]) for each in filters)) for name, row in summary.items()]
    print_table(f"Mean over families, {half} half: retained, false alarms", ("strength", *filters), rows)
    heads = ("family", "strength", "retained", "names a view", "false alarms", *(f"{name}: retained, false alarms" for name in filters[1:]))
    print_table(f"Disguised texts, {half} half", heads, _rows(result["families"], filters, half))


def _rows(families: Row, filters: list[str], half: str) -> Iterator[list[str]]:
    for name, family in families.items():
        if family["status"] != "run":
            yield [name, family["status"], *[""] * (len(filters) + 2)]
            continue
        for strength, cell in family["strengths"].items():
            first = cell[filters[0]]
            figures = [shown(first[half]["retained"]), shown(first["named_view"]), shown(first[half]["false_alarms"])]
            yield [name, strength, *figures, *(_rival(cell.get(rival), half) for rival in filters[1:])]


def _mean(row: Row) -> str:
    if row["mean_retained"] is None:
        return "-"
    return f"{row['mean_retained']:.0%} in {row['families']} families, {shown(row['false_alarms'])}"


def _rival(row: Row | None, half: str) -> str:
    return f"{shown(row[half]['retained'])}, {shown(row[half]['false_alarms'])}" if row else "-"
