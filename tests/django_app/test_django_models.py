"""Some objects of a watched model alone, a time that is set with what makes an object public, and a page in place of a hidden one."""

import copy

import pytest
from bazaar.models import Offer
from django.conf import settings as site
from django.core.management import call_command
from django.utils import timezone
from wildgate.contrib.django import moderation
from wildgate.contrib.django.models import Screening

pytestmark = pytest.mark.django_db(databases=["default", "posts"])
LONG_AGO = timezone.make_aware(timezone.datetime(2001, 1, 1))


@pytest.fixture
def entry(fake, configure):
    """Change the entry of offers."""

    def change(**keys):
        configure(MODELS={"bazaar.Offer": {**copy.deepcopy(site.WILDGATE["MODELS"]["bazaar.Offer"]), **keys}})

    return change


@pytest.fixture
def touched(entry):
    """Set the time when an offer is made public or hidden."""
    entry(published={"field": "is_public", "value": True, "touch": "changed_time"})


def test_an_object_that_is_not_covered_is_never_scored(fake, entry):
    """Neither when it is validated, nor saved, nor found by the command."""
    entry(only="bazaar.rules.has_a_price")
    free = Offer(title="Ivory bangle", price=0)
    free.full_clean(exclude=["owner"])
    free.save()
    call_command("wildgate_screen")
    assert (fake.listings, Screening.objects.count(), free.is_public) == ([], 0, True)


def test_an_object_that_comes_to_be_covered_is_scored(fake, entry):
    """By the save that makes it so."""
    entry(only="bazaar.rules.has_a_price")
    offer = Offer.objects.create(title="Boar tusk", price=0)
    offer.price = 5
    offer.save()
    assert [each.title for each in fake.listings] == ["Boar tusk"]
    assert offer.is_public is False


def test_a_validation_that_the_save_does_not_cover_is_forgotten(fake, entry):
    """What was made private in between is not kept."""
    entry(only="bazaar.rules.has_a_price")
    offer = Offer(title="Boar tusk", price=5)
    offer.full_clean(exclude=["owner"])
    offer.price = 0
    offer.save()
    assert (offer.is_public, Screening.objects.count()) == (True, 0)


def test_a_hold_sets_the_time(touched):
    """A search index that goes by it notices."""
    assert Offer.objects.create(title="Boar tusk", changed_time=LONG_AGO).changed_time > LONG_AGO


def test_an_approval_sets_the_time(touched):
    """In the database."""
    offer = Offer.objects.create(title="Boar tusk")
    Offer.objects.update(changed_time=LONG_AGO)
    moderation.approve(Screening.objects.get())
    offer.refresh_from_db()
    assert (offer.is_public, offer.changed_time > LONG_AGO) == (True, True)


def test_a_save_of_other_columns_writes_the_time_of_a_hold(touched):
    """With the switch itself."""
    offer = Offer.objects.create(title="Chair", changed_time=LONG_AGO)
    offer.title = "Boar tusk"
    offer.save(update_fields=["title"])
    offer.refresh_from_db()
    assert (offer.is_public, offer.changed_time > LONG_AGO) == (False, True)


def test_what_is_public_and_stays_so_keeps_its_time(touched):
    """Nothing changed."""
    assert Offer.objects.create(title="Chair", changed_time=LONG_AGO).changed_time == LONG_AGO


@pytest.mark.parametrize(("title", "page"), [("Boar tusk", "/form/"), ("Chair", "/offer/{pk}/")])
def test_who_posted_what_is_held_is_led_to_another_page(entry, client, title, page):
    """Its own is hidden with it; what is public keeps its own."""
    entry(held_page="/form/")
    answer = client.post("/post-and-go-there/", {"title": title})
    assert answer.url == page.format(pk=Offer.objects.get().pk)


def test_a_page_that_is_not_there_breaks_no_save(entry, client):
    """The site's own redirect stands; `manage.py check` tells."""
    entry(held_page="nowhere")
    answer = client.post("/post-and-go-there/", {"title": "Boar tusk"})
    assert answer.url == f"/offer/{Offer.objects.get().pk}/"
