"""What changed between two lexicons, and what that changes for listings."""

from __future__ import annotations

import json

import pytest
from wildgate_service.lexicon import compile_lexicons
from wildgate_service.lexicon.diff import LevelChange, RuleChange, RuleForms, diff_lexicons

ADDED_FORM = ("    - form: tiger tooth", "    - form: tiger bone\n      gloss: bone of a tiger\n    - form: tiger tooth")
OTHER_LEVEL = ("      level: with_company\n      gloss: ivory; also a color", "      level: alone\n      gloss: ivory; also a color")
NEW_ID = ("id: en-tiger-parts", "id: en-tiger-goods")
LISTINGS = [
    {"id": "a", "title": "Tiger bone, old, for sale"},
    {"id": "b", "title": "Blue bangle for sale"},
    {"id": "c", "title": "Elephant ivory bangle for sale", "description": "Carved elephant ivory."},
]


@pytest.fixture
def listings(tmp_path):
    """A file of three listings, a blank line and a line that is none."""
    path = tmp_path / "listings.jsonl"
    path.write_text("\n".join([*map(json.dumps, LISTINGS), "", "{"]) + "\n", encoding="utf-8")
    return path


def test_a_lexicon_is_like_itself(make_lexicon):
    """Nothing differs between two equal folders."""
    assert not diff_lexicons(make_lexicon("before"), make_lexicon("after"))


def test_a_form_added(make_lexicon):
    """Its rule changed by one form and nothing else."""
    found = diff_lexicons(make_lexicon("before"), make_lexicon("after", ADDED_FORM))
    assert found.changed == (RuleChange("en-tiger-parts", added=("tiger bone",)),)


def test_a_form_removed(make_lexicon):
    """The same backward."""
    found = diff_lexicons(make_lexicon("before", ADDED_FORM), make_lexicon("after"))
    assert found.changed == (RuleChange("en-tiger-parts", removed=("tiger bone",)),)


def test_a_form_at_another_level(make_lexicon):
    """With both levels."""
    found = diff_lexicons(make_lexicon("before"), make_lexicon("after", OTHER_LEVEL))
    assert found.changed == (RuleChange("en-ivory-goods", levels=(LevelChange("ivory", "with_company", "alone"),)),)


def test_a_rule_renamed_is_one_removed_and_one_added(make_lexicon):
    """An id is what a rule is."""
    found = diff_lexicons(make_lexicon("before"), make_lexicon("after", NEW_ID))
    assert (found.removed, found.added) == (
        (RuleForms("en-tiger-parts", ("tiger claw", "tiger tooth")),),
        (RuleForms("en-tiger-goods", ("tiger claw", "tiger tooth")),),
    )


def test_other_taxa_are_a_change_of_the_rule(make_lexicon):
    """By the names of the fields."""
    found = diff_lexicons(make_lexicon("before"), make_lexicon("after", ("taxa: [tiger]", "taxa: [tiger, elephant]")))
    assert [(change.rule_id, change.fields) for change in found.changed] == [("en-tiger-parts", ("taxa", "groups"))]


def test_requires_added_is_told(make_lexicon):
    """The form is the same and matches otherwise."""
    edit = ("      gloss: claw of a tiger", "      requires: {kinds: [trade_cue], within: 20}\n      gloss: claw of a tiger")
    found = diff_lexicons(make_lexicon("before"), make_lexicon("after", edit))
    assert found.changed == (RuleChange("en-tiger-parts", others=("tiger claw",)),)


def test_what_no_matcher_reads_is_told_of_folders(make_lexicon):
    """Titles, examples, sources."""
    found = diff_lexicons(make_lexicon("before"), make_lexicon("after", ("title: Tiger parts", "title: Parts of tigers")))
    assert (found.changed, found.prose) == ((), ("en-tiger-parts",))


def test_compiled_files_are_compared_as_folders_are(make_lexicon, tmp_path):
    """A platform may have kept only what it served."""
    before, after = make_lexicon("before"), make_lexicon("after", ADDED_FORM)
    compiled = compile_lexicons(before, tmp_path / "compiled")
    assert diff_lexicons(compiled, after).changed == diff_lexicons(before, after).changed


def test_the_status_is_that_of_diff(make_lexicon, wildgate, tmp_path):
    """0 the same, 1 different, 2 trouble."""
    before, same, after = make_lexicon("before"), make_lexicon("same"), make_lexicon("after", ADDED_FORM)
    found = [wildgate("lexicon", "diff", before, other)[0] for other in (same, after, tmp_path / "missing")]
    assert found == [0, 1, 2]


def test_a_diff_is_read_line_by_line(make_lexicon, wildgate):
    """A line for each rule, and below it one for each form."""
    _, shown = wildgate("lexicon", "diff", make_lexicon("before"), make_lexicon("after", ADDED_FORM, OTHER_LEVEL))
    assert shown.splitlines()[1:] == [
        "rules: 0 added, 0 removed, 2 changed, 0 in words only; forms: 1 added, 0 removed, 1 at another level",
        "~ en-ivory-goods",
        "    ~ ivory: with_company → alone",
        "~ en-tiger-parts",
        "    + tiger bone",
    ]


def test_what_changes_for_listings(make_lexicon, wildgate, listings):
    """Actions before and after, by language, group and rule, with ids and texts; a line that is no listing is counted."""
    before, after = make_lexicon("before"), make_lexicon("after", ADDED_FORM)
    status, shown = wildgate("lexicon", "diff", before, after, "--input", listings, "--format", "json")
    impact = json.loads(shown)["impact"]
    (changed,) = impact["changed"]
    move = f"allow → {changed['after']}"
    assert changed["after"] in {"review", "block"}
    assert (status, impact["listings"], impact["unreadable"]) == (1, 3, 1)
    assert (changed["id"], changed["line"], changed["gained"], changed["text"]) == ("a", 1, ["en-tiger-parts"], LISTINGS[0]["title"])
    assert impact["actions"] == {move: 1}
    assert impact["by_group"] == {f"big_cat {move}": 1}
    assert impact["by_rule"] == {f"+en-tiger-parts {move}": 1}
    assert sum(impact["by_language"].values()) == 1


@pytest.mark.parametrize(("show", "expected"), [(1, True), (0, False)])
def test_texts_are_shown_as_many_as_asked_for(show, expected, make_lexicon, wildgate, listings):
    """The id of the others still is."""
    before, after = make_lexicon("before"), make_lexicon("after", ADDED_FORM)
    _, shown = wildgate("lexicon", "diff", before, after, "--input", listings, "--show", show)
    assert (LISTINGS[0]["title"] in shown, "1 get another action" in shown) == (expected, True)
    assert expected or "further: a" in shown


def test_lexicons_alone_unless_the_encoder_is_asked_for(make_lexicon, wildgate):
    """It is no use without listings, and says so."""
    assert wildgate("lexicon", "diff", make_lexicon("before"), make_lexicon("after"), "--encoder")[0] == 2
