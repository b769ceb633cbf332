"""The policy file: thresholds by group, market and tenant, what is in shadow, and the sentences that go with a decision."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from wildgate_service.decide.policy import Limits, Policy, Scope, Words
from wildgate_service.errors import PolicyError
from wildgate_service.policy.check import problems_of
from wildgate_service.policy.file import SHIPPED, PolicyFile, Problem, Publication, ScopeTable, problems_of_form
from wildgate_service.policy.lines import line_of, lines_of_keys

TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")
Placed = tuple[int, Problem]  # line from 1


def default_policy() -> Path:
    """The policy that ships with the service."""
    return Path(__file__).parent.parent / "policies" / "default.toml"


def load_policy(path: Path) -> Policy:
    """Read and check a policy file. Raises PolicyError that names every key that is wrong, with its line."""
    return policy_of_text(read_policy(path), str(path))


def read_policy(path: Path) -> str:
    """The text of a policy file. Raises PolicyError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"policy {path} cannot be read: {error}", file=str(path)) from error


def publication_of(path: Path) -> Publication:
    """The policy's `[report]`. Raises PolicyError if the file is not sound."""
    text = read_policy(path)
    policy_of_text(text, str(path))
    file, _ = checked(text)
    return file.report if file else Publication()


def policy_of_text(text: str, name: str) -> Policy:
    """The policy in a file's text."""
    return _policy(file_of_text(text, name))


def file_of_text(text: str, name: str) -> PolicyFile:
    """All that a policy file says. Raises PolicyError that names every key that is wrong, with its line."""
    file, placed = checked(text)
    wrong = [(line, problem) for line, problem in placed if not problem.warning]
    if file is None or wrong:
        said = "; ".join(f"line {line}: {problem}" for line, problem in wrong)
        raise PolicyError(f"policy {name}: {said}", file=name, line=wrong[0][0])
    return file


def checked(text: str) -> tuple[PolicyFile | None, list[Placed]]:
    """The file, if its form is sound, and every problem in the order of the lines."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_of_toml(str(error), text)]
    content = {name: shipped()[name] for name in SHIPPED} | content
    problems = list(problems_of_form(content))
    file = _readable(content, problems)
    if file is not None:
        problems += [each for each in problems_of(file, tuple(words())) if not _follows(each, problems)]
    lines = lines_of_keys(text) if problems else {}
    return file, sorted(((line_of(problem.path, lines), problem) for problem in problems), key=lambda placed: placed[0])


def _readable(content: dict[str, Any], problems: list[Problem]) -> PolicyFile | None:
    """The file without what is wrong with its form, so that the rest is checked too; None if nothing stands without it."""
    for problem in problems:
        table = content
        for key in problem.path[:-1]:
            table = table[key]
        if problem.path:
            table.pop(problem.path[-1], None)
    try:
        return msgspec.convert(content, PolicyFile)
    except msgspec.ValidationError:
        return None


def _follows(problem: Problem, from_form: list[Problem]) -> bool:
    """Whether something is missing in a table only because what stood there was wrong in its form."""
    return any(each.path[: len(problem.path)] == problem.path for each in from_form)


def _of_toml(said: str, text: str) -> Placed:
    """The problem that tomllib names, at its line: the last one if it says the end."""
    found = TOML_LINE.search(said)
    return int(found[1]) if found else text.rstrip().count("\n") + 1, Problem((), f"not TOML: {TOML_LINE.sub('', said).strip()}")


@cache
def shipped() -> dict[str, Any]:
    """The policy that ships, as it is written."""
    return tomllib.loads(default_policy().read_text(encoding="utf-8"))


@cache
def words() -> dict[str, Words]:
    """The words for groups and cues, by language: all languages that sentences ship in."""
    file = resources.files("wildgate_service") / "policies" / "words.toml"
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, Words])


def _policy(file: PolicyFile) -> Policy:
    return Policy(
        version=file.version,
        everywhere=Scope(file.thresholds, file.groups, file.shadow, frozenset(file.shadow_rules), file.moderator_language),
        markets={key: _scope(table) for key, table in file.markets.items()},
        tenants={key: _scope(table) for key, table in file.tenants.items()},
        reasons=file.reasons,
        notices=file.notices,
        words=words(),
        lone_form_until=file.lone_form_until,
        routing=file.routing,
        sampling=file.sampling,
    )


def _scope(table: ScopeTable) -> Scope:
    limits = Limits(table.review, table.block, table.unlisted)
    return Scope(limits, table.groups, table.shadow, frozenset(table.shadow_rules), table.moderator_language)
