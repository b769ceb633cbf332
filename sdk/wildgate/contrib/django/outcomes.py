"""Tell the service what was done: after the commit, and until it has heard it."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from wildgate._errors import WildgateError
from wildgate._outcomes import Means, OutcomeKind, OutcomeResult
from wildgate.contrib.django import conf, connection
from wildgate.contrib.django.models import Report, Screening, unsent

logger = logging.getLogger("wildgate.django")
BATCH = 256


class Delivered(NamedTuple):
    """How many outcomes were sent, refused for good, and are left for later."""

    sent: int
    refused: int
    left: int


class _Thread:
    """One thread for each process; made at the first outcome, for a server may fork before."""

    executor: ThreadPoolExecutor | None = None

    @classmethod
    def get(cls) -> ThreadPoolExecutor:
        if cls.executor is None:
            cls.executor = ThreadPoolExecutor(1, thread_name_prefix="wildgate-outcomes")
        return cls.executor

    @classmethod
    def forget(cls) -> None:
        cls.executor = None


os.register_at_fork(after_in_child=_Thread.forget)


def tell(screening: Screening, applied: OutcomeKind, means: Means, *, of_own_answer: bool = False) -> None:
    """Note an outcome in the transaction at hand; it is sent when that commits, and is gone if it rolls back."""
    database = screening._state.db
    Report.objects.using(database).create(screening=screening, applied=applied, means=means, of_own_answer=of_own_answer)
    settings = conf.load()
    if settings and settings.outcomes != "command":
        send = _in_background if settings.outcomes == "background" else _quietly
        transaction.on_commit(send, using=database, robust=True)


def deliver() -> Delivered:
    """Send all outcomes that are due, and say how many; stops at the first batch that nobody takes."""
    sent = refused = 0
    while reports := list(unsent()[:BATCH]):
        try:
            results = connection.client().report_outcomes([each.outcome for each in reports])
        except WildgateError as error:
            unsent().filter(pk__in=[each.pk for each in reports]).update(attempts=F("attempts") + 1)
            logger.warning("wildgate.outcomes_wait reason=%s count=%d", error.reason, len(reports))
            break
        new_sent, new_refused = _note(reports, results)
        sent, refused = sent + new_sent, refused + new_refused
        if new_sent + new_refused == 0:
            break
    return Delivered(sent, refused, unsent().count())


def _note(reports: Sequence[Report], results: Sequence[OutcomeResult]) -> tuple[int, int]:
    told, refused, now = [], 0, timezone.now()
    for report, result in zip(reports, results, strict=True):
        if result.error is None:
            told.append(report.pk)
        elif not result.error.is_retryable():
            refused += Report.objects.filter(pk=report.pk).update(error=str(result.error)[:255], attempts=F("attempts") + 1)
    Report.objects.filter(pk__in=told).update(sent_time=now, attempts=F("attempts") + 1)
    return len(told), refused


def _in_background() -> None:
    _Thread.get().submit(_in_thread)


def _in_thread() -> None:
    try:
        _quietly()
    finally:
        connections.close_all()


def _quietly() -> None:
    """What is left stays in the table for `wildgate_sync`; no request may fail over it."""
    try:
        deliver()
    except Exception:
        logger.exception("wildgate.outcomes_failed")
