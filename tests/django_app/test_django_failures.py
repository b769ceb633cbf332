"""The service is away, slow or refuses the shop."""

import pytest
from bazaar.models import Offer
from bazaar.views import OfferForm
from wildgate.contrib.django import moderation
from wildgate.contrib.django.models import Screening, State
from wildgate.contrib.django.recovery import synchronize

pytestmark = pytest.mark.django_db


def public(offer):
    offer.refresh_from_db()
    return offer.is_public


@pytest.mark.parametrize(("policy", "expected"), [("review", False), ("allow", True)])
def test_without_the_service_an_offer_lands_by_the_policy(fake, configure, policy, expected):
    """And is marked as decided without it."""
    configure(ON_UNAVAILABLE=policy)
    fake.fail("UNAVAILABLE")
    offer = Offer.objects.create(title="Chair")
    screening = Screening.objects.get()
    assert (expected, True, "unavailable") == (public(offer), screening.degraded, screening.degraded_reason)


def test_a_shop_that_chose_block_asks_to_save_again(fake, configure):
    """The form does not accuse anybody."""
    configure(ON_UNAVAILABLE="block")
    fake.fail("UNAVAILABLE")
    form = OfferForm({"title": "Chair"})
    assert form.non_field_errors() == ["This cannot be checked right now. Please save it again in a few minutes."]


def test_a_slow_service_is_not_waited_for(fake, configure):
    """The deadline ends the wait."""
    configure(TIMEOUT=0.05)
    fake.delay(30)
    Offer.objects.create(title="Chair")
    assert Screening.objects.get().degraded_reason == "deadline_exceeded"


def test_a_wrong_key_costs_no_seller_the_page(fake, caplog):
    """The shop's operator reads an error in the log; the offer lands by the policy."""
    fake.require_api_key("another")
    offer = Offer.objects.create(title="Chair")
    assert public(offer) is False
    assert [each.levelname for each in caplog.records if "wildgate.failed" in each.message] == ["ERROR"]


def test_what_was_held_without_the_service_is_released_when_it_is_back(fake):
    """If there is nothing against it; the same request is decided, not another one."""
    fake.fail("UNAVAILABLE")
    offer = Offer.objects.create(title="Chair")
    before = Screening.objects.get()
    fake.recover()
    done = synchronize()
    after = Screening.objects.get()
    assert done[:4] == (1, 1, 0, 0)
    assert (True, State.PUBLISHED, before.request_id) == (public(offer), after.state, after.request_id)
    assert after.degraded
    assert after.decision_id is not None


@pytest.mark.parametrize("title", ["Boar tusk", "Ivory bangle"])
def test_what_was_published_without_the_service_is_held_when_it_is_back(fake, configure, title):
    """A refusal too: nobody sits before a form any more."""
    configure(ON_UNAVAILABLE="allow")
    fake.fail("UNAVAILABLE")
    offer = Offer.objects.create(title=title)
    fake.recover()
    assert synchronize()[:4] == (1, 0, 1, 0)
    assert (public(offer), Screening.objects.get().state) == (False, State.HELD)


def test_outcomes_tell_what_was_answered_without_the_service(fake, configure):
    """So that the report can count it."""
    configure(ON_UNAVAILABLE="allow")
    fake.fail("UNAVAILABLE")
    Offer.objects.create(title="Boar tusk")
    fake.recover()
    synchronize()
    told = [(str(each.applied), str(each.degraded_action or ""), each.degraded_reason) for each in fake.outcomes]
    assert told == [("published", "allow", "unavailable"), ("held", "", "")]


def test_while_the_service_is_still_away_nothing_changes(fake):
    """A run in vain does no harm."""
    fake.fail("UNAVAILABLE")
    offer = Offer.objects.create(title="Chair")
    done = synchronize()
    assert (done.rescored, done.waiting, done.outcomes.left) == (0, 1, 1)
    assert public(offer) is False


def test_what_a_moderator_decided_meanwhile_is_not_scored_again(fake):
    """People's word stands."""
    fake.fail("UNAVAILABLE")
    Offer.objects.create(title="Chair")
    moderation.reject(Screening.objects.get())
    fake.recover()
    assert synchronize().rescored == 0


def test_an_offer_edited_while_the_service_was_away_is_scored_as_it_is(fake):
    """The old text is not."""
    fake.fail("UNAVAILABLE")
    offer = Offer.objects.create(title="Boar tusk")
    offer.title = "Chair"
    offer.save()
    fake.recover()
    synchronize()
    assert ([each.title for each in fake.listings], public(offer)) == (["Chair"], True)
