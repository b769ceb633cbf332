"""Score an object that is saved, keep what was decided, and refuse what must not be saved."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.utils import timezone

from wildgate._outcomes import Means, OutcomeKind
from wildgate._types import Decision, Listing
from wildgate.contrib.django import conf, connection
from wildgate.contrib.django.models import Screening, State, texts_of
from wildgate.contrib.django.notices import notice_for
from wildgate.contrib.django.outcomes import tell
from wildgate.contrib.django.watched import Watch, digest_of

CURRENT = (State.PUBLISHED, State.HELD, State.APPROVED, State.REJECTED)
"""States of which an object's latest is what holds for it."""
OUTCOMES = {State.HELD: OutcomeKind.HELD, State.REFUSED: OutcomeKind.REMOVED, State.PUBLISHED: OutcomeKind.PUBLISHED}


class ListingRefusedError(ValidationError):
    """The service asked to refuse what was to be saved; the message is the notice for the seller.

    A form shows it like any other error. Raised by a save outside a form, it is answered with 422
    by the middleware.
    """

    def __init__(self, notice: str, screening: Screening) -> None:
        """Keep the notice, and the screening for the record."""
        super().__init__(notice, code="wildgate_refused")
        self.screening = screening

    def keep_again(self) -> None:
        """Keep the refusal after the transaction that it ended was rolled back; once is enough."""
        if not Screening.objects.filter(pk=self.screening.pk).exists():
            save(self.screening)


@dataclass(slots=True)
class Examined:
    """What is known of an object's texts as they are now."""

    digest: str
    listing: Listing
    last: Screening | None
    """The latest screening that holds for the object."""
    decision: Decision | None
    """None: the texts are those of `last`."""
    reversed: bool = False
    """A moderator approved just this text when it was refused."""
    publish_wanted: bool = True
    """Whether its owner wants it public."""
    saved: bool = False
    """It is public already, nobody sits before a form: what would be refused is held."""

    @property
    def state(self) -> State:
        """What becomes of the texts."""
        if self.decision is None:
            return State(self.last.state) if self.last else State.PUBLISHED
        if self.decision.blocked:
            return State.APPROVED if self.reversed else State.HELD if self.saved else State.REFUSED
        return State.HELD if self.decision.review else State.PUBLISHED

    @property
    def hides(self) -> bool:
        """Whether the object must not be public."""
        return self.state in {State.HELD, State.REJECTED}

    @property
    def was_waiting(self) -> bool:
        """Whether the object was held although its owner wanted it public."""
        return self.last is not None and self.last.state == State.HELD and self.last.publish_wanted


def examine(instance: models.Model, watch: Watch, known: Examined | None = None) -> Examined:
    """Score an object's texts, unless they are those of `known` or were scored last; waits no longer than the deadline."""
    settings = conf.load()
    listing = watch.listing_of(instance, market=settings.market if settings else "", posted_time=timezone.now())
    digest = digest_of(listing)
    if known is not None and known.digest == digest:
        return known
    last = latest(instance)
    if last is not None and last.digest == digest:
        return Examined(digest, listing, last, None)
    decision = connection.score(listing)
    return Examined(digest, listing, last, decision, decision.blocked and _approved_before(instance, digest))


def latest(instance: models.Model) -> Screening | None:
    """Return the screening that holds for an object now."""
    if instance.pk is None or instance._state.adding:
        return None
    return of_object(type(instance), instance.pk).filter(state__in=CURRENT).last()


def of_object(model: type[models.Model], key: object) -> models.QuerySet[Screening]:
    """Return all screenings of an object, oldest first."""
    return Screening.objects.filter(content_type=content_type_of(model), object_id=str(key))


def content_type_of(model: type[models.Model]) -> ContentType:
    """Return a model's content type, from the database where screenings are kept."""
    return ContentType.objects.db_manager(router.db_for_write(Screening)).get_for_model(model)


def keep(instance: models.Model, examined: Examined) -> Screening:
    """Keep a new decision about an object, in the transaction at hand, and note its outcome."""
    screening = _screening(instance, examined)
    if screening.object_id and screening.state != State.REFUSED:
        of_object(type(instance), screening.object_id).filter(state=State.HELD).update(state=State.SUPERSEDED)
    save(screening)
    return screening


def save(screening: Screening) -> None:
    """Put a new screening and the outcome that belongs to it into the database, both or neither."""
    with transaction.atomic(using=router.db_for_write(Screening)):
        screening.save(force_insert=True)
        if screening.state != State.PUBLISHED or screening.degraded:
            applied = OUTCOMES.get(State(screening.state), OutcomeKind.PUBLISHED)
            means = Means.MODERATOR if screening.state == State.APPROVED else Means.AUTOMATED
            tell(screening, applied, means, of_own_answer=screening.degraded)


def refuse(instance: models.Model, examined: Examined) -> ListingRefusedError:
    """Keep a refusal, and return what to raise."""
    screening = keep(instance, examined)
    return ListingRefusedError(notice_for(examined.decision) if examined.decision else screening.notice, screening)


def facts_of(decision: Decision) -> dict[str, object]:
    """Return the fields of a screening that come from a decision of the service."""
    return {
        "action": decision.action.value,
        "decision_id": decision.decision_id,
        "score": decision.score,
        "language": decision.language,
        "reason": decision.reason,
        "notice": decision.notice,
        "taxa": [str(each) for each in decision.taxa],
        "matches": [
            {
                "field": each.field,
                "start": each.span.start,
                "end": each.span.end,
                "surface": each.surface,
                "form": each.form,
                "gloss": each.gloss,
                "kind": each.kind,
                "rule": each.rule_id,
                "views": list(each.views),
            }
            for each in decision.matches
        ],
        "drawn": decision.sample_for_review,
    }


def _screening(instance: models.Model, examined: Examined) -> Screening:
    decision = examined.decision
    if decision is None:
        message = "there is no new decision to keep"
        raise ValueError(message)
    return Screening(
        content_type=content_type_of(type(instance)),
        object_id="" if instance.pk is None or instance._state.adding else str(instance.pk),
        state=examined.state,
        digest=examined.digest,
        texts=texts_of(examined.listing),
        publish_wanted=examined.publish_wanted,
        request_id=decision.request_id,
        degraded=not decision.answered,
        degraded_reason="" if decision.answered else ",".join(decision.degraded_reasons),
        degraded_action="" if decision.answered else decision.action.value,
        **facts_of(decision),
    )


def _approved_before(instance: models.Model, digest: str) -> bool:
    approved = Screening.objects.filter(content_type=content_type_of(type(instance)), digest=digest, state=State.APPROVED)
    return approved.filter(models.Q(object_id="") | models.Q(object_id=str(instance.pk))).exists()
