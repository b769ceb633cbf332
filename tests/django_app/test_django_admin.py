"""The moderators' page."""

import pytest
from bazaar.models import Offer
from django.urls import reverse
from wildgate.contrib.django.models import Screening, State
from wildgate.contrib.django.screening import ListingRefusedError

pytestmark = pytest.mark.django_db
QUEUE = "/admin/wildgate/screening/"


@pytest.fixture
def page(client, moderator):
    """Ask for a page as a moderator."""
    client.force_login(moderator)
    return client


def address(screening):
    return reverse("admin:wildgate_screening_change", args=[screening.pk])


def test_the_queue_shows_what_is_held(fake, page):
    """And not what was published."""
    Offer.objects.create(title="Boar tusk")
    Offer.objects.create(title="Chair")
    shown = page.get(QUEUE).content.decode()
    assert ("Boar tusk" in shown, "Chair" in shown) == (True, False)


def test_words_are_marked_where_they_stand_in_code_points(fake, page):
    """Characters outside the basic plane count as one."""
    Offer.objects.create(title="🐗🐗 Boar tusk 🐗")
    shown = page.get(address(Screening.objects.get())).content.decode()
    assert "🐗🐗 Boar <mark>tusk</mark> 🐗" in shown


def test_a_title_cannot_run_markup_on_the_page(fake, page):
    """Neither in the queue nor on the page, around a mark or in it."""
    Offer.objects.create(title="<script>alert(1)</script> tusk & co", body="<img src=x onerror=alert(2)>tusk", material="</div><b>tusk")
    shown = page.get(QUEUE).content.decode() + page.get(address(Screening.objects.get())).content.decode()
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert "<b><mark>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <mark>tusk</mark> &amp; co" in shown


@pytest.mark.parametrize(("button", "state", "public"), [("_approve", State.APPROVED, True), ("_reject", State.REJECTED, False)])
def test_a_moderator_decides_with_a_reason(fake, page, moderator, button, state, public):
    """By the buttons of the page."""
    offer = Offer.objects.create(title="Boar tusk")
    page.post(address(Screening.objects.get()), {button: "1", "note": "seen the pictures"})
    screening = Screening.objects.get()
    offer.refresh_from_db()
    assert (state, moderator, "seen the pictures", public) == (screening.state, screening.decided_by, screening.note, offer.is_public)


def test_many_are_decided_at_once(fake, page):
    """By the actions of the list."""
    for number in range(3):
        Offer.objects.create(title=f"Boar tusk {number}")
    chosen = [str(each.pk) for each in Screening.objects.all()]
    page.post(QUEUE, {"action": "approve_chosen", "_selected_action": chosen})
    assert Offer.objects.filter(is_public=True).count() == 3


def test_a_complaint_is_recorded_and_upheld(fake, page):
    """Of what was refused before it was an object."""
    with pytest.raises(ListingRefusedError):
        Offer.objects.create(title="Ivory bangle")
    for button in ("_appeal", "_uphold"):
        page.post(address(Screening.objects.get()), {button: "1", "note": ""})
    assert Screening.objects.get().state == State.APPROVED


def test_what_was_edited_meanwhile_is_told_and_left(fake, page):
    """The page was open while the seller edited."""
    offer = Offer.objects.create(title="Boar tusk")
    held = Screening.objects.get()
    offer.title = "Chair"
    offer.save()
    shown = page.post(address(held), {"_approve": "1", "note": ""}, follow=True).content.decode()
    assert "edited since" in shown


def test_who_may_only_look_sees_no_buttons(fake, client, django_user_model):
    """And cannot decide by a request of their own."""
    viewer = django_user_model.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(*viewer.user_permissions.model.objects.filter(codename="view_screening"))
    client.force_login(viewer)
    Offer.objects.create(title="Boar tusk")
    screening = Screening.objects.get()
    assert 'name="_approve"' not in client.get(address(screening)).content.decode()
    client.post(address(screening), {"_approve": "1", "note": ""})
    screening.refresh_from_db()
    assert screening.state == State.HELD
