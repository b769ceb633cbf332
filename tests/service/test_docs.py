"""The documentation is tested: everything there is is in it, every link leads somewhere, what it shows runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from wildgate.v1 import errors_pb2, lexicon_pb2, scoring_pb2, transparency_pb2
from wildgate_service.annex1 import check as annex_check
from wildgate_service.cli import root
from wildgate_service.lexicon import linter
from wildgate_service.match.views import VIEWS
from wildgate_service.settings import FIELDS

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
LINKING = [
    *DOCUMENTS,
    *(
        REPOSITORY / name
        for name in ("CONTRIBUTING.md", "CHANGELOG.md", "sdk/README.md", "benchmarks/README.md", "lexicons/CONVENTIONS.md")
    ),
]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\\)\]\(<?([^)\s>]+)>?\)")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


TEXT = "\n".join(map(read, DOCUMENTS))
SECTIONS = re.split(r"^#{1,6} ", FENCE.sub("", TEXT), flags=re.MULTILINE) + [found[2] for found in FENCE.finditer(TEXT)]


def commands(group: click.Group, path: str = "wildgate") -> dict[str, click.Command]:
    """Every command by its full name, groups left out unless they do something by themselves."""
    context = click.Context(group)
    found: dict[str, click.Command] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found[f"{path} {name}"] = command
        if isinstance(command, click.Group):
            found |= commands(command, f"{path} {name}")
    return found


COMMANDS = commands(root)
OPTIONS = [
    (name, option)
    for name, command in COMMANDS.items()
    for each in command.params
    if isinstance(each, click.Option)
    for option in each.opts
]
SERVICES = [scoring_pb2, transparency_pb2, lexicon_pb2]
RPCS = [method.name for module in SERVICES for service in module.DESCRIPTOR.services_by_name.values() for method in service.methods]
REASONS = [value.name for value in errors_pb2.ErrorReason.DESCRIPTOR.values if value.number]


def _is_named(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def is_documented(word: str) -> bool:
    """Whether a document names it."""
    return _is_named(word, TEXT)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    """By its full name."""
    assert is_documented(command)


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda value: value)
def test_every_option_is_documented(command, option):
    """Under a heading, or in an example, that names its command."""
    assert any(_is_named(option, section) for section in SECTIONS if _is_named(command, section))


@pytest.mark.parametrize("setting", FIELDS)
def test_every_setting_is_documented(setting):
    """As code, so that it can be found."""
    assert f"`{setting}`" in TEXT


@pytest.mark.parametrize("rpc", RPCS)
def test_every_rpc_is_documented(rpc):
    """Of all three services."""
    assert is_documented(rpc)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_an_error_is_documented(reason):
    """By its full name; the reference says what it loses on the wire."""
    assert is_documented(reason)


@pytest.mark.parametrize("code", sorted(set(re.findall(r"(?:LEX|ANX)\d{3}", f"{linter.__doc__} {annex_check.__doc__}"))))
def test_every_code_of_a_check_is_documented(code):
    """Whoever gets one looks for it."""
    assert is_documented(code)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_among_the_concepts(view):
    """As code, in the table of views: an answer names it."""
    assert f"\n| `{view}` " in read(REPOSITORY / "docs/concepts.md")


def links() -> list[tuple[str, str]]:
    """(document, target) of every link that is not to the web."""
    found = [(path, target) for path in LINKING for target in LINK.findall(FENCE.sub("", read(path)))]
    return [
        (str(path.relative_to(REPOSITORY)), target) for path, target in found if "://" not in target and not target.startswith("mailto:")
    ]


def _anchors(text: str) -> set[str]:
    """The headings of a document as a forge links to them."""
    headings = re.findall(r"^#{1,6} (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("document", "target"), links())
def test_a_link_leads_to_a_file_and_a_heading_that_exist(document, target):
    """Relative to the document that it stands in."""
    path, _, anchor = target.partition("#")
    file = (REPOSITORY / document).parent / path if path else REPOSITORY / document
    assert file.exists()
    assert not anchor or anchor in _anchors(read(file))


SHELL = [line for language, block in FENCE.findall(read(REPOSITORY / "README.md")) if language == "bash" for line in block.splitlines()]
SHOWN = [shlex.split(line.lstrip("$ "), comments=True) for line in SHELL if re.match(r" *(\$ )?wildgate ", line)]


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_a_command_that_the_readme_shows_exists_with_its_options(words):
    """Nobody copies what fails at once."""
    name = max((name for name in COMMANDS if words[: len(name.split())] == name.split()), key=len)
    assert {word for word in words if word.startswith("--")} <= {option for command, option in OPTIONS if command == name}


@pytest.mark.parametrize("line", [line.strip() for line in SHELL if line.strip().startswith("$ wildgate score --text")])
def test_a_text_that_the_readme_scores_is_scored(line, tmp_path, encoder_path):
    """As it is printed, by the command that is installed beside this Python."""
    assert encoder_path.exists()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WILDGATE_")}
    words = shlex.split(line.removeprefix("$ "), comments=True)
    command = [sys.executable, "-c", "from wildgate_service.cli import main; main()", *words[1:]]
    done = subprocess.run(command, cwd=tmp_path, env=inherited, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:1]) == (0, "{"), done.stderr


def test_the_readme_scores_a_text():
    """So that the test above is not empty."""
    assert any(line.strip().startswith("$ wildgate score --text") for line in SHELL)
