"""What the service is told, and when."""

import pytest
from bazaar.models import Offer
from django.db import transaction
from wildgate.contrib.django import moderation, outcomes
from wildgate.contrib.django.models import Appeal, Report, Screening, State
from wildgate.contrib.django.moderation import ModerationError
from wildgate.contrib.django.screening import ListingRefusedError

pytestmark = pytest.mark.django_db


def told(fake):
    return [(str(each.applied), str(each.means)) for each in fake.outcomes]


@transaction.atomic
def save_and_fail():
    """A transaction that is rolled back."""
    Offer.objects.create(title="Boar tusk")
    raise RuntimeError


def test_a_hold_is_reported_when_it_is_committed(fake, committed):
    """Not before."""
    with committed():
        Offer.objects.create(title="Boar tusk")
        assert fake.outcomes == []
    assert told(fake) == [("held", "automated")]
    assert str(Screening.objects.get().decision_id) == fake.outcomes[0].decision_id


def test_a_refusal_is_reported(fake, committed):
    """As removed by software."""
    with committed(), pytest.raises(ListingRefusedError):
        Offer.objects.create(title="Ivory bangle")
    assert told(fake) == [("removed", "automated")]


def test_what_is_allowed_is_not_reported(fake, committed):
    """Nothing was done about it."""
    with committed():
        Offer.objects.create(title="Chair")
    assert fake.outcomes == []


def test_a_rollback_leaves_no_outcome(fake, committed):
    """Neither sent nor waiting."""
    with committed(), pytest.raises(RuntimeError):
        save_and_fail()
    assert (fake.outcomes, Report.objects.count()) == ([], 0)


def test_an_outcome_waits_while_the_service_is_away(fake, committed):
    """And is sent by the next delivery, under the id that it has."""
    with committed():
        Offer.objects.create(title="Boar tusk")
        fake.fail("UNAVAILABLE")
    assert outcomes.deliver() == (0, 0, 1)
    fake.recover()
    assert outcomes.deliver() == (1, 0, 0)
    assert str(Report.objects.get().pk) == fake.outcomes[0].outcome_id


def test_approving_publishes_and_is_reported(fake, committed, moderator):
    """By a moderator."""
    with committed():
        offer = Offer.objects.create(title="Boar tusk")
        screening = moderation.approve(Screening.objects.get(), moderator, "a boar is not protected")
    offer.refresh_from_db()
    assert offer.is_public is True
    assert (State.APPROVED, moderator, "a boar is not protected") == (screening.state, screening.decided_by, screening.note)
    assert told(fake) == [("held", "automated"), ("published", "moderator")]
    assert len(fake.listings) == 1


def test_rejecting_keeps_it_from_the_public(fake, committed, moderator):
    """Saving it again does not publish it."""
    with committed():
        offer = Offer.objects.create(title="Boar tusk")
        moderation.reject(Screening.objects.get(), moderator)
        offer.is_public = True
        offer.save()
    offer.refresh_from_db()
    assert offer.is_public is False
    assert told(fake) == [("held", "automated"), ("removed", "moderator")]


def test_approving_a_draft_leaves_it_a_draft(fake):
    """Its owner did not want it public."""
    offer = Offer.objects.create(title="Boar tusk", is_public=False)
    moderation.approve(Screening.objects.get())
    offer.refresh_from_db()
    assert offer.is_public is False


def test_what_was_edited_meanwhile_cannot_be_approved(fake):
    """The moderator saw another text."""
    offer = Offer.objects.create(title="Boar tusk")
    seen = Screening.objects.get()
    offer.title = "Chair"
    offer.save()
    with pytest.raises(ModerationError, match="edited since"):
        moderation.approve(seen)


def test_approving_never_publishes_a_text_that_nobody_saw(fake):
    """One that was written past the hooks, and would be refused."""
    offer = Offer.objects.create(title="Boar tusk")
    Offer.objects.update(title="Ivory bangle")
    moderation.approve(Screening.objects.get())
    offer.refresh_from_db()
    assert offer.is_public is False


def test_a_complaint_that_is_upheld_lets_the_text_be_saved(fake, committed):
    """Of a listing that was refused before it was an object."""
    with committed():
        with pytest.raises(ListingRefusedError):
            Offer.objects.create(title="Ivory bangle")
        screening = moderation.receive_appeal(Screening.objects.get())
        moderation.decide_appeal(screening, upheld=True, note="a color")
        offer = Offer.objects.create(title="Ivory bangle")
    assert offer.is_public is True
    assert [str(each.applied) for each in fake.outcomes] == ["removed", "complaint_received", "complaint_upheld", "reinstated", "published"]
    assert {screening.pk.hex} == {each.reference for each in fake.outcomes if each.applied.startswith("complaint")}


def test_a_complaint_that_is_rejected_changes_nothing(fake):
    """But is recorded as decided."""
    with pytest.raises(ListingRefusedError):
        Offer.objects.create(title="Ivory bangle")
    screening = moderation.receive_appeal(Screening.objects.get())
    screening = moderation.decide_appeal(screening, upheld=False)
    assert (screening.state, screening.appeal) == (State.REFUSED, Appeal.REJECTED)
