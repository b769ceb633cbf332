"""`wildgate lexicon`: what an analyst needs, from the first suspicion to a locked version."""

from __future__ import annotations

import click

from wildgate_service.cli.lexicon.compile import compile_command
from wildgate_service.cli.lexicon.diff import diff_command
from wildgate_service.cli.lexicon.lint import lint_command
from wildgate_service.cli.lexicon.new import new_command
from wildgate_service.cli.lexicon.stats import stats_command
from wildgate_service.cli.lexicon.suggest import suggest_command
from wildgate_service.cli.lexicon.test import test_command

__all__ = ["command"]


@click.group()
def command() -> None:
    """Lint, test, count, compare and extend the lexicons."""


for each in (lint_command, test_command, stats_command, diff_command, suggest_command, new_command, compile_command):
    command.add_command(each)
