"""The command line. Each command lives in the module of its name and is imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import click

from wildgate_service import __version__
from wildgate_service.errors import WildgateError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "serve": "Run the scoring service.",
    "score": "Score a text or a file; needs no service and records nothing.",
    "lexicon": "Check, test, count, compare, extend and compile the lexicons.",
    "policy": "Check a policy file.",
    "stream": "Score posts of a message stream after the fact.",
    "cargo": "Rank bookings of cargo, by file.",
    "backtest": "Show what one policy changes against another.",
    "model": "Build or export encoders, train the models.",
    "outcomes": "Record what a platform did, from a file.",
    "statements": "Make statements of reasons and send them to the EU's transparency database.",
    "report": "Write the transparency report.",
    "log": "Verify the log of decisions, sign where it stands.",
    "evidence": "Export what was recorded of a listing with its proof; verify it.",
    "store": "Erase what may not be kept any longer, back up the store, check it.",
    "keys": "Create, list and revoke API keys.",
    "limits": "Set, list and clear the limits of tenants.",
    "health": "Ask a running service whether it serves.",
    "settings": "Print the settings in force.",
}
USAGE_ERROR = 2


class LazyGroup(click.Group):
    """A group whose commands are imported on use, so that `wildgate score` never loads gRPC."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the documentation."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import `wildgate_service.cli.<name>` and return its `command`."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help without importing the commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wildgate")
def root() -> None:
    """Wildgate: see offers of protected wildlife while the seller presses "post"."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. A WildgateError is printed without a traceback and ends with status 2."""
    try:
        root(args=arguments, prog_name="wildgate")
    except WildgateError as error:
        click.echo(f"wildgate: {error}", err=True)
        sys.exit(USAGE_ERROR)
