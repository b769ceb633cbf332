"""The commands for analysts on real folders: lint, test, new, compile. What stats, diff and suggest print is tested beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from wildgate_service.errors import WildgateError
from wildgate_service.lexicon import default_lexicons, lint_text
from wildgate_service.lexicon.listing_lines import listings_of
from wildgate_service.lexicon.taxa import read_taxa

BROKEN_EXAMPLE = ("      - Blue dress\n", "      - Elephant ivory dress\n")
CAPITALS = ("- form: elephant ivory", "- form: Elephant  Ivory")


def rules_of(folder: Path) -> Path:
    return folder / "rules" / "en" / "rules.yml"


def as_pack(folder: Path, name: str, *edits: tuple[str, str]) -> Path:
    """A lexicon folder's rules as a restricted pack of another name, with ids of their own."""
    pack = folder.parent / name
    shutil.copytree(folder / "rules", pack / "rules")
    text = (
        rules_of(pack)
        .read_text(encoding="utf-8")
        .replace("id: en-", f"id: en-{name}-")
        .replace("visibility: public", "visibility: restricted")
    )
    for before, after in edits:
        text = text.replace(before, after)
    rules_of(pack).write_text(text, encoding="utf-8")
    return pack


def test_a_clean_lexicon_has_no_findings(wildgate, make_lexicon):
    """Nothing on standard output, status 0."""
    assert wildgate("lexicon", "lint", "--lexicons", make_lexicon("clean")) == (0, "")


def test_a_finding_is_status_1(wildgate, make_lexicon):
    """With file, line of the form, and code."""
    status, shown = wildgate("lexicon", "lint", "--lexicons", make_lexicon("capitals", CAPITALS))
    assert (status, shown.startswith("rules/en/rules.yml:10: LEX018 ")) == (1, True)


def test_fix_mends_and_the_next_run_finds_nothing(wildgate, make_lexicon):
    """But that the lock must be renewed, which nobody does unasked."""
    folder = make_lexicon("capitals", CAPITALS)
    status, shown = wildgate("lexicon", "lint", "--lexicons", folder, "--fix")
    first, *findings = shown.splitlines()
    assert (status, first) == (1, "fixed rules/en/rules.yml:10: LEX018 form 'Elephant  Ivory' is now 'elephant ivory'")
    assert [finding.split()[1] for finding in findings] == ["LEX017"]
    assert wildgate("lexicon", "lint", "--lexicons", folder, "--fix", "--update-lock") == (0, "")


def test_a_pack_is_linted_beside_the_public_lexicon(wildgate, make_lexicon):
    """Its files are named by its folder."""
    folder = make_lexicon("public")
    clean, wrong = as_pack(folder, "customs"), as_pack(folder, "police", CAPITALS)
    assert wildgate("lexicon", "lint", "--lexicons", folder, "--pack", clean) == (0, "")
    status, shown = wildgate("lexicon", "lint", "--lexicons", folder, "--pack", clean, "--pack", wrong)
    assert (status, shown.splitlines()[0].startswith("police/rules/en/rules.yml:10: LEX018")) == (1, True)


def test_examples_that_pass_are_status_0(wildgate, make_lexicon):
    """With their number."""
    assert wildgate("lexicon", "test", "--lexicons", make_lexicon("clean")) == (0, "18 of 18 examples of 3 rules pass\n")


def test_an_example_that_fails_is_named(wildgate, make_lexicon):
    """Rule, file, line and text; status 1."""
    status, shown = wildgate("lexicon", "test", "--lexicons", make_lexicon("broken", BROKEN_EXAMPLE))
    assert (status, shown.splitlines()) == (
        1,
        ["rules/en/rules.yml:1: en-ivory-goods fires on 'Elephant ivory dress'", "17 of 18 examples of 3 rules pass"],
    )


def test_failures_as_json(wildgate, make_lexicon):
    """For whoever builds a page of them."""
    status, shown = wildgate("lexicon", "test", "--lexicons", make_lexicon("broken", BROKEN_EXAMPLE), "--format", "json")
    failure = {"rule_id": "en-ivory-goods", "file": "rules/en/rules.yml", "line": 1, "text": "Elephant ivory dress", "wanted": False}
    assert (status, json.loads(shown)) == (1, {"rules": 3, "examples": 18, "failures": [failure]})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["--rule", "en-trade"], "6 of 6"), (["--language", "en"], "18 of 18"), (["--language", "en", "--rule", "en-tiger-parts"], "6 of 6")],
)
def test_rules_are_chosen_by_id_and_language(arguments, expected, wildgate, make_lexicon):
    """The whole lexicon is still what they are tested against."""
    assert wildgate("lexicon", "test", "--lexicons", make_lexicon("clean"), *arguments)[1].startswith(expected)


def test_no_such_rule_is_a_usage_error(wildgate, make_lexicon):
    """Nothing tested is nothing passed."""
    assert wildgate("lexicon", "test", "--lexicons", make_lexicon("clean"), "--rule", "en-nothing")[0] == 2


def test_the_examples_of_a_pack_are_run(wildgate, make_lexicon):
    """Against the public lexicon and the pack together."""
    folder = make_lexicon("public")
    pack = as_pack(folder, "customs", BROKEN_EXAMPLE)
    status, shown = wildgate("lexicon", "test", "--lexicons", folder, "--pack", pack)
    assert status == 1
    assert "customs/rules/en/rules.yml:1: en-customs-ivory-goods fires on 'Elephant ivory dress'" in shown


@pytest.mark.parametrize("kind", ["species", "product", "code_word", "trade_cue", "evasion_cue", "legal_trade_cue", "benign_context"])
def test_a_new_rule_lacks_only_what_a_person_must_say(kind, wildgate):
    """For every kind."""
    status, draft = wildgate("lexicon", "new", "en-new-rule", "--language", "en", "--kind", kind, "--form", "white chocolate")
    codes = {finding.code for finding in lint_text(draft, read_taxa(default_lexicons()))}
    assert (status, codes - {"LEX004"}) == (0, {"LEX015", "LEX025"})
    assert ("LEX004" in codes) == (kind in {"species", "product", "code_word"})


def test_a_new_rule_is_named_after_its_language(wildgate):
    """So that no folder holds another's."""
    assert wildgate("lexicon", "new", "new-rule", "--language", "th", "--form", "งา")[0] == 2


def test_compile_prints_the_file_that_it_wrote(wildgate, make_lexicon, tmp_path):
    """Named by what it holds."""
    status, shown = wildgate("lexicon", "compile", "--lexicons", make_lexicon("clean"), "--output", tmp_path / "compiled")
    assert (status, Path(shown.strip()).parent, Path(shown.strip()).exists()) == (0, tmp_path / "compiled", True)


def test_a_listing_that_is_none_is_named_by_its_line(tmp_path):
    """An analyst finds it in a file of a million."""
    path = tmp_path / "listings.jsonl"
    path.write_text('{"title": "a"}\n\n[]\n', encoding="utf-8")
    with pytest.raises(WildgateError, match=r"listings\.jsonl:3: not a listing"):
        list(listings_of(path))


@pytest.mark.parametrize("command", ["lint", "test", "stats", "diff", "suggest", "new", "compile"])
def test_help_shows_a_line_to_copy(command, wildgate):
    """Each command has an example."""
    status, shown = wildgate("lexicon", command, "--help")
    assert (status, f"\n    wildgate lexicon {command}" in shown) == (0, True)
