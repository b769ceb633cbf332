"""Chunks: a rule file is cut at its rules where that is safe, and read whole where it is not."""

from __future__ import annotations

import pytest
from wildgate_service.lexicon.chunks import chunks_of


def test_file_is_cut_before_each_rule():
    """What stands above the first rule belongs to it, and what stands above another to the one before."""
    text = "# head\n\n- id: a\n  b:\n  - c\n# of b\n- id: b\n"
    assert [tuple(each) for each in chunks_of(text)] == [("# head\n\n- id: a\n  b:\n  - c\n# of b\n", 0), ("- id: b\n", 6)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b\n- id: a\n- id: b\n",
        "---\n- id: a\n- id: b\n",
        "%YAML 1.1\n---\n- id: a\n- id: b\n",
        "- id: a\n...\n- id: b\n",
        "- id: a\r\n- id: b\r\n",
        "- id: a\n- id: b\u2028",
        "\ufeff- id: a\n- id: b\n",
    ],
)
def test_file_that_is_more_than_rules_is_left_whole(text):
    """Documents, directives and other line breaks mean what YAML says they mean."""
    assert [tuple(each) for each in chunks_of(text)] == [(text, 0)]
