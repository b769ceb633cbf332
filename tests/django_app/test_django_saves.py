"""What becomes of an object when it is saved."""

import pytest
from bazaar.models import Offer, Plain, Post
from bazaar.views import OfferForm
from django.core.exceptions import ValidationError
from django.db import transaction
from wildgate.contrib.django.models import Screening, State
from wildgate.contrib.django.screening import ListingRefusedError
from wildgate.contrib.django.validators import ListingValidator

pytestmark = pytest.mark.django_db(databases=["default", "posts"])


def states():
    return [each.state for each in Screening.objects.all()]


@transaction.atomic
def save_and_fail():
    """A transaction that is rolled back."""
    Offer.objects.create(title="Boar tusk")
    raise RuntimeError


def test_an_innocent_offer_is_public(fake):
    """It is scored once, and kept as published."""
    offer = Offer.objects.create(title="Wedding dress", body="Size 38", material="silk")
    (asked,) = fake.listings
    assert (offer.is_public, asked.title, asked.description, asked.attributes[0].value) == (True, "Wedding dress", "Size 38", "silk")
    assert states() == [State.PUBLISHED]


def test_a_doubtful_offer_is_saved_but_not_public(fake):
    """It waits for a moderator."""
    offer = Offer.objects.create(title="Boar tusk")
    offer.refresh_from_db()
    assert offer.is_public is False
    assert states() == [State.HELD]


def test_a_form_shows_the_refusal_and_keeps_what_was_typed(fake):
    """The notice stands over the form."""
    form = OfferForm({"title": "Ivory bangle", "body": "from my aunt", "is_public": "on"})
    assert not form.is_valid()
    assert "protected wildlife" in form.non_field_errors()[0]
    assert "from my aunt" in form.as_div()
    assert (states(), Offer.objects.count()) == ([State.REFUSED], 0)


def test_a_form_asks_the_service_once(fake):
    """Validating and saving are one decision."""
    form = OfferForm({"title": "Chair", "is_public": "on"})
    assert form.is_valid()
    form.save()
    assert len(fake.listings) == 1


def test_a_save_without_a_form_is_refused_by_an_error(fake):
    """Code that saves gets a ValidationError, and nothing is saved."""
    with pytest.raises(ListingRefusedError) as caught:
        Offer.objects.create(title="Ivory bangle")
    assert isinstance(caught.value, ValidationError)
    assert Offer.objects.count() == 0


def test_constraints_of_the_model_are_validated_as_before(fake):
    """Extending the validation loses nothing of it."""
    with pytest.raises(ValidationError, match="price_is_not_negative"):
        Offer(title="Chair", price=-1).full_clean()


def test_only_a_change_of_what_is_scored_is_scored(fake):
    """A new price is no new text."""
    offer = Offer.objects.create(title="Chair")
    offer.price = 7
    offer.save()
    offer.title = "Table"
    offer.save()
    assert [each.title for each in fake.listings] == ["Chair", "Table"]


def test_saving_other_fields_by_name_asks_nobody(fake):
    """`update_fields` without a scored field does not even look."""
    offer = Offer.objects.create(title="Chair")
    offer.save(update_fields=["price"])
    assert len(fake.listings) == 1


def test_what_was_validated_and_not_saved_is_not_kept(fake):
    """Only the price was written; the title in the database is the old one."""
    offer = Offer.objects.create(title="Chair")
    offer.title = "Boar tusk"
    offer.full_clean()
    offer.save(update_fields=["price"])
    assert states() == [State.PUBLISHED]


def test_a_hold_reaches_the_database_when_only_the_title_is_saved(fake):
    """`update_fields` does not keep the offer public."""
    offer = Offer.objects.create(title="Chair")
    offer.title = "Boar tusk"
    offer.save(update_fields=["title"])
    offer.refresh_from_db()
    assert offer.is_public is False


def test_ticking_public_does_not_end_a_hold(fake):
    """The owner cannot publish what waits for a moderator."""
    offer = Offer.objects.create(title="Boar tusk")
    offer.is_public = True
    offer.save()
    offer.refresh_from_db()
    assert offer.is_public is False


def test_a_harmless_edit_ends_a_hold(fake):
    """What was held only for its text is public with another one."""
    offer = Offer.objects.create(title="Boar tusk")
    offer.title = "Boar plush toy"
    offer.save()
    offer.refresh_from_db()
    assert offer.is_public is True
    assert states() == [State.SUPERSEDED, State.PUBLISHED]


def test_a_draft_that_is_held_and_edited_stays_a_draft(fake):
    """Nobody asked to publish it."""
    offer = Offer.objects.create(title="Boar tusk", is_public=False)
    offer.title = "Boar plush toy"
    offer.save()
    assert offer.is_public is False


def test_an_edit_can_be_refused_and_the_saved_text_stays(fake):
    """The offer is as it was before."""
    offer = Offer.objects.create(title="Chair")
    offer.title = "Ivory chair"
    with pytest.raises(ListingRefusedError):
        offer.save()
    offer.refresh_from_db()
    assert (offer.title, offer.is_public) == ("Chair", True)


def test_a_refused_text_is_refused_again(fake):
    """Pressing save a second time does not help."""
    offer = Offer.objects.create(title="Chair")
    for _ in range(2):
        offer.title = "Ivory chair"
        with pytest.raises(ListingRefusedError):
            offer.save()
    assert states() == [State.PUBLISHED, State.REFUSED, State.REFUSED]


def test_a_rollback_takes_the_screening_with_it(fake):
    """What was never saved was never held."""
    with pytest.raises(RuntimeError):
        save_and_fail()
    assert Screening.objects.count() == 0


def test_deleting_an_object_empties_what_was_kept_of_its_text(fake):
    """The decision stays, the words go."""
    Offer.objects.create(title="Boar tusk").delete()
    screening = Screening.objects.get()
    assert (screening.state, screening.texts, screening.matches) == (State.DELETED, {}, [])


def test_an_object_in_another_database_is_screened(fake, django_capture_on_commit_callbacks):
    """Its screening is kept with the others, after its own commit."""
    with django_capture_on_commit_callbacks(using="posts", execute=True):
        post = Post.objects.create(text="a tusk, anybody?")
        before = states()
    assert (before, states(), post.status, fake.listings[0].content_kind) == ([], [State.HELD], "waiting", "social_post")


def test_a_model_that_is_not_watched_costs_nothing(fake):
    """Nobody is asked."""
    Plain.objects.create(title="Ivory bangle")
    assert fake.listings == []


def test_raw_saves_of_fixtures_are_left_alone(fake):
    """`loaddata` brings what was decided elsewhere."""
    Offer(title="Ivory bangle").save_base(raw=True)
    assert fake.listings == []


def test_a_validator_refuses_data_that_is_no_model_yet(fake):
    """As a serializer calls it: with a dictionary, of which some names are no fields."""
    with pytest.raises(ValidationError, match="protected wildlife"):
        ListingValidator("bazaar.Offer")({"title": "Ivory bangle", "captcha": "7"})
    ListingValidator("bazaar.Offer")({"title": "Chair"})


def test_a_text_over_the_limits_is_held_and_not_cut(fake):
    """A moderator sees what could not be scored, and why."""
    offer = Offer.objects.create(title="x" * 1001)
    assert offer.is_public is False
    assert "1,001 code points" in Screening.objects.get().reason
