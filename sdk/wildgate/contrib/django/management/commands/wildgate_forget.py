"""`manage.py wildgate_forget`: empties kept texts of what was decided long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from wildgate.contrib.django.models import Screening, State


class Command(BaseCommand):
    """From cron, once a day."""

    help = "Empty the texts of screenings older than --days; what is held or complained about keeps them."

    def add_arguments(self, parser: CommandParser) -> None:
        """How old."""
        parser.add_argument("--days", type=int, required=True, help="keep texts of so many days")

    def handle(self, *_: Any, **options: Any) -> None:
        """Say how many."""
        before = timezone.now() - timedelta(days=options["days"])
        old = Screening.objects.filter(created_time__lt=before).exclude(state=State.HELD).exclude(appeal="received").exclude(texts={})
        self.stdout.write(f"emptied {old.update(texts={}, matches=[], reason='')} texts")
