"""One line per strength: the mean over families, so that a family with many texts counts no more than one with few."""

from __future__ import annotations

from statistics import fmean

from rates import Row, interval

from robustness.words import STRENGTHS


def summarized(families: Row, filters: list[str], halves: list[str]) -> Row:
    """By half, strength and filter: families with anything to retain, mean share retained, benign texts stopped in all of them."""
    cells = {
        strength.name: [row["strengths"][strength.name] for row in families.values() if row["status"] == "run"] for strength in STRENGTHS
    }
    return {
        half: {name: {each: _line([cell[each][half] for cell in run if each in cell]) for each in filters} for name, run in cells.items()}
        for half in halves
    }


def _line(rows: list[Row]) -> Row:
    shares = [row["retained"]["share"] for row in rows if row["retained"]["n"]]
    alarms = [row["false_alarms"] for row in rows]
    return {
        "families": len(shares),
        "mean_retained": round(fmean(shares), 4) if shares else None,
        "false_alarms": interval(sum(each["k"] for each in alarms), sum(each["n"] for each in alarms)),
    }
