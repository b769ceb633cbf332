"""Refusals and holds as they reach a visitor, of synchronous and asynchronous views."""

import pytest
from bazaar.models import Offer
from django.contrib.messages import get_messages
from django.db import connections
from django.test import AsyncClient
from wildgate.contrib.django.models import Screening, State


@pytest.mark.django_db
def test_the_notice_is_in_the_language_of_the_page(fake, client):
    """A visitor who reads German is told in German, whatever language the listing is in."""
    answer = client.post("/post/", {"title": "Ivory bangle"}, headers={"accept-language": "de"})
    assert "geschützte" in answer.content.decode()


@pytest.mark.django_db
def test_a_hold_is_told_by_a_message(fake, client):
    """The next page says that somebody will look."""
    answer = client.post("/post/", {"title": "Boar tusk", "is_public": "on"})
    (message,) = get_messages(answer.wsgi_request)
    assert "will be checked before it is shown" in str(message)


@pytest.mark.django_db(transaction=True)
def test_a_refusal_that_no_form_caught_is_answered_with_422(fake, client, monkeypatch):
    """The view's transaction is rolled back; the refusal is kept all the same, once."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    answer = client.post("/post-without-form/", {"title": "Ivory bangle"})
    assert (422, "protected wildlife" in answer.content.decode()) == (answer.status_code, True)
    assert [each.state for each in Screening.objects.all()] == [State.REFUSED]


@pytest.mark.django_db
def test_a_program_gets_the_notice_as_json(fake, client):
    """By the Accept header."""
    answer = client.post("/post-without-form/", {"title": "Ivory bangle"}, headers={"accept": "application/json"})
    assert answer.json()["error"] == "refused"


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_views_are_served(fake):
    """Held and refused as in synchronous ones."""
    client = AsyncClient()
    held = await client.post("/post-async/", {"title": "Boar tusk"})
    refused = await client.post("/post-async/", {"title": "Ivory bangle"})
    assert (held.json()["public"], refused.status_code) == (False, 422)
    assert await Offer.objects.acount() == 1
