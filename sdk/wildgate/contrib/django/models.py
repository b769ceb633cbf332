"""What is kept: a screening for each text that was scored, and the outcomes that the service is to be told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wildgate._ids import uuid7
from wildgate._outcomes import Means, Outcome, OutcomeKind
from wildgate._types import Action, Listing


class State(models.TextChoices):
    """What became of a text that was scored."""

    PUBLISHED = "published", _("published")
    HELD = "held", _("held for review")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")
    REFUSED = "refused", _("refused")
    SUPERSEDED = "superseded", _("edited since")
    DELETED = "deleted", _("deleted by its owner")


class Appeal(models.TextChoices):
    """Where a complaint about a decision stands."""

    NONE = "", _("none")
    RECEIVED = "received", _("received")
    UPHELD = "upheld", _("upheld")
    REJECTED = "rejected", _("rejected")


def new_id() -> uuid.UUID:
    """Return a new UUIDv7; migrations name this function."""
    return uuid.UUID(str(uuid7()))


class Screening(models.Model):
    """One text of one object, what the service decided, and what people then did."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    content_type = models.ForeignKey(ContentType, models.CASCADE, verbose_name=_("model"))
    object_id = models.CharField(_("object"), max_length=255, blank=True)
    """Primary key of the object; empty if it was refused before it had one."""
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    digest = models.CharField(max_length=64)
    """SHA-256 of what was scored."""
    texts = models.JSONField(default=dict)
    """The listing as it was sent; emptied by `wildgate_forget` and when the object is deleted."""
    publish_wanted = models.BooleanField(default=True)
    """Whether its owner wanted it public, so that approving a draft leaves it a draft."""
    action = models.CharField(_("decision"), max_length=16, choices=[(each.value, each.value) for each in Action])
    request_id = models.UUIDField(_("request"), db_index=True)
    decision_id = models.UUIDField(_("decision id"), null=True, blank=True)
    score = models.FloatField(_("score"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=64, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    notice = models.TextField(_("notice"), blank=True)
    taxa = models.JSONField(_("taxa"), default=list)
    matches = models.JSONField(default=list)
    drawn = models.BooleanField(_("drawn for a look"), default=False)
    degraded = models.BooleanField(_("without the service"), default=False)
    """The service gave no answer, and the shop's policy decided."""
    degraded_reason = models.CharField(max_length=256, blank=True)
    degraded_action = models.CharField(max_length=16, blank=True)
    rescored_time = models.DateTimeField(_("scored afterwards"), null=True, blank=True)
    created_time = models.DateTimeField(_("time"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_time = models.DateTimeField(_("decided"), null=True, blank=True)
    note = models.TextField(_("moderator's reason"), blank=True)
    appeal = models.CharField(_("appeal"), max_length=16, choices=Appeal.choices, blank=True, default=Appeal.NONE)

    class Meta:
        """Newest last; the latest of an object is what counts."""

        verbose_name = _("screening")
        verbose_name_plural = _("screenings")
        ordering = ("created_time", "id")
        indexes = (
            models.Index(fields=["content_type", "object_id", "created_time"], name="wildgate_of_object"),
            models.Index(fields=["state", "created_time"], name="wildgate_by_state"),
        )

    def __str__(self) -> str:
        """Begin like the text."""
        title = self.texts.get("title") or self.texts.get("description", "")[:80]
        return title or f"{self.content_type.name} {self.object_id}".strip()

    @property
    def subject(self) -> models.Model | None:
        """The object itself, from the database where its model lives; None if there is none."""
        model = self.content_type.model_class()
        if model is None or not self.object_id:
            return None
        return model._base_manager.filter(pk=self.object_id).first()

    @property
    def listing(self) -> Listing:
        """What was sent to be scored."""
        given: dict[str, Any] = dict(self.texts)
        posted = given.pop("posted_time", None)
        attributes = [(name, value) for name, value in given.pop("attributes", ())]
        return Listing(**given, attributes=attributes, posted_time=datetime.fromisoformat(posted) if posted else None)

    @property
    def hides(self) -> bool:
        """Whether the object must not be public."""
        return self.state in {State.HELD, State.REJECTED}


class Report(models.Model):
    """An outcome that the service is to be told; kept until it has been, and then as a record."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    """The outcome's own id, so that telling it twice is harmless."""
    screening = models.ForeignKey(Screening, models.CASCADE, related_name="reports")
    applied = models.CharField(_("outcome"), max_length=32, choices=[(each.value, each.value) for each in OutcomeKind])
    means = models.CharField(_("by"), max_length=16, choices=[(each.value, each.value) for each in Means])
    occurred_time = models.DateTimeField(_("time"), default=timezone.now)
    of_own_answer = models.BooleanField(default=False)
    """It tells of what the shop's policy answered while the service was away."""
    sent_time = models.DateTimeField(_("sent"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error = models.CharField(_("refused because"), max_length=255, blank=True)
    """Why the service will not take it; empty while it may still be sent."""

    class Meta:
        """In the order in which they happened."""

        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ("occurred_time", "id")
        indexes = (models.Index(fields=["sent_time", "occurred_time"], name="wildgate_unsent"),)

    def __str__(self) -> str:
        """Read like `removed by a moderator`."""
        by = _("by a moderator") if self.means == Means.MODERATOR else _("by software")
        return f"{self.applied} {by}"

    @property
    def outcome(self) -> Outcome:
        """The outcome as the client sends it."""
        screening = self.screening
        of_decision = screening.decision_id is not None and not self.of_own_answer
        return Outcome(
            applied=OutcomeKind(self.applied),
            decision_id=str(screening.decision_id) if of_decision else None,
            request_id=None if of_decision else str(screening.request_id),
            means=Means(self.means),
            occurred_time=self.occurred_time,
            degraded_action=Action(screening.degraded_action) if self.of_own_answer else None,
            degraded_reason=screening.degraded_reason if self.of_own_answer else "",
            reference=screening.id.hex if self.applied.startswith("complaint_") else "",
            outcome_id=str(self.id),
        )


def unsent() -> models.QuerySet[Report]:
    """Return the outcomes that the service has yet to be told, oldest first."""
    return Report.objects.filter(sent_time=None, error="").select_related("screening")


def texts_of(listing: Listing) -> dict[str, Any]:
    """Return the listing as JSON keeps it."""
    return {
        "id": listing.id,
        "title": listing.title,
        "description": listing.description,
        "attributes": [[each.name, each.value] for each in listing.attributes],
        "content_kind": listing.content_kind.value,
        "category": listing.category,
        "language": listing.language,
        "market": listing.market,
        "seller_ref": listing.seller_ref,
        "posted_time": listing.posted_time.isoformat() if listing.posted_time else None,
    }


def fields_of(texts: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, label and text of each field that was scored; names as in `Match.field`."""
    yield "title", str(_("Title")), texts.get("title", "")
    yield "description", str(_("Text")), texts.get("description", "")
    for index, (name, value) in enumerate(texts.get("attributes", ())):
        yield f"attributes[{index}].value", name, value
