"""Where a target of the Makefile runs the tests of a marker in one folder, so that others need not be collected, it leaves none out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NARROWED = re.findall(r"-m pytest\b.* -m ([a-z]+) (tests/\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_some_targets_name_a_folder():
    """Else the test below would prove nothing."""
    assert {marker for marker, _ in NARROWED} >= {"openapi", "postgres", "recipes", "stream"}


@pytest.mark.parametrize(("marker", "folder"), NARROWED)
def test_a_marker_stands_in_the_folder_of_its_target_alone(marker, folder):
    """In whatever way it is put on a test."""
    files = [path for path in (ROOT / "tests").rglob("*.py") if re.search(rf"\bmark\.{marker}\b", path.read_text(encoding="utf-8"))]
    assert files
    assert [str(path) for path in files if not path.is_relative_to(ROOT / folder)] == []
