"""Repairs of what the linter finds and a machine may mend: edits of single values, so that every other byte of a file stays.

The YAML is composed, not loaded, so that each value is known with its place; comments, order, quotes and line ends are left alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.linter.by_form import as_written, duplicate_key
from wildgate_service.lexicon.linter.invisible import escaped, invisible_places
from wildgate_service.lexicon.rules import Entry, Loader, Rule, load_yaml, rule_files, rules_of_text

BYTE_ORDER_MARK = "\ufeff"
BLOCK_STYLES = frozenset({"|", ">"})


class Change(Struct, frozen=True):
    """One repair; prints as `file:line: CODE message`."""

    file: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.message}"


class Edit(Struct, frozen=True):
    """`[start, end)` of a file's text becomes `new`; indices in code points."""

    start: int
    end: int
    new: str
    code: str
    message: str


Step = Callable[[str, str], Iterator[Edit]]


def fix_folder(root: Path, pack: str = "") -> list[Change]:
    """Mend every rule file below a lexicon folder or a pack in place; returns what was changed. A file that is not UTF-8 is left."""
    changes: list[Change] = []
    for path in rule_files(root):
        try:
            before = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        name = str(path.relative_to(root))
        after, found = fix_text(before, f"{pack}/{name}" if pack else name)
        if after != before:
            _replace(path, after)
        changes += found
    return changes


def fix_text(text: str, file: str = "rules.yml") -> tuple[str, list[Change]]:
    """A rule file's text mended, and what was changed. Mending what is mended changes nothing."""
    changes: list[Change] = []
    for step in STEPS:
        edits = sorted(step(text, file), key=lambda edit: edit.start)
        changes += [Change(file, text.count("\n", 0, edit.start) + 1, edit.code, edit.message) for edit in edits]
        for edit in reversed(edits):
            text = text[: edit.start] + edit.new + text[edit.end :]
    return text, changes


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(text.encode("utf-8"))
    partial.chmod(path.stat().st_mode)
    partial.replace(path)


def _drop_mark(text: str, file: str) -> Iterator[Edit]:
    del file
    if text.startswith(BYTE_ORDER_MARK):
        yield Edit(0, 1, "", "LEX008", "byte order mark removed")


def _write_forms(text: str, file: str) -> Iterator[Edit]:
    """Forms in lower case, NFC, without needless blanks and invisible characters."""
    for rule in _rules(text, file):
        language = _scalar(rule, "language")
        for entry in _items(rule, "entries"):
            form = _scalar(entry, "form")
            if form is None or form.style in BLOCK_STYLES or form.tag != "tag:yaml.org,2002:str":
                continue
            right = as_written(form.value, language.value if language else "")
            if right and right != form.value:
                new = _rendered(right, form.style)
                yield Edit(*_span(form), new, "LEX018", f"form {form.value!r} is now {right!r}")


def _escape_invisible(text: str, file: str) -> Iterator[Edit]:
    """Raw invisible characters as escapes: in quotes where they stand, else the whole value in quotes, in comments as text."""
    left = invisible_places(text)
    if not left:
        return
    for scalar in (scalar for rule in _rules(text, file) for scalar in _scalars(rule)):
        start, end = _span(scalar)
        inside = [at for at in left if start <= at < end]
        left = [at for at in left if not start <= at < end]
        if not inside or scalar.style in BLOCK_STYLES:
            continue
        names = ", ".join(dict.fromkeys(_name(text[at]) for at in inside))
        if scalar.style == '"':
            yield from (Edit(at, at + 1, f"\\u{ord(text[at]):04x}", "LEX008", f"{_name(text[at])} is now an escape") for at in inside)
        else:
            yield Edit(start, end, _rendered(scalar.value, '"'), "LEX008", f"{names} is now an escape, in double quotes")
    for at in left:
        if "#" in text[text.rfind("\n", 0, at) + 1 : at]:
            yield Edit(at, at + 1, f"\\u{ord(text[at]):04x}", "LEX008", f"{_name(text[at])} in a comment is now an escape")


def _add_modified(text: str, file: str) -> Iterator[Edit]:
    """`modified` below `date`, with the same day, where there is none."""
    for rule in _rules(text, file):
        keys = {key.value: key for key, _ in rule.value}
        date = _scalar(rule, "date")
        if date is None or "modified" in keys or rule.flow_style:
            continue
        start, end = _span(date)
        stop = _line_end(text, end)
        newline = "\r\n" if "\r\n" in text else "\n"
        lead = "" if text[:stop].endswith("\n") else newline
        indent = " " * keys["date"].start_mark.column
        yield Edit(stop, stop, f"{lead}{indent}modified: {text[start:end]}{newline}", "LEX002", f"modified added, as date: {date.value}")


def _drop_duplicates(text: str, file: str) -> Iterator[Edit]:
    """Entries that match what an earlier one of their rule matches and say nothing else, but perhaps another gloss."""
    try:
        rules = list(rules_of_text(text, file))
    except LexiconError:
        return
    for rule, node in zip(rules, _rules(text, file), strict=True):
        first: dict[str, Entry] = {}
        for entry, place in zip(rule.entries, _items(node, "entries"), strict=True):
            earlier = first.setdefault(duplicate_key(rule, entry), entry)
            lines = _own_lines(text, place)
            if earlier is not entry and lines and _says_no_more(rule, entry, earlier):
                message = f"form {entry.form!r} ({entry.gloss}) removed; it stands already as {earlier.form!r} ({earlier.gloss})"
                yield Edit(*lines, "", "LEX009", message)


def _says_no_more(rule: Rule, entry: Entry, earlier: Entry) -> bool:
    same = msgspec.structs.replace(entry, form=earlier.form, gloss=earlier.gloss, line=earlier.line, level=rule.level_of(entry))
    return same == msgspec.structs.replace(earlier, level=rule.level_of(earlier))


STEPS: tuple[Step, ...] = (_drop_mark, _write_forms, _escape_invisible, _add_modified, _drop_duplicates)


# --- the composed text -----------------------------------------------------------------------------


def _rules(text: str, file: str) -> list[yaml.MappingNode]:
    """The rules of a text as nodes with places; none if it cannot be read."""
    try:
        load_yaml(text, file)  # refuses what the composer cannot bear
    except LexiconError:
        return []
    root = yaml.compose(text, Loader)
    return [item for item in root.value if isinstance(item, yaml.MappingNode)] if isinstance(root, yaml.SequenceNode) else []


def _value(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in node.value if key.value == name), None)


def _scalar(node: yaml.MappingNode, name: str) -> yaml.ScalarNode | None:
    value = _value(node, name)
    return value if isinstance(value, yaml.ScalarNode) else None


def _items(node: yaml.MappingNode, name: str) -> list[yaml.MappingNode]:
    value = _value(node, name)
    return [item for item in value.value if isinstance(item, yaml.MappingNode)] if isinstance(value, yaml.SequenceNode) else []


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Every scalar below a node, keys too."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(key)
            yield from _scalars(value)


def _span(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _own_lines(text: str, entry: yaml.MappingNode) -> tuple[int, int] | None:
    """The lines of an entry of a block list, whole; None if it shares its first line with anything but its dash."""
    start = text.rfind("\n", 0, entry.start_mark.index) + 1
    if text[start : entry.start_mark.index].strip() != "-":
        return None
    last = max(scalar.end_mark.index for scalar in _scalars(entry))
    end = entry.end_mark.index if entry.flow_style else last
    return start, _line_end(text, end)


def _line_end(text: str, at: int) -> int:
    """Index behind the line end at or after `at`."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _rendered(value: str, style: str | None) -> str:
    """A value as YAML in the style it had; in double quotes if it cannot stand there in that style."""
    if style == "'" and not invisible_places(value):
        return "'" + value.replace("'", "''") + "'"
    if not style and _is_plain(value):
        return value
    return escaped(json.dumps(value, ensure_ascii=False))


def _is_plain(value: str) -> bool:
    """Whether a value reads as itself without quotes, in a list of either style."""
    if invisible_places(value):
        return False
    try:
        return [yaml.load(f"[{value}]", Loader), yaml.load(f"- {value}", Loader)] == [[value], [value]]  # noqa: S506  (a safe loader)
    except yaml.YAMLError:
        return False


def _name(char: str) -> str:
    return f"U+{ord(char):04X}"
