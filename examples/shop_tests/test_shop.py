"""The tests of a shop that asks Wildgate, with its fake service: copy and change them.

`wildgate_fake` comes with the package, and so does the marker that names a scenario. Run them with
`pytest examples/shop_tests`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from shop import Shop

pytestmark = pytest.mark.wildgate("scenario.toml")


@pytest.fixture
def shop(wildgate_fake):
    """The shop as it runs: listings that get no answer within half a second are held."""
    return Shop(wildgate_fake.client(on_unavailable="review", timeout=0.5))


def test_an_innocent_listing_is_public(shop):
    """No rule of the scenario fits."""
    assert shop.post("Chest of drawers") == "It is public."


def test_a_doubtful_listing_is_held(shop):
    """A pattern fits."""
    shop.post("Bone carving from Kenya")
    assert (shop.published, shop.held) == ([], ["Bone carving from Kenya"])


def test_a_refused_seller_reads_the_notice(shop, wildgate_fake):
    """And the service is told that the listing was removed."""
    assert shop.post("Raw tusk") == "This listing seems to offer protected wildlife."
    assert [each.applied for each in wildgate_fake.outcomes] == ["removed"]


@pytest.mark.parametrize("title", ["slow cooker", "outage", "no quota"])
def test_what_is_not_answered_is_held(shop, title):
    """Late, down or over its quota: the seller is served all the same."""
    shop.post(title)
    assert shop.held == [title]


def test_an_answer_that_is_garbage_is_no_answer(shop, wildgate_fake):
    """Error details that nobody can read."""
    wildgate_fake.fail("UNAVAILABLE", details=b"\xff\x00garbage")
    shop.post("Chest of drawers")
    assert shop.held == ["Chest of drawers"]


def test_a_service_that_is_gone_holds_and_does_not_break(shop, wildgate_fake):
    """Nothing listens any more."""
    wildgate_fake.stop_serving()
    shop.post("Chest of drawers")
    assert shop.held == ["Chest of drawers"]


def test_the_title_alone_is_sent(shop, wildgate_fake):
    """What the service was asked is recorded."""
    shop.post("Chest of drawers")
    (asked,) = wildgate_fake.listings
    assert (asked.title, asked.description, asked.seller_ref) == ("Chest of drawers", "", "")
