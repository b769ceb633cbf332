"""Every event that the service logs is documented with its fields, and no other."""

from __future__ import annotations

import ast
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SOURCES = REPOSITORY / "service" / "wildgate_service"
DOCUMENT = REPOSITORY / "docs" / "observability.md"
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
OF_AN_EXCEPTION = {"error", "frames"}
# Passed on as variables: `refuse` gets them from its callers, `unhandled` and `call` make theirs.
PASSED_ON = {"rpc_failed", "scoring_failed", "answering_failed", "outcome_failed"}
SPREAD = {name: {"incident", "rpc", "request_id", *OF_AN_EXCEPTION} for name in PASSED_ON} | {
    "outcome_failed": {"incident", *OF_AN_EXCEPTION},
    "unhandled": {"what"},
    "call": {"request_id", "tenant", "reason", "action"},
}


def logged():
    """Events in the code: name → (levels, fields)."""
    found = {}
    for file in SOURCES.rglob("*.py"):
        if "cli" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for name, level, fields in _events(node):
                    levels, known = found.setdefault(name, (set(), set(SPREAD.get(name, ()))))
                    levels.add(level)
                    known |= fields
    return found


def _events(call):
    """Of a call of the log, or of `refuse`."""
    function, first = call.func, [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if isinstance(function, ast.Name) and function.id == "refuse":
        yield first[0], "error", set()
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "log" and first:
        fields = {each.arg for each in call.keywords if each.arg}
        raised = function.attr == "exception" or "exc_info" in fields
        yield first[0], LEVELS[function.attr], (fields - {"exc_info"}) | (OF_AN_EXCEPTION if raised else set())


def documented():
    """Events in the table."""
    lines = DOCUMENT.read_text(encoding="utf-8").partition("| event | level |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines]
    return {
        name.strip("`"): (set(level.replace(",", " ").split()), set(fields.replace("`", "").replace(",", " ").split()))
        for name, level, fields, _ in rows
    }


def test_every_event_is_documented_with_its_fields():
    """By name, levels and fields."""
    assert documented() == logged()
