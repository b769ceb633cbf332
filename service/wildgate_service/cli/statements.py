"""`wildgate statements`: statements of reasons, as files and to the EU's transparency database."""

from __future__ import annotations

import stat
import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click
from tqdm import tqdm

from wildgate_service.cli.report import Day
from wildgate_service.errors import SettingsError
from wildgate_service.policy import default_policy, file_of_text, read_policy
from wildgate_service.secrets import load_secrets
from wildgate_service.settings import DEFAULT_TENANT, load_settings
from wildgate_service.statements.database import Database
from wildgate_service.statements.double import Double, Fault, Faults
from wildgate_service.statements.double_server import serving
from wildgate_service.statements.files import COMPLETE, INCOMPLETE, LEFT_OUT, read_days, write_days
from wildgate_service.statements.journal import Journal
from wildgate_service.statements.make import make
from wildgate_service.statements.submit import Counts, Patience, Submitter
from wildgate_service.store import open_store

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
TOKEN_FILE = click.option("--token-file", type=FILE, required=True, help="File that holds the token alone; mode 600.")


@click.group()
def command() -> None:
    """Make statements of reasons and send them to the EU's transparency database."""


@command.command()
@click.option("--from", "start", type=Day(), required=True, help="First day (UTC) on which restrictions were applied.")
@click.option("--to", "end", type=Day(), required=True, help="Last day, included (UTC); it must be over.")
@click.option("--output", type=FOLDER, required=True, help="Folder to write to; made if missing.")
@click.option("--tenant", default=DEFAULT_TENANT, show_default=True, help="Whose measures they are about.")
@click.option("--store", help="URL of the store; that of the settings if not given.")
@click.option("--policy", type=FILE, help="Policy file; that of the settings if not given.")
@click.option("--secrets-file", type=FILE, help="Secrets file; that of the settings if not given.")
def export(start: date, end: date, output: Path, tenant: str, store: str | None, policy: Path | None, secrets_file: Path | None) -> None:
    """Write the statements of the days --from to --to, a file a day, with those that are incomplete or left out beside them.

    The same store, policy and secrets give the same bytes. Exit status 1 if a statement that is owed is incomplete.
    """
    if end < start:
        raise click.UsageError(f"--to {end} lies before --from {start}")
    if end >= datetime.now(UTC).date():
        raise click.UsageError(f"--to {end} is not over: what comes in until midnight (UTC) may change its statements")
    settings = load_settings(options={"store": store, "policy": policy, "secrets_file": secrets_file}).settings
    file = settings.policy or default_policy()
    rules = file_of_text(read_policy(file), str(file))
    with open_store(settings.store, read_only=True) as opened:
        facts = opened.statement_facts(start, end, tenant=tenant)
    key = load_secrets(settings.secrets_path, create=False).known_key(tenant)
    if facts and key is None:
        raise SettingsError(f"{settings.secrets_path} has no key of tenant {tenant}, which ids of statements are made with")
    counts = write_days((make(each, rules, key or b"") for each in facts), start, end, output)
    click.echo(f"{counts[COMPLETE]:,} statements, {counts[INCOMPLETE]:,} incomplete, {counts[LEFT_OUT]:,} left out: {output}")
    sys.exit(bool(counts[INCOMPLETE]))


@command.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--url", required=True, help="Address of the database, such as https://transparency.dsa.ec.europa.eu.")
@TOKEN_FILE
@click.option("--timeout", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Seconds that one answer may take.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=900.0,
    show_default=True,
    help="Seconds of failures in a row after which to give up.",
)
@click.option("--first-wait", type=click.FloatRange(min=0), default=0.5, show_default=True, help="Seconds to wait after the first failure.")
def submit(folder: Path, url: str, token_file: Path, timeout: float, patience: float, first_wait: float) -> None:
    """Send the statements that lie in FOLDER, each exactly once; the same command goes on after whatever ended it.

    What was sent is kept in FOLDER, in submitted-HOST.jsonl: one submitter at a time. Exit status 1 if the database refused a statement, or
    one that is there differs from what would be sent now; 2 if it cannot go on.
    """
    token = read_token(token_file)
    with Journal(folder / f"submitted-{_host(url)}.jsonl") as journal, Database(url, token, seconds=timeout) as database:
        submitter = Submitter(database, journal, Patience(total=patience, first=first_wait))
        with tqdm(unit=" statements", disable=None) as bar:
            for counts in submitter.submit(read_days(folder)):
                bar.update(counts.stored + counts.before - bar.n)
        click.echo(_told(submitter.counts))
        sys.exit(bool(submitter.counts.refused or submitter.counts.changed))


@command.command("double")
@TOKEN_FILE
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="TCP port; 0 takes a free one.")
@click.option("--faults", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Share of calls that go wrong.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the calls that go wrong.")
@click.option(
    "--fault",
    "kinds",
    type=click.Choice([fault.value for fault in Fault]),
    multiple=True,
    help="How they go wrong; every way if not given.",
)
def double_(token_file: Path, port: int, faults: float, seed: int, kinds: tuple[str, ...]) -> None:
    """Serve a stand-in of the database on this machine, for tests: its rules and errors, and faults if asked for. Keeps nothing."""
    plan = Faults(share=faults, seed=seed, kinds=tuple(map(Fault, kinds)) or tuple(Fault))
    with serving(Double(read_token(token_file), plan), port) as url:
        click.echo(f"wildgate: double on {url}")
        threading.Event().wait()


def read_token(file: Path) -> str:
    """The token in a file. Raises SettingsError if others than its owner may read it, or it holds no token."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        raise SettingsError(f"the token file {file} has mode {mode:04o}: chmod 600 it, its owner alone")
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the token file {file} cannot be read: it must hold the token alone") from error
    if not token or len(token.split()) != 1:
        raise SettingsError(f"the token file {file} must hold the token alone")
    return token


def _host(url: str) -> str:
    """The database's name in the journal's."""
    return urlsplit(url).netloc.rpartition("@")[2].replace(":", "-")


def _told(counts: Counts) -> str:
    sent = f"{counts.stored:,} sent, {counts.before:,} there before"
    return f"{sent}, {counts.refused:,} refused, {counts.changed:,} changed since they were sent"
