"""Plain YAML: what is read fast is what PyYAML reads, and what is not plain is left to it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.plain_yaml import NotPlainError, load_plain
from wildgate_service.lexicon.rules import _LineLoader, load_slowly

SCALARS = st.sampled_from(
    ["a", "", "yes", "No", "null", "~", "1", "0x1F", "1_000", "1.5", ".inf", "2026-01-01", "象牙", "a: b", "- a", "#"]
)
VALUES = st.recursive(
    SCALARS | st.integers() | st.booleans() | st.none() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3),
    max_leaves=12,
)


def read(load, text):
    try:
        return load(text)
    except (NotPlainError, yaml.YAMLError):
        return "refused"


@given(VALUES, st.sampled_from(["|", ">", '"', "'", None]), st.booleans())
def test_plain_texts_are_read_as_pyyaml_reads_them(value, style, flow):
    """Whatever the style of scalars and collections; a key that is no text is left to PyYAML."""
    text = yaml.safe_dump(value, default_style=style, default_flow_style=flow, allow_unicode=True)
    assert read(lambda each: load_plain(each, _LineLoader), text) in (load_slowly(text), "refused")


@pytest.mark.parametrize("name", ["en/ivory.yml", "zh-Hans/benign.yml", "ru/benign.yml", "la/scientific_names.yml"])
def test_rule_files_are_plain(name):
    """So nothing that is shipped is read the slow way."""
    text = (default_lexicons() / "rules" / name).read_text(encoding="utf-8")
    assert load_plain(text, _LineLoader) == load_slowly(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "a: 1\na: 2",
        "1: a",
        "<<: {a: b}",
        "- &a b\n- *a",
        "a: !!str 1",
        "a: !x 1",
        "- a\n---\n- b",
        "- [",
        "a: =",
        "\x07",
        "[" * 17 + "]" * 17,
    ],
)
def test_what_is_not_plain_is_left_to_pyyaml(text):
    """Which refuses it, or knows what it means."""
    with pytest.raises((NotPlainError, yaml.YAMLError)):
        load_plain(text, _LineLoader)
