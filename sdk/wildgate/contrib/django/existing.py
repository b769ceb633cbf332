"""Screen what is published already: from before the app was installed, or written past it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import Model

from wildgate._errors import WildgateError
from wildgate.contrib.django import conf, connection
from wildgate.contrib.django.models import Screening, State
from wildgate.contrib.django.moderation import show
from wildgate.contrib.django.screening import CURRENT, Examined, content_type_of, keep
from wildgate.contrib.django.watched import Watch, digest_of


class ServiceAwayError(Exception):
    """The service did not answer; what was screened so far is kept, and the next run goes on behind it."""


@dataclass(slots=True)
class Tally:
    """What a run found."""

    seen: int = 0
    skipped: int = 0
    """Screened before, with the same text."""
    allowed: int = 0
    held: int = 0
    """To be reviewed or refused; nobody sits before a form, so both are held for a moderator."""
    hidden: int = 0
    """Held or rejected before, and made public past every hook since: hidden again."""
    failed: list[str] = field(default_factory=list)
    """Objects that could not be scored, with why."""


def screen_published(watch: Watch, *, batch_size: int, limit: int | None, dry_run: bool) -> Iterator[Tally]:
    """Screen all public objects of a model, and yield the tally after each batch; raise ServiceAwayError."""
    tally, key = Tally(), None
    while batch := _next(watch, key, batch_size if limit is None else min(batch_size, limit - tally.seen)):
        key = batch[-1].pk
        batch = list(filter(watch.covers, batch))
        tally.seen += len(batch)
        todo, again = _sorted(watch, batch)
        tally.skipped += len(batch) - len(todo)
        tally.hidden += sum(1 for each in again if dry_run or _hide(each))
        _screen(todo, tally, dry_run=dry_run)
        yield tally


def _next(watch: Watch, after: object, size: int) -> list[Model]:
    found = watch.model._base_manager.order_by("pk")
    if watch.published is not None:
        found = found.filter(**{watch.published.field: watch.published.value})
    if after is not None:
        found = found.filter(pk__gt=after)
    return list(found[:size]) if size > 0 else []


def _sorted(watch: Watch, batch: Sequence[Model]) -> tuple[list[tuple[Model, Examined]], list[Screening]]:
    """Return the objects whose texts no screening holds for, to be scored, and the screenings of those that must not be public."""
    settings = conf.load()
    kept = Screening.objects.filter(content_type=content_type_of(watch.model), state__in=CURRENT)
    last = {each.object_id: each for each in kept.filter(object_id__in=[str(each.pk) for each in batch])}
    changed, again = [], []
    for each in batch:
        listing = watch.listing_of(each, market=settings.market if settings else "")
        examined = Examined(digest_of(listing), listing, last.get(str(each.pk)), None, saved=True)
        if examined.last is None or examined.last.digest != examined.digest:
            changed.append((each, examined))
        elif examined.last.hides:
            again.append(examined.last)
    return changed, again


def _screen(todo: Sequence[tuple[Model, Examined]], tally: Tally, *, dry_run: bool) -> None:
    try:
        results = connection.client().score_batch([examined.listing for _, examined in todo], explain="matches")
    except WildgateError as error:
        raise ServiceAwayError(str(error)) from error
    for (instance, examined), result in zip(todo, results, strict=True):
        if result.decision is None:
            tally.failed.append(f"{examined.listing.id}: {result.error}")
            continue
        if not result.decision.answered:
            raise ServiceAwayError(", ".join(result.decision.degraded_reasons))
        examined.decision = result.decision
        tally.allowed += result.decision.allowed
        tally.held += not result.decision.allowed
        if not dry_run:
            _keep(instance, examined)


def _hide(screening: Screening) -> bool:
    show(screening, public=False)
    return True


def _keep(instance: Model, examined: Examined) -> None:
    screening = keep(instance, examined)
    if screening.state == State.HELD:
        show(screening, public=False)
