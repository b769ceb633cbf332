"""`--fix` against triples of files: `NAME.yml` goes in, `NAME.fixed.yml` must come out, and `NAME.txt` says what was changed.

Characters that stand raw in no file are written `<U+200B>`. To take down what the repairs do now: `python tests/linter/test_fix.py`;
then read the difference.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from wildgate_service.lexicon import lint_text
from wildgate_service.lexicon.fix import fix_folder, fix_text

HERE = Path(__file__).parent / "fix"
INPUTS = sorted(path for path in HERE.glob("*.yml") if not path.stem.endswith(".fixed"))
POINT = re.compile(r"<U\+([0-9A-F]{4,6})>")
HIDDEN = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
MECHANICAL = {"LEX008", "LEX009", "LEX018"}


def spelled_out(text: str) -> str:
    """The text with `<U+200B>` and the like as the characters themselves."""
    return POINT.sub(lambda point: chr(int(point[1], 16)), text)


def hidden(text: str) -> str:
    """The other way round."""
    return HIDDEN.sub(lambda char: f"<U+{ord(char[0]):04X}>", text)


def read(source: Path) -> str:
    return spelled_out(source.read_text(encoding="utf-8"))


def expected(source: Path) -> tuple[str, str]:
    """The mended text and the changes beside an input."""
    return source.with_suffix(".fixed.yml").read_text(encoding="utf-8"), source.with_suffix(".txt").read_text(encoding="utf-8")


def mended(source: Path) -> tuple[str, str]:
    """The same as they are now."""
    text, changes = fix_text(read(source), source.name)
    return hidden(text), hidden("".join(f"{change}\n" for change in changes))


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: path.stem)
def test_a_file_is_mended_as_the_file_beside_it(source):
    """Every byte of it, and the list of changes."""
    assert mended(source) == expected(source)


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: path.stem)
def test_mending_twice_changes_nothing_more(source):
    """What is mended stays."""
    text, _ = fix_text(read(source), source.name)
    assert fix_text(text, source.name) == (text, [])


@pytest.mark.parametrize("source", [path for path in INPUTS if path.stem not in {"invisible", "duplicates"}], ids=lambda path: path.stem)
def test_nothing_mechanical_is_left(source):
    """But in block texts, and among forms that differ in more than their spelling."""
    text, _ = fix_text(read(source), source.name)
    assert {finding.code for finding in lint_text(text)} & MECHANICAL == set()


def test_lines_that_end_as_on_windows_stay_so():
    """An inserted line ends like those around it."""
    text, _ = fix_text(read(HERE / "modified.yml").replace("\n", "\r\n"))
    assert text == expected(HERE / "modified.yml")[0].replace("\n", "\r\n")


@pytest.mark.parametrize("text", ["", "- [", "a: b\n", f"- {'[' * 100_000}", "- id: &a x\n  title: *a\n", "- form: ELEPHANT\n"])
def test_what_is_no_rule_file_is_left_alone(text):
    """Whatever it is, the linter says so; nothing is repaired and nothing breaks."""
    assert fix_text(text) == (text, [])


def test_a_folder_is_mended_in_place(tmp_path):
    """Only files with something to mend are written, and one that is not UTF-8 is left."""
    folder = tmp_path / "rules" / "en"
    folder.mkdir(parents=True)
    for name in ("forms", "nothing"):
        (folder / f"{name}.yml").write_bytes(read(HERE / f"{name}.yml").encode())
    (folder / "latin1.yml").write_bytes(b"- id: \xe9\n")
    before = (folder / "nothing.yml").stat().st_mtime_ns
    changes = fix_folder(tmp_path)
    assert {change.file for change in changes} == {"rules/en/forms.yml"}
    assert (folder / "forms.yml").read_bytes() == expected(HERE / "forms.yml")[0].encode()
    assert ((folder / "nothing.yml").stat().st_mtime_ns, (folder / "latin1.yml").read_bytes()) == (before, b"- id: \xe9\n")


if __name__ == "__main__":
    for each in INPUTS:
        for path, content in zip((each.with_suffix(".fixed.yml"), each.with_suffix(".txt")), mended(each), strict=True):
            path.write_text(content, encoding="utf-8")
    sys.exit(0)
