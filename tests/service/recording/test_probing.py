"""The query of docs/access.md that shows who edits a listing until it passes."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wildgate_service.types import Action, Listing

DOCUMENT = Path(__file__).parents[3] / "docs" / "access.md"


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """The query is SQLite's."""
    return fresh_file_url


def test_listing_that_was_edited_until_it_passed_is_found(store, samples, url):
    """Five tries, the last allowed; not one that was stopped every time, nor one that never was."""
    tries = {
        "edited": [Action.BLOCK] * 3 + [Action.REVIEW, Action.ALLOW],
        "stopped": [Action.BLOCK] * 6,
        "innocent": [Action.ALLOW] * 6,
        "corrected": [Action.REVIEW, Action.ALLOW],
    }
    now = datetime.now(UTC)
    store.append(
        [samples.record(action, listing=Listing(id=name), decided_time=now) for name, actions in tries.items() for action in actions]
    )
    (query,) = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        found = connection.execute(query).fetchall()
    assert found == [("acme", "edited", 5, 4, 0.9, 0.01)]
