"""After the service was away: score what it did not answer, and tell it what happened meanwhile.

`synchronize` is safe to run at any time and by several processes; `manage.py wildgate_sync` and a
periodic task of yours call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import router, transaction
from django.db.models import QuerySet
from django.utils import timezone

from wildgate._errors import WildgateError
from wildgate._outcomes import Means, OutcomeKind
from wildgate._types import BatchResult, Decision
from wildgate.contrib.django import connection
from wildgate.contrib.django.models import Screening, State
from wildgate.contrib.django.moderation import show
from wildgate.contrib.django.outcomes import Delivered, deliver, tell
from wildgate.contrib.django.screening import facts_of

BATCH = 64
AGAIN = (State.HELD, State.PUBLISHED)


class Synchronized(NamedTuple):
    """What a run did."""

    rescored: int
    """Texts that the service had not answered and now has."""
    released: int
    """Of them, those that were held and are public now."""
    held: int
    """Of them, those that were public and are held now."""
    waiting: int
    """Texts that are still without its answer."""
    outcomes: Delivered


def synchronize() -> Synchronized:
    """Score what was decided without the service, and send the outcomes that wait."""
    rescored = released = held = 0
    while batch := list(_unanswered()[:BATCH]):
        states = rescore(batch)
        if not states:
            break
        rescored += len(states)
        released += states.count((State.HELD, State.PUBLISHED))
        held += states.count((State.PUBLISHED, State.HELD))
    return Synchronized(rescored, released, held, _unanswered().count(), deliver())


def rescore(screenings: Sequence[Screening]) -> list[tuple[State, State]]:
    """Score texts anew under their old request ids; return (state before, state after) of those that were answered."""
    try:
        results = connection.client().score_batch(
            [each.listing for each in screenings], explain="matches", request_ids=[each.request_id for each in screenings]
        )
    except WildgateError:
        return []
    pairs = zip(screenings, results, strict=True)
    return [states for screening, result in pairs if (states := _apply(screening, result)) is not None]


def _unanswered() -> QuerySet[Screening]:
    return Screening.objects.filter(degraded=True, rescored_time=None, state__in=AGAIN).exclude(texts={})


def _apply(screening: Screening, result: BatchResult) -> tuple[State, State] | None:
    decision = result.decision
    if decision is not None and not decision.answered:
        return None
    if result.error is not None and result.error.is_retryable():
        return None
    with transaction.atomic(using=router.db_for_write(Screening)):
        current = Screening.objects.select_for_update().get(pk=screening.pk)
        if current.state not in AGAIN or current.rescored_time is not None:
            return None
        before = State(current.state)
        after = before if decision is None else _state_after(decision)
        _note(current, decision, after)
        if after is not before:
            outcome = OutcomeKind.HELD if after is State.HELD else OutcomeKind.PUBLISHED
            tell(current, outcome, Means.AUTOMATED)
            show(current, public=after is State.PUBLISHED and current.publish_wanted)
    return before, after


def _state_after(decision: Decision) -> State:
    """Nobody sits before a form any more, so what would have been refused is held."""
    return State.PUBLISHED if decision.allowed else State.HELD


def _note(screening: Screening, decision: Decision | None, state: State) -> None:
    for name, value in (facts_of(decision) if decision else {}).items():
        setattr(screening, name, value)
    screening.state = state
    screening.rescored_time = timezone.now()
    screening.save()
