"""Rule files: YAML that knows its line numbers, and the typed rules in it. CONVENTIONS.md says what each field means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.plain_yaml import DEEPEST, LINE, NotPlainError, load_plain
from wildgate_service.types import Level, RuleKind

Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Requires(Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of which one must stand within so many code points."""

    kinds: Annotated[tuple[RuleKind, ...], Meta(min_length=1)]
    within: Annotated[int, Meta(ge=1)]


class Reach(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Taxon groups that a benign context speaks of (`*`: all), and how near; 0: inside the context's own form.

    `forms`, where it cancels: it speaks of these alone, in whatever language they are forms.
    """

    groups: Annotated[tuple[str, ...], Meta(min_length=1)]
    within: Annotated[int, Meta(ge=0)]
    forms: tuple[str, ...] = ()


class Entry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One surface form. `level`, `marks`, `taxa` and `references` fall back to the rule's; `reading` is how it is pronounced.

    `line` says where it stands.
    """

    form: str
    gloss: str
    match: Literal["word", "prefix", "substring", "amount"] = "word"
    level: Level | None = None
    fuzzy: bool | None = None
    marks: Literal["", "protected", "free"] = ""
    requires: Requires | None = None
    taxa: tuple[str, ...] = ()
    reading: str = ""
    references: tuple[str, ...] = ()
    line: int = 0


class Examples(Struct, frozen=True, forbid_unknown_fields=True):
    """Texts that must fire the rule, and texts that must not."""

    match: tuple[str, ...]
    no_match: tuple[str, ...]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule; `file` and `line` say where it stands."""

    id: str
    title: str
    status: Literal["experimental", "test", "stable", "deprecated"]
    description: str
    language: str
    taxa: tuple[str, ...]
    kind: RuleKind
    level: Level
    entries: Annotated[tuple[Entry, ...], Meta(min_length=1)]
    falsepositives: tuple[str, ...]
    references: tuple[str, ...]
    visibility: Literal["public", "restricted"]
    examples: Examples
    author: str
    reviewed_by: str
    date: str
    modified: str
    cue_type: str = ""
    cancels: Reach | None = None
    weakens: Reach | None = None
    file: str = ""
    line: int = 0

    def level_of(self, entry: Entry) -> Level:
        """How strong an entry is."""
        return entry.level or self.level

    def sources_of(self, entry: Entry) -> tuple[str, ...]:
        """Locators of an entry, without the word unreviewed."""
        return tuple(source for source in entry.references or self.references if source != "unreviewed")

    def protects_marks(self, entry: Entry) -> bool:
        """Whether the entry's marks tell words apart."""
        return (entry.marks or ("protected" if self.language == "vi" else "free")) == "protected"


class _LineLoader(Loader):  # type: ignore[misc]
    """Keeps the line of each mapping under `LINE`, and dates as text."""


def _mapping(
    loader: Any,  # noqa: ANN401  (PyYAML has no type for it)
    node: yaml.MappingNode,
) -> dict[str, Any]:
    value = loader.construct_mapping(node, deep=True)
    names = [key.value for key, _ in node.value]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise yaml.constructor.ConstructorError(problem=f"the key {twice} stands twice", problem_mark=node.start_mark)
    value[LINE] = node.start_mark.line + 1
    return dict(value)


_LineLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
_LineLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def load_yaml(text: str, file: str) -> list[dict[str, Any]]:
    """The mappings of a rule file, each with its line. Raises LexiconError with file and line."""
    try:
        loaded = _load(text)
    except UnicodeEncodeError as error:
        raise LexiconError("not YAML: not UTF-8", file=file, line=text.count("\n", 0, error.start) + 1) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        raise LexiconError(f"not YAML: {problem}", file=file, line=mark.line + 1 if mark else 1) from error
    if not isinstance(loaded, list) or not all(isinstance(item, dict) for item in loaded):
        raise LexiconError("a rule file is a list of rules, each a mapping", file=file, line=1)
    return loaded


def _load(text: str) -> Any:  # noqa: ANN401  (whatever YAML holds)
    try:
        return load_plain(text, _LineLoader)
    except (NotPlainError, yaml.YAMLError):
        return load_slowly(text)


def load_slowly(text: str) -> Any:  # noqa: ANN401  (whatever YAML holds)
    """All that YAML can say but aliases, as PyYAML reads it, each mapping with its line. Raises YAMLError, which says what is wrong."""
    _check_shape(text)
    return yaml.load(text, _LineLoader)  # noqa: S506  (a safe loader)


def _check_shape(text: str) -> None:
    """Raise YAMLError for what the composer cannot bear: aliases, which multiply, and a depth at which its recursion ends the process."""
    depth = 0
    for event in yaml.parse(text, _LineLoader):
        place: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not read; write it out", problem_mark=place)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DEEPEST} levels", problem_mark=place)


def read_version(root: Path) -> str:
    """SemVer of a lexicon folder's content. Raises LexiconError if it has no VERSION."""
    try:
        return (root / "VERSION").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LexiconError(f"cannot be read: {error.strerror}", file=str(root / "VERSION")) from error


def rule_files(root: Path) -> list[Path]:
    """All rule files below a lexicon folder, in order. Raises LexiconError if there is none.

    Names that begin with a dot are not: editors and Kubernetes volumes keep files and folders of their own under such.
    """
    files = sorted(file for file in (root / "rules").glob("*/*.yml") if not file.name.startswith(".") and file.parent.name[0] != ".")
    if not files:
        raise LexiconError(f"no rule files below {root / 'rules'}; is this a lexicon folder?")
    return files


def read_rules(root: Path) -> tuple[Rule, ...]:
    """Every rule of a lexicon folder. Raises LexiconError with file and line at the first that is broken."""
    return tuple(rule for file in rule_files(root) for rule in rules_of_text(_read(file), str(file.relative_to(root))))


def rules_of_text(text: str, file: str) -> Iterator[Rule]:
    """The rules of one file's text."""
    for item in load_yaml(text, file):
        line = item[LINE]
        try:
            yield msgspec.convert({**strip_lines(item), **_entries_with_lines(item), "file": file, "line": line}, Rule)
        except msgspec.ValidationError as error:
            raise LexiconError(f"rule {item.get('id', '?')}: {error}", file=file, line=line) from error


def _entries_with_lines(item: dict[str, Any]) -> dict[str, Any]:
    """The entries of a loaded rule, each with its line; {} if they are not a list of mappings, which is then said of the rule."""
    entries = item.get("entries")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return {}
    return {"entries": [{**strip_lines(entry), "line": entry[LINE]} for entry in entries]}


def strip_lines(value: Any) -> Any:  # noqa: ANN401  (whatever YAML holds)
    """The loaded value without line numbers."""
    if isinstance(value, dict):
        return {key: strip_lines(inner) for key, inner in value.items() if key != LINE}
    return [strip_lines(inner) for inner in value] if isinstance(value, list) else value


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LexiconError(f"not UTF-8 at byte {error.start}", file=str(file), line=1) from error
    except OSError as error:
        raise LexiconError(f"cannot be read: {error.strerror}", file=str(file), line=1) from error
