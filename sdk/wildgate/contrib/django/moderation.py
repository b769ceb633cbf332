"""What a moderator does: approve, reject, take up a complaint and decide it. Each is reported to the service."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import router, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from wildgate._outcomes import Means, OutcomeKind
from wildgate.contrib.django.models import Appeal, Screening, State
from wildgate.contrib.django.outcomes import tell
from wildgate.contrib.django.receivers import watch_of
from wildgate.contrib.django.screening import ListingRefusedError

APPROVABLE = frozenset({State.HELD, State.PUBLISHED})
REJECTABLE = frozenset({State.HELD, State.PUBLISHED, State.APPROVED})
APPEALABLE = frozenset({State.REFUSED, State.REJECTED, State.HELD})


class ModerationError(Exception):
    """This cannot be done to this screening, such as approving what was edited meanwhile; the message says why."""


def approve(screening: Screening, by: AbstractBaseUser | None = None, note: str = "") -> Screening:
    """Publish what was held, if its owner wanted it public; or say of a published text that it is right."""
    return _decide(screening, State.APPROVED, APPROVABLE, OutcomeKind.PUBLISHED, by, note)


def reject(screening: Screening, by: AbstractBaseUser | None = None, note: str = "") -> Screening:
    """Keep from the public what was held or published, for good: saving the same text again does not publish it."""
    return _decide(screening, State.REJECTED, REJECTABLE, OutcomeKind.REMOVED, by, note)


def receive_appeal(screening: Screening) -> Screening:
    """Note that the owner complains about a refusal, rejection or hold."""
    with transaction.atomic(using=router.db_for_write(Screening)):
        current = _locked(screening, APPEALABLE)
        if current.appeal != Appeal.NONE:
            raise ModerationError(_("There is a complaint already."))
        current.appeal = Appeal.RECEIVED
        current.save(update_fields=["appeal"])
        tell(current, OutcomeKind.COMPLAINT_RECEIVED, Means.MODERATOR)
    return current


def decide_appeal(screening: Screening, *, upheld: bool, by: AbstractBaseUser | None = None, note: str = "") -> Screening:
    """End a complaint. Upheld, the text is published, or may be saved again where it was refused before it was an object."""
    with transaction.atomic(using=router.db_for_write(Screening)):
        current = _locked(screening, APPEALABLE)
        if current.appeal != Appeal.RECEIVED:
            raise ModerationError(_("There is no complaint to decide."))
        current.appeal = Appeal.UPHELD if upheld else Appeal.REJECTED
        _sign(current, State.APPROVED if upheld else State(current.state), by, note)
        tell(current, OutcomeKind.COMPLAINT_UPHELD if upheld else OutcomeKind.COMPLAINT_REJECTED, Means.MODERATOR)
        if upheld:
            tell(current, OutcomeKind.REINSTATED, Means.MODERATOR)
            show(current, public=current.publish_wanted)
    return current


def show(screening: Screening, *, public: bool) -> None:
    """Make the object itself public, or not; does nothing if it is gone."""
    model = screening.content_type.model_class()
    watched = watch_of(model) if model else None
    subject = screening.subject
    if watched is None or watched.published is None or subject is None or watched.is_published(subject) is public:
        return
    watched.set_published(subject, public=public)
    try:
        subject.save(update_fields=watched.published.columns)
    except ListingRefusedError:  # past every hook its text was changed, to one that is refused
        watched.set_published(subject, public=False)
        written = {name: getattr(subject, name) for name in watched.published.columns}
        type(subject)._base_manager.filter(pk=subject.pk).update(**written)


def _decide(
    screening: Screening, state: State, allowed: frozenset[State], outcome: OutcomeKind, by: AbstractBaseUser | None, note: str
) -> Screening:
    with transaction.atomic(using=router.db_for_write(Screening)):
        current = _locked(screening, allowed)
        _sign(current, state, by, note)
        tell(current, outcome, Means.MODERATOR)
        show(current, public=state is State.APPROVED and current.publish_wanted)
    return current


def _locked(screening: Screening, allowed: frozenset[State]) -> Screening:
    current = Screening.objects.select_for_update().select_related(None).get(pk=screening.pk)
    if current.state not in allowed:
        raise ModerationError(_("This cannot be done: it is “%(state)s” by now.") % {"state": State(current.state).label})
    return current


def _sign(screening: Screening, state: State, by: AbstractBaseUser | None, note: str) -> None:
    screening.state = state
    screening.decided_by = by  # type: ignore[assignment]
    screening.decided_time = timezone.now()
    screening.note = note
    screening.save(update_fields=["state", "decided_by", "decided_time", "note", "appeal"])
