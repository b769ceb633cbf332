"""Counts of the lexicons: of a small one, where each figure can be counted by hand, and what the shipped ones promise."""

from __future__ import annotations

import json

import msgspec
import pytest
from wildgate_service.groups import GROUPS
from wildgate_service.lexicon import default_lexicons, read_rules
from wildgate_service.lexicon.stats import as_markdown, as_text, count_lexicons, count_rules
from wildgate_service.lexicon.taxa import read_taxa


@pytest.fixture
def small(make_lexicon):
    """The counts of the small lexicon."""
    return count_lexicons(make_lexicon("small"))


def test_forms_are_counted_as_sourced_checked_or_neither(small):
    """One of five forms has a source of its own; nobody checked any."""
    assert small.total == {"rules": 3, "forms": 5, "taxon forms": 4, "sourced": 1, "checked": 0, "unreviewed": 4}


def test_a_form_counts_in_each_group_that_it_names(small):
    """Two of elephants, two of big cats, none of anything else."""
    assert {group: forms for group, forms in small.groups.items() if forms} == {"elephant": {"en": 2}, "big_cat": {"en": 2}}


def test_a_form_with_taxa_of_its_own_counts_there_alone(make_lexicon):
    """Its rule may name more."""
    folder = make_lexicon(
        "own",
        ("taxa: [elephant]", "taxa: [elephant, tiger]"),
        ("      gloss: ivory of elephants", "      taxa: [elephant]\n      gloss: a"),
    )
    groups = count_lexicons(folder).groups
    assert (groups["elephant"], groups["big_cat"]) == ({"en": 2}, {"en": 3})


def test_scientific_and_index_names_are_counted_apart(make_lexicon):
    """They are looked up, not gathered, and would drown the rest."""
    folder = make_lexicon("apart")
    rule = read_rules(folder)[0]
    latin = msgspec.structs.replace(rule, language="la")
    index = msgspec.structs.replace(rule, file="rules/en/index_names.yml")
    stats = count_rules([rule, latin, index], read_taxa(folder), "1.0.0")
    assert (stats.total["forms"], stats.scientific, stats.index, list(stats.languages)) == (2, 2, 2, ["en"])


def test_a_language_that_somebody_reviewed_is_told_from_the_others(make_lexicon):
    """In a sentence, by name."""
    folder = make_lexicon("reviewed", ('reviewed_by: ""', "reviewed_by: A. Speaker"))
    assert "Some rule was reviewed by a speaker in en." in as_text(count_lexicons(folder))
    assert "No speaker has reviewed any rule of en." in as_text(count_lexicons(make_lexicon("unreviewed")))


def test_gaps_are_visible(small):
    """A dot, not an empty cell or a zero."""
    (row,) = [line for line in as_markdown(small).splitlines() if line.startswith("| rhino ")]
    assert row == "| rhino | · | · |"


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_every_group_is_shown(form, wildgate, make_lexicon):
    """Also those that no rule speaks of."""
    _, shown = wildgate("lexicon", "stats", "--lexicons", make_lexicon("small"), "--format", form)
    assert [group for group in GROUPS if group not in shown] == []


def test_json_is_read_by_machines(wildgate, make_lexicon):
    """The same figures."""
    _, shown = wildgate("lexicon", "stats", "--lexicons", make_lexicon("small"), "--format", "json")
    assert json.loads(shown)["languages"]["en"]["forms"] == 5


def test_a_page_is_checked_against_the_lexicons(wildgate, make_lexicon, tmp_path):
    """Status 0 as long as it is current, 1 when a form was added."""
    folder, page = make_lexicon("before"), tmp_path / "coverage.md"
    page.write_text(wildgate("lexicon", "stats", "--lexicons", folder, "--format", "markdown")[1], encoding="utf-8")
    after = make_lexicon("after", ("    - form: tiger tooth", "    - form: tiger bone\n      gloss: bone\n    - form: tiger tooth"))
    checks = [wildgate("lexicon", "stats", "--lexicons", each, "--format", "markdown", "--check", page) for each in (folder, after)]
    assert checks == [(0, ""), (1, "")]


def test_the_shipped_lexicons_are_counted():
    """Every language but the scientific names, which have a line of their own."""
    stats = count_lexicons(default_lexicons())
    assert "la" not in stats.languages
    assert stats.scientific > 0
    assert stats.total["forms"] == sum(counts["forms"] for counts in stats.languages.values())
