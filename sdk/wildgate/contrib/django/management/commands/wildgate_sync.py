"""`manage.py wildgate_sync`: after the service was away, and from cron."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from wildgate.contrib.django.recovery import synchronize


class Command(BaseCommand):
    """Once, or again and again with --every."""

    help = "Score what the service did not answer when it was saved, and send the outcomes that wait."

    def add_arguments(self, parser: CommandParser) -> None:
        """How often."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="go on, with a pause of so many seconds; else once")

    def handle(self, *_: Any, **options: Any) -> None:
        """Say in one line what was done."""
        while True:
            done = synchronize()
            told = done.outcomes
            self.stdout.write(
                f"rescored {done.rescored} ({done.released} published, {done.held} held), {done.waiting} waiting; "
                f"outcomes: {told.sent} sent, {told.refused} refused, {told.left} waiting"
            )
            if options["every"] is None:
                return
            time.sleep(options["every"])
