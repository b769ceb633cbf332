"""Against the real service, with the real lexicons."""

from datetime import UTC, datetime

import pytest
from bazaar.models import Offer
from bazaar.views import OfferForm
from django.utils import translation
from wildgate import Client
from wildgate.contrib.django import moderation
from wildgate.contrib.django.models import Screening, State

pytestmark = [pytest.mark.django_db, pytest.mark.real_server]


@pytest.fixture
def service(configure, real_server_target):
    """The site asks the real service."""
    configure(TARGET=real_server_target)
    return real_server_target


@pytest.mark.parametrize(("language", "words"), [("en", "protected wildlife"), ("de", "geschützte"), ("zh-hans", "受保护")])
def test_an_ivory_offer_is_refused_in_the_language_of_the_page(service, language, words):
    """Though the listing is in English."""
    with translation.override(language):
        form = OfferForm({"title": "Genuine elephant ivory tusk, raw, message me on WhatsApp"})
        assert words in form.non_field_errors()[0]


def test_a_doubtful_offer_is_held_with_reason_and_marked_words(service):
    """The spans are those of the seller's own text."""
    Offer.objects.create(title="🪭 Mammoth ivory pendant for sale")
    screening = Screening.objects.get()
    (first, *_) = [each for each in screening.matches if each["field"] == "title"]
    assert (screening.state, screening.texts["title"][first["start"] : first["end"]]) == (State.HELD, "Mammoth ivory")
    assert "mammoth" in screening.reason


def test_an_innocent_offer_is_public(service):
    """Ivory is a color of wedding dresses."""
    assert Offer.objects.create(title="Wedding dress in ivory satin, size 38").is_public


def test_the_report_shows_what_the_moderator_did(service, committed):
    """From the outcomes that were sent by themselves."""
    with committed():
        Offer.objects.create(title="Leopard skin coat, vintage 1960s, with papers")
        moderation.reject(Screening.objects.get())
    today = datetime.now(UTC).date()
    with Client(service, insecure=True, on_unavailable="raise") as client:
        outcomes = client.transparency_report(today, today).outcomes
    assert (outcomes.get("held", 0) > 0, outcomes.get("removed", 0) > 0) == (True, True)
