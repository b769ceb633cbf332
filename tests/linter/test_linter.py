"""The linter against pairs of files: `LEX0xx-what.yml` goes in, the lines of `LEX0xx-what.txt` must come out.

A pair is linted as the only file, below `rules/en/`, of a lexicon folder of version 1.0.0. It is locked as it stands, or by a
`.lock.json` beside it. An invisible character is written `<U+200B>` here and spelled out for the linter.
To take down what the linter says now: `python tests/linter/test_linter.py`; then read the difference.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import get_args, get_type_hints

import jsonschema
import msgspec
import pytest
from wildgate_service.errors import LexiconError
from wildgate_service.lexicon import default_lexicons, lint, lint_text, linter, read_rules
from wildgate_service.lexicon.linter import by_rule
from wildgate_service.lexicon.lock import write_lock
from wildgate_service.lexicon.rules import Entry, Rule, load_yaml, rule_files, strip_lines
from wildgate_service.match.company import AMOUNT
from wildgate_service.types import Level, RuleKind

HERE = Path(__file__).parent
INPUTS = sorted(HERE.glob("LEX*.yml"))
POINT = re.compile(r"<U\+([0-9A-F]{4,6})>")
CODE = re.compile(r"LEX\d{3}")
ALONGSIDE = {"LEX008": {"LEX018"}, "LEX021": {"LEX003"}}  # invisible in a form; a language that has no folder
TAXA = "taxon,scientific_name,rank,group,common_name\nelephant,Elephantidae,family,elephant,elephants\n"
PROTECTION = "taxon,list,appendix,market,valid_from,valid_to,source,note\nelephant,CITES,I,,,,CITES,\n"


def write_folder(root: Path, source: Path) -> Path:
    """A lexicon folder with one rule file."""
    folder = root / "rules" / "en"
    folder.mkdir(parents=True)
    (folder / source.name).write_text(spelled_out(source.read_text(encoding="utf-8")), encoding="utf-8")
    (root / "taxa.csv").write_text(TAXA, encoding="utf-8")
    (root / "protection.csv").write_text(PROTECTION, encoding="utf-8")
    (root / "VERSION").write_text("1.0.0\n", encoding="utf-8")
    lock = source.with_suffix(".lock.json")
    if lock.exists():
        shutil.copy(lock, root / "lock.json")
    else:
        write_lock(root, _readable_rules(root))
    return root


def spelled_out(text: str) -> str:
    """The text with `<U+200B>` and the like as the characters themselves, which stand raw in no file of the repository."""
    return POINT.sub(lambda point: chr(int(point[1], 16)), text)


def _readable_rules(root: Path) -> tuple[Rule, ...]:
    try:
        return read_rules(root)
    except LexiconError:
        return ()


def findings_of(root: Path, source: Path) -> str:
    """One line per finding: `line: CODE message (hint)`."""
    lines = (str(finding).removeprefix(f"{finding.file}:") for finding in lint(write_folder(root, source)))
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: path.stem)
def test_a_file_has_exactly_the_findings_beside_it(source, tmp_path):
    """Code, line, message and hint; nothing else is found in it."""
    assert findings_of(tmp_path, source) == source.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: path.stem)
def test_a_pair_is_about_the_code_in_its_name(source):
    """LEX000 stands for none. A lock cannot hold one id twice."""
    found = set(CODE.findall(source.with_suffix(".txt").read_text(encoding="utf-8")))
    wanted = {source.stem[:6]} - {"LEX000"}
    allowed = wanted | {"LEX017"} | ALONGSIDE.get(source.stem[:6], set())
    assert wanted <= found <= allowed if wanted else found == set()


def test_the_table_of_codes_the_source_and_the_pairs_agree():
    """Every code is documented once, used, and shown by a pair."""
    documented = re.findall(r"^\| (LEX\d{3}) \|", linter.__doc__ or "", re.MULTILINE)
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path(linter.__file__).parent.glob("*.py")))
    used = set(CODE.findall(source.replace(linter.__doc__ or "", "")))
    shown = {source.stem[:6] for source in INPUTS} - {"LEX000"}
    assert documented == sorted(set(documented))
    assert set(documented) == used == shown


def test_a_file_that_is_not_utf8_is_a_finding(tmp_path):
    """With the line where it breaks; no pair holds it, so that every file of this repository is text."""
    root = write_folder(tmp_path, HERE / "LEX000-nothing-wrong.yml")
    (root / "rules" / "en" / "broken.yml").write_bytes(b"- id: en-broken\n  title: \xff\n")
    assert [(finding.file, finding.line, finding.code) for finding in lint(root)] == [("rules/en/broken.yml", 2, "LEX001")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("taxa.csv", f"{TAXA}tiger,Panthera tigris,species,bigcat,tiger\n", "taxa.csv:3: LEX004 unknown taxon group 'bigcat'"),
        ("taxa.csv", f"{TAXA}elephant,Loxodonta,genus,elephant,\n", "taxa.csv:3: LEX004 taxon elephant stands twice"),
        ("taxa.csv", "taxon,name\n", "taxa.csv:1: LEX004 columns must be taxon,scientific_name"),
        ("protection.csv", f"{PROTECTION}tiger,CITES,I,,,,CITES,\n", "protection.csv:3: LEX004 taxon tiger is not in taxa.csv"),
    ],
)
def test_a_broken_table_is_found_with_its_line(name, content, expected, tmp_path):
    """Rules cannot be judged without it, so it is the only finding."""
    root = write_folder(tmp_path, HERE / "LEX000-nothing-wrong.yml")
    (root / name).write_text(content, encoding="utf-8")
    (finding,) = lint(root)
    assert str(finding).startswith(expected)


def test_a_table_that_is_not_utf8_is_found(tmp_path):
    """And does not end the linter."""
    root = write_folder(tmp_path, HERE / "LEX000-nothing-wrong.yml")
    (root / "taxa.csv").write_bytes(b"\xff")
    assert [finding.code for finding in lint(root)] == ["LEX004"]


def test_a_folder_without_a_lock_is_found(tmp_path):
    """Nobody can say what changed."""
    root = write_folder(tmp_path, HERE / "LEX000-nothing-wrong.yml")
    (root / "lock.json").unlink()
    assert [str(finding) for finding in lint(root)] == ["lock.json:1: LEX017 there is no lock (wildgate lexicon lint --update-lock)"]


@pytest.mark.parametrize(("name", "content"), [("lock.json", "[]"), ("lock.json", "{"), ("VERSION", None)])
def test_a_folder_that_cannot_be_locked_is_a_lexicon_error(name, content, tmp_path):
    """A damaged lock, or none to compare with; never a traceback."""
    root = write_folder(tmp_path, HERE / "LEX000-nothing-wrong.yml")
    (root / name).unlink()
    if content is not None:
        (root / name).write_text(content, encoding="utf-8")
    with pytest.raises(LexiconError, match=name):
        lint(root)


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [("public", ["customs/rules/en/goods.yml:1: LEX016 en-ivory-goods: public rule in a restricted pack"]), ("restricted", [])],
)
def test_a_pack_holds_restricted_rules_alone(visibility, expected, tmp_path):
    """It is linted beside the public lexicon, named by its folder, and has no lock."""
    root = write_folder(tmp_path / "public", HERE / "LEX020-cancels-from-afar.yml")
    pack = tmp_path / "customs" / "rules" / "en" / "goods.yml"
    pack.parent.mkdir(parents=True)
    text = (HERE / "LEX000-nothing-wrong.yml").read_text(encoding="utf-8").partition("- id: en-trade-sell")[0]
    pack.write_text(text.replace("visibility: public", f"visibility: {visibility}"), encoding="utf-8")
    found = [str(finding) for finding in lint(root, (tmp_path / "customs",)) if finding.file.startswith("customs/")]
    assert [finding.partition(" (")[0] for finding in found] == expected


def test_an_id_of_the_public_lexicon_is_none_of_a_pack(tmp_path):
    """Ids are unique in the world."""
    root = write_folder(tmp_path / "public", HERE / "LEX000-nothing-wrong.yml")
    pack = tmp_path / "customs" / "rules" / "en"
    pack.mkdir(parents=True)
    shutil.copy(HERE / "LEX016-restricted.yml", pack)
    assert "LEX003" in {finding.code for finding in lint(root, (tmp_path / "customs",))}


def test_a_text_by_itself_is_linted_without_tables_or_lock():
    """As `ValidateRules` does: line and code, and no word on taxa that it cannot know."""
    text = (HERE / "LEX004-unknown-taxon.yml").read_text(encoding="utf-8")
    assert lint_text(text) == []


def test_a_text_nested_without_end_does_not_end_the_process():
    """The C parser composes by recursion, so that 100,000 brackets would be a segmentation fault."""
    assert [finding.code for finding in lint_text(f"- {'[' * 100_000}")] == ["LEX001"]


def test_aliases_are_refused_before_they_multiply():
    """Nine levels of nine would be half a billion values."""
    levels = "".join(f"  k{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    assert [finding.code for finding in lint_text(f"- id: &a0 x\n{levels}")] == ["LEX001"]


# --- the schema ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema():
    """SCHEMA.json."""
    return json.loads((default_lexicons() / "SCHEMA.json").read_text(encoding="utf-8"))


def inlined(part, names):
    """A part of a schema with what its references name in their place, which is how jsonschema is twice as fast."""
    if isinstance(part, list):
        return [inlined(each, names) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" not in part:
        return {key: inlined(value, names) for key, value in part.items()}
    named = names[part["$ref"].removeprefix("#/$defs/")]
    beside = {key: value for key, value in part.items() if key != "$ref"}
    assert named.keys() & beside.keys() <= {"description"}
    return inlined({**named, **beside}, names)


@pytest.fixture(scope="module")
def validator(schema):
    """What validates by it."""
    return jsonschema.Draft202012Validator(inlined({key: value for key, value in schema.items() if key != "$defs"}, schema["$defs"]))


def test_the_schema_accepts_every_shipped_rule_file(validator):
    """What the linter takes, an editor with the schema takes too."""
    wrong = [
        f"{file.name} {error.json_path}: {error.message}"
        for file in rule_files(default_lexicons())
        for error in validator.iter_errors(strip_lines(load_yaml(file.read_text(encoding="utf-8"), file.name)))
    ]
    assert wrong == []


@pytest.mark.parametrize("source", [path for path in INPUTS if path.stem.startswith("LEX002")], ids=lambda path: path.stem)
def test_the_schema_refuses_what_the_linter_cannot_read(source, schema, validator):
    """Each pair of LEX002 is invalid for both; and to have references inlined changes nothing in what is said of it."""
    rules = strip_lines(load_yaml(source.read_text(encoding="utf-8"), source.name))
    said = [
        [(error.json_path, error.message) for error in each.iter_errors(rules)]
        for each in (jsonschema.Draft202012Validator(schema), validator)
    ]
    assert said[0] == said[1] != []


def _choices(kind: type, field: str) -> set[str]:
    """The texts that a field typed as a Literal may hold, "" (not said) left out."""
    return set(get_args(get_type_hints(kind)[field])) - {""}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("kind",), {kind.value for kind in RuleKind}),
        (("level",), {level.value for level in Level}),
        (("rule", "properties", "cue_type"), {*by_rule.EVASIONS, AMOUNT}),
        (("rule", "properties", "language"), set(by_rule.LANGUAGES)),
        (("rule", "properties", "status"), _choices(Rule, "status")),
        (("rule", "properties", "visibility"), _choices(Rule, "visibility")),
        (("entry", "properties", "match"), _choices(Entry, "match")),
        (("entry", "properties", "marks"), _choices(Entry, "marks")),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_the_schemas_choices_are_the_codes(schema, place, expected):
    """Two lists of one thing, held together."""
    found = schema["$defs"]
    for name in place:
        found = found[name]
    assert set(found["enum"]) == expected


@pytest.mark.parametrize(("kind", "definition"), [(Rule, "rule"), (Entry, "entry")])
def test_the_schemas_fields_are_the_codes(schema, kind, definition):
    """A field that one of them does not know is refused by it; `file` and `line` are the reader's."""
    fields = {field.name: field.required for field in msgspec.structs.fields(kind) if field.name not in {"file", "line"}}
    found = schema["$defs"][definition]
    assert set(found["properties"]) == set(fields)
    assert set(found["required"]) == {name for name, required in fields.items() if required}


if __name__ == "__main__":
    for each in INPUTS:
        with tempfile.TemporaryDirectory() as folder:
            each.with_suffix(".txt").write_text(findings_of(Path(folder), each), encoding="utf-8")
    sys.exit(0)
