"""Golden texts, by provenance: each must be decided as its line says, for ever.

`synthetic.jsonl`       offers written for the purpose, of every language of the lexicons and every view
`negative.jsonl`        innocent texts that look like offers
`known_failures.jsonl`  what is decided wrongly, and `why`: strict xfail, so that an accidental fix is noticed and the line moved

A line holds `text` (a listing's title), `language` (of the text, for the reader), perhaps `description`, and what must be found:
`action` (`stopped`: review or block), and of one match `rule_id`, `surface` and exactly these `views`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wildgate_service.match.views import VIEWS
from wildgate_service.pipeline import score_listing
from wildgate_service.types import Action, Listing

HERE = Path(__file__).parent
FILES = ("synthetic.jsonl", "negative.jsonl", "known_failures.jsonl")
ACTIONS = {"allow": {Action.ALLOW}, "review": {Action.REVIEW}, "block": {Action.BLOCK}, "stopped": {Action.REVIEW, Action.BLOCK}}
KEYS = {"text", "language", "description", "action", "rule_id", "surface", "views", "why"}


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def case(name: str, number: int, row: dict):
    known = [pytest.mark.xfail(reason=row["why"], strict=True)] if "why" in row else []
    return pytest.param(row, id=f"{name}:{number}", marks=known)


@pytest.mark.parametrize("row", [case(name, number, row) for name in FILES for number, row in enumerate(read(name), 1)])
def test_a_text_is_decided_as_its_line_says(engine, row):
    """The action, and a match with all that the line says of it."""
    decision = score_listing(engine, Listing(title=row["text"], description=row.get("description", "")))
    assert decision.action in ACTIONS[row["action"]], str(decision)
    wanted = {key: tuple(row[key]) if key == "views" else row[key] for key in ("rule_id", "surface", "views") if key in row}
    found = [{key: getattr(match, key) for key in wanted} for match in decision.matches]
    assert not wanted or wanted in found


@pytest.mark.parametrize("row", [row for row in read("negative.jsonl") if row["language"] == "en"], ids=lambda row: row["text"])
def test_an_innocent_text_is_innocent_in_capitals_and_as_a_description_too(engine, row):
    """However it is written."""
    text = row["text"]
    actions = {score_listing(engine, listing).action for listing in (Listing(title=text.upper()), Listing(description=text))}
    assert actions == {row["action"]}


@pytest.mark.parametrize("name", FILES)
def test_lines_are_well_formed_and_stand_once(name):
    """And only known failures say why."""
    rows = read(name)
    assert all({"text", "language", "action"} <= set(row) <= KEYS for row in rows)
    assert all(("why" in row) == (name == "known_failures.jsonl") for row in rows)
    assert len({(row["text"], row.get("description")) for row in rows}) == len(rows)


def test_no_line_holds_a_raw_invisible_character():
    """Escapes only, as in every data file."""
    raw = [name for name in FILES for char in (HERE / name).read_text(encoding="utf-8") if char in "\u200b\u200e\u200f\u202e\u2060\ufeff"]
    assert raw == []


def test_every_view_has_a_line():
    """Those of the matcher, those that the fold undoes by itself, and spellings generated from forms."""
    assert {view for row in read("synthetic.jsonl") for view in row.get("views", ())} == set(VIEWS)


def test_every_language_of_the_lexicons_has_an_offer(shipped_rules):
    """But scientific names and emoji, which are nobody's, and Malay, whose words are Indonesian's."""
    languages = {rule.language.partition("-")[0] for rule in shipped_rules} - {"la", "zxx", "ms"}
    assert languages == {row["language"] for row in read("synthetic.jsonl")}
