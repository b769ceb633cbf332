"""`wildgate lexicon new`."""

from __future__ import annotations

import datetime as dt

import click

from wildgate_service.cli.lexicon import options
from wildgate_service.lexicon.draft import DraftForm, draft_rule
from wildgate_service.lexicon.linter.by_rule import LANGUAGES
from wildgate_service.types import RuleKind


@click.command(
    "new",
    epilog=options.examples(
        'wildgate lexicon new en-ivory-sweets --language en --form "white chocolate" >> lexicons/rules/en/ivory.yml',
    ),
)
@click.argument("rule_id")
@click.option("--language", required=True, type=click.Choice(sorted(LANGUAGES)), metavar="XX", help="Language of the rule.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in RuleKind]), default="code_word", show_default=True, help="Kind of the rule."
)
@click.option("--form", "forms", multiple=True, required=True, help="A form of the rule; may be given several times.")
def new_command(rule_id: str, language: str, kind: str, forms: tuple[str, ...]) -> None:
    """Print the draft of a rule, to go on with in an editor. The linter asks for what is missing.

    RULE_ID is <language>-<slug>, never used before.
    """
    if not rule_id.startswith(f"{language.lower()}-"):
        raise click.UsageError(f"RULE_ID begins with its language: {language.lower()}-{rule_id}")
    today = dt.datetime.now(tz=dt.UTC).date()
    click.echo(draft_rule(rule_id, language, RuleKind(kind), [DraftForm(form) for form in forms], today), nl=False)
