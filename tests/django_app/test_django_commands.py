"""Management commands."""

from datetime import timedelta
from io import StringIO

import pytest
from bazaar.models import Offer, Post
from django.core.management import CommandError, call_command
from django.utils import timezone
from wildgate.contrib.django.models import Screening, State

pytestmark = pytest.mark.django_db(databases=["default", "posts"])


def run(*arguments):
    told = StringIO()
    call_command(*arguments, stdout=told, stderr=told)
    return told.getvalue()


@pytest.fixture
def old_offers():
    """Offers from before the app was installed."""
    titles = ["Chair", "Boar tusk", "Ivory bangle", "Table"]
    Offer.objects.bulk_create([Offer(title=title) for title in titles] + [Offer(title="Draft of a tusk", is_public=False)])


def public():
    return sorted(Offer.objects.filter(is_public=True).values_list("title", flat=True))


def test_what_is_published_already_is_screened(fake, old_offers):
    """What is to be reviewed or refused is held; drafts are left until they are saved."""
    told = run("wildgate_screen", "--model", "bazaar.Offer", "--batch-size", "2")
    assert "bazaar.Offer: 2 allowed, 2 held, 0 hidden again, 0 not scored" in told
    assert public() == ["Chair", "Table"]
    assert [each.action for each in Screening.objects.filter(state=State.HELD)] == ["review", "block"]


def test_a_dry_run_changes_nothing(fake, old_offers):
    """But says what would be."""
    assert "2 would be held" in run("wildgate_screen", "--model", "bazaar.Offer", "--dry-run")
    assert (len(public()), Screening.objects.count()) == (4, 0)


def test_a_run_that_was_stopped_goes_on(fake, old_offers):
    """What was screened is not scored again."""
    run("wildgate_screen", "--model", "bazaar.Offer", "--limit", "2", "--batch-size", "2")
    first = len(fake.listings)
    run("wildgate_screen", "--model", "bazaar.Offer")
    assert (first, len(fake.listings)) == (2, 4)


def test_a_run_without_the_service_says_so(fake, old_offers):
    """And nothing is held by a policy that was meant for a seller who waits."""
    fake.fail("UNAVAILABLE")
    with pytest.raises(CommandError, match="run this again"):
        run("wildgate_screen", "--model", "bazaar.Offer")
    assert len(public()) == 4


def test_a_model_in_another_database_is_screened(fake):
    """Its screenings are with the others."""
    Post.objects.bulk_create([Post(text="a tusk")])
    run("wildgate_screen")
    assert (Post.objects.get().status, Screening.objects.get().state) == ("waiting", State.HELD)


def test_what_was_published_past_a_hold_is_hidden_again(fake):
    """By an update of many, which no hook sees."""
    Offer.objects.create(title="Boar tusk")
    Offer.objects.update(is_public=True)
    assert "1 hidden again" in run("wildgate_screen", "--model", "bazaar.Offer")
    assert public() == []


def test_sync_says_what_it_did(fake):
    """In one line, for a log."""
    fake.fail("UNAVAILABLE")
    Offer.objects.create(title="Chair")
    fake.recover()
    assert run("wildgate_sync") == "rescored 1 (1 published, 0 held), 0 waiting; outcomes: 2 sent, 0 refused, 0 waiting\n"


def test_forget_empties_old_texts_but_of_what_is_open(fake):
    """The decisions stay."""
    Offer.objects.create(title="Chair")
    Offer.objects.create(title="Boar tusk")
    Screening.objects.update(created_time=timezone.now() - timedelta(days=200))
    Offer.objects.create(title="Table")
    assert run("wildgate_forget", "--days", "180") == "emptied 1 texts\n"
    assert [each.texts.get("title", "") for each in Screening.objects.all()] == ["", "Boar tusk", "Table"]
