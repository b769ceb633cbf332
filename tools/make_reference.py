"""Write docs/reference.md from the code itself: every command, setting, RPC, message field and error reason.

python tools/make_reference.py            # write
python tools/make_reference.py --check    # fail if the committed page is not what the code says
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
from wildgate_service.annex1 import check as annex_check
from wildgate_service.cli import COMMANDS
from wildgate_service.lexicon import linter
from wildgate_service.settings import FIELDS, PREFIX, load_settings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference.md"
PROTO = ("scoring", "transparency", "lexicon", "types", "errors")


def page() -> str:
    """The whole page."""
    parts = ["# Reference", "Made by `tools/make_reference.py` from the code; do not edit.", "## Commands"]
    for name in COMMANDS:
        parts += command(import_module(f"wildgate_service.cli.{name}").command, f"wildgate {name}")
    parts += ["## Settings", *settings(), "## Contract"]
    for name in PROTO:
        parts += contract(name)
    parts += ["## Linter", (linter.__doc__ or "").partition("\n\n")[2].strip()]
    parts += ["## Check of published reports", (annex_check.__doc__ or "").partition("\n\n")[2].strip()]
    return "\n\n".join(parts) + "\n"


def command(made: click.Command, path: str) -> Iterator[str]:
    """A command with its arguments, and the commands below it."""
    if isinstance(made, click.Group):
        if made.invoke_without_command:
            yield from alone(made, path)
        for name, inner in made.commands.items():
            yield from command(inner, f"{path} {name}")
        return
    yield from alone(made, path)


def alone(made: click.Command, path: str) -> Iterator[str]:
    """A command with its arguments and options."""
    arguments = " ".join(
        f"[{parameter.name.upper()}]" for parameter in made.params if isinstance(parameter, click.Argument) and parameter.name
    )
    yield f"### `{path}{' ' + arguments if arguments else ''}`\n\n{clean(made.help or '')}"
    options = [parameter for parameter in made.params if isinstance(parameter, click.Option)]
    if options:
        rows = [f"| `{' '.join(option.opts)}` | {clean(option.help or '')} |" for option in options]
        yield "\n".join(["| option | |", "|---|---|", *rows])


def settings() -> Iterator[str]:
    """The table of settings."""
    yield (
        f"From a TOML file (`--config FILE` or `{PREFIX}CONFIG`), from variables `{PREFIX}<NAME>`, "
        "and from the command line; the later wins. "
        "`wildgate settings` prints those in force and where each came from, secrets masked."
    )
    defaults = {setting.name: setting for setting in load_settings(environment={}).table()}
    rows = [f"| `{name}` | {shown(name, defaults[name].value)} | {defaults[name].description} |" for name in FIELDS]
    yield "\n".join(["| setting | default | |", "|---|---|---|", *rows])


def shown(name: str, value: str) -> str:
    """A default, without this machine's paths."""
    return "`~/.cache/wildgate`" if name == "cache" else f"`{value}`" if value else ""


def contract(name: str) -> Iterator[str]:
    """A proto file: its services and messages with the comments that stand over each element."""
    text = (ROOT / f"proto/wildgate/v1/{name}.proto").read_text(encoding="utf-8")
    yield f"### `{name}.proto`"
    lines: list[str] = []
    comment: list[str] = []
    depth = 0
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("//"):
            comment.append(line.removeprefix("//").strip())
            continue
        element = re.match(r"(service|message|enum|rpc|oneof)? ?([\w.<>, ]+?)(?:\(| =| \{|;)", line)
        if comment and element and not line.startswith(("syntax", "package", "import")):
            kind, label = element.group(1), element.group(2).split()[-1]
            title = f"**{kind} `{label}`**" if kind in {"service", "message", "enum"} and depth == 0 else f"`{label}`"
            lines.append(f"{'  ' * depth}- {title}: {clean(' '.join(comment))}")
        comment = []
        depth += line.count("{") - line.count("}")
    yield "\n".join(lines)


def clean(text: str) -> str:
    """One paragraph, safe in a table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def main() -> None:
    """Write or check."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/reference.md is not what the code says: run python tools/make_reference.py and commit")


if __name__ == "__main__":
    main()
