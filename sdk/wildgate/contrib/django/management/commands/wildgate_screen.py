"""`manage.py wildgate_screen`: scores what is published already."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wildgate.contrib.django import conf
from wildgate.contrib.django.existing import ServiceAwayError, Tally, screen_published

BATCH = 128
SHOWN = 20


class Command(BaseCommand):
    """After the app was installed, or when objects were written past it."""

    help = (
        "Score published objects of the watched models that have no screening yet, and hold what is to be reviewed or refused. "
        "Stopped at any time, the next run goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and how."""
        parser.add_argument("--model", action="append", metavar="LABEL", help="of WILDGATE['MODELS'], such as catalogue.Product; else all")
        parser.add_argument("--batch-size", type=int, default=BATCH, help="objects in a request, at most 256")
        parser.add_argument("--limit", type=int, help="stop after so many objects of a model")
        parser.add_argument("--dry-run", action="store_true", help="score and count, but keep and hide nothing")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print a line after each batch."""
        settings = conf.load()
        if settings is None:
            message = "settings.WILDGATE is wrong: run manage.py check"
            raise CommandError(message)
        for label in options["model"] or settings.watches:
            watch = settings.watches.get(label.lower())
            if watch is None:
                message = f"{label} is not in WILDGATE['MODELS']"
                raise CommandError(message)
            tally = Tally()
            try:
                for tally in screen_published(watch, batch_size=options["batch_size"], limit=options["limit"], dry_run=options["dry_run"]):
                    self.stdout.write(f"{watch.label}: {tally.seen} seen, {tally.skipped} screened before, {tally.held} to hold")
            except ServiceAwayError as error:
                message = f"the service did not answer ({error}); run this again to go on"
                raise CommandError(message) from error
            self._tell(watch.label, tally, dry_run=options["dry_run"])

    def _tell(self, label: str, tally: Tally, *, dry_run: bool) -> None:
        held = "would be held" if dry_run else "held"
        self.stdout.write(
            f"{label}: {tally.allowed} allowed, {tally.held} {held}, {tally.hidden} hidden again, {len(tally.failed)} not scored"
        )
        for line in tally.failed[:SHOWN]:
            self.stderr.write(line)
