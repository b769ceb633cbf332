"""A shop of django-oscar in a browser: a seller posts through oscar's own dashboard, a moderator decides, the report shows it.

Every title is a new one, so the tests share the shop and the service.
"""

from __future__ import annotations

from functools import partial
from time import time_ns

import pytest

INNOCENT = "Wedding dress in ivory satin, size 38"
REFUSED = "Genuine elephant ivory tusk, raw, message me on WhatsApp"
DOUBTFUL = "Old carved box with ivory inlay"


@pytest.fixture(scope="module")
def shop(make_platform, service, tmp_path_factory):
    """The shop, with Wildgate by configuration alone."""
    with make_platform("shop", tmp_path_factory.mktemp("shop"), WILDGATE_TARGET=service.target) as platform:
        yield platform


class Seller:
    """Somebody at oscar's dashboard."""

    def __init__(self, page, address: str) -> None:
        self.page, self.address = page, address

    def log_in(self, email: str = "seller@example.org") -> Seller:
        """By oscar's own page."""
        self.page.goto(f"{self.address}/accounts/login/")
        self.page.fill("#id_login-username", email)
        self.page.fill("#id_login-password", "of-the-tests")
        self.page.click("button[name=login_submit]")
        return self

    def write(self, title: str, description: str) -> None:
        """Fill in a new product and press save."""
        self.page.goto(f"{self.address}/dashboard/catalogue/products/create/things/")
        self.page.fill("#id_title", title)
        self._description.fill(description)
        self.page.click("a[href='#product_category']")
        self.page.click("#product_category .select2-selection")
        self.page.click(".select2-results__option:has-text('Attic')")
        self.page.click("a[href='#product_stock']")
        self.page.fill("[name=stockrecords-0-partner_sku]", f"{time_ns()}")
        self.page.fill("[name=stockrecords-0-price]", "40")
        self.page.click("a[href='#product_details']")
        self.save()

    def edit(self, title: str, new_title: str) -> None:
        """Open a product from the list, change its title and press save."""
        self.page.goto(f"{self.address}/dashboard/catalogue/")
        self.page.click(f"a:has-text('{title}')")
        self.page.fill("#id_title", new_title)
        self.save()

    def save(self) -> None:
        """Press the button."""
        with self.page.expect_navigation():
            self.page.click("#create_update_product_form button[value=save]")

    @property
    def _description(self):
        return self.page.frame_locator("#product_details iframe").locator("body")

    @property
    def typed(self) -> tuple[str, str]:
        """What stands in the form."""
        return self.page.input_value("#id_title"), self._description.inner_text().strip()

    @property
    def told(self) -> str:
        """What the page says at its top, errors and messages."""
        return "\n".join(self.page.locator(".alert, .error-block").all_inner_texts())


@pytest.fixture
def seller(visit, shop):
    """A seller who reads English, or another language: `seller("de")`."""
    return lambda language="en-GB": Seller(visit(language), shop.address).log_in()


@pytest.fixture
def shown(visit, shop):
    """Whether a visitor finds a title in the shop."""

    def look(title: str) -> bool:
        page = visit()
        page.goto(f"{shop.address}/catalogue/")
        return title in [each.get_attribute("title") for each in page.locator(".product_pod h3 a").all()]

    return look


@pytest.fixture
def moderate(open_screening, shop):
    """Open the page of a held text, as a moderator."""
    return partial(open_screening, shop.address)


def test_an_innocent_product_is_public(seller, shown):
    """The seller notices nothing of Wildgate."""
    at = seller()
    at.write(INNOCENT, "Worn once.")
    assert "protected wildlife" not in at.told
    assert shown(INNOCENT)


def test_an_ivory_offer_is_refused_in_the_language_of_the_page(seller, shown, picture):
    """The notice stands over oscar's own form, which still holds what was typed."""
    at = seller("de-DE")
    at.write(REFUSED, "From the estate of my uncle.")
    assert "geschützte" in at.told
    assert at.typed == (REFUSED, "From the estate of my uncle.")
    assert not shown(REFUSED)
    picture(at.page, "shop_refused")


def test_a_doubtful_product_is_held_and_approved(seller, shown, moderate, picture):
    """It is not in the shop until a moderator says so."""
    at = seller()
    at.write(DOUBTFUL, "My grandmother brought it home from Kenya.")
    assert "will be checked before it is shown" in at.told
    picture(at.page, "shop_held")
    assert not shown(DOUBTFUL)
    page = moderate(DOUBTFUL)
    assert page.locator(".wildgate-words mark").first.inner_text() == "ivory"
    page.fill("#id_note", "Bone, as the pictures show.")
    picture(page.locator("#content"), "moderation")
    page.click("[name=_approve]")
    assert shown(DOUBTFUL)


def test_a_rejected_product_stays_hidden_whatever_its_seller_ticks(seller, shown, moderate):
    """Saving it again as public does not publish it. Its title is shown as text, not run as markup."""
    title = "Ivory inlay comb <img src=x onerror=document.title='owned'>"
    at = seller()
    at.write(title, "Old carved box with ivory inlay")
    page = moderate("Ivory inlay comb")
    assert page.title() != "owned"
    assert title in page.locator(".wildgate-words").first.inner_text()
    page.click("[name=_reject]")
    at.page.goto(f"{at.address}/dashboard/catalogue/")
    at.page.click("a:has-text('Ivory inlay comb')")
    at.page.check("#id_is_public")
    at.save()
    assert not shown(title)


def test_an_edit_into_an_ivory_offer_is_refused_and_the_product_stays_as_it_was(seller, shown):
    """The shop goes on showing what was there."""
    at = seller()
    at.write("Chest of drawers", "Oak.")
    at.edit("Chest of drawers", "Raw elephant ivory tusk for sale, 4 kg")
    assert "protected wildlife" in at.told
    assert shown("Chest of drawers")


def test_the_report_of_the_service_shows_decisions_and_what_became_of_them(seller, moderate, report, until):
    """Refused by software, held by software, taken down by a moderator."""
    at = seller()
    at.write("Raw elephant tusk, ivory, cash only", "Ask for price.")
    at.write("Mammoth ivory pendant for sale", "Never worn.")
    moderate("Mammoth ivory pendant").click("[name=_reject]")
    until(lambda: {"automated", "moderator"} <= report()["means"].keys(), "measures by software and by a moderator in the report")
    total = report()["total"][""]
    assert min(total["held"], total["refused"], total["taken_down"]) > 0


def test_the_service_is_killed_while_a_seller_posts(seller, shown, service, shop, report, until):
    """Nothing breaks, the product is held by the shop's policy, and is public once the service is back and asked."""
    at = seller()
    service.kill()
    try:
        at.write("Garden bench", "Painted green.")
        assert "will be checked before it is shown" in at.told
        assert not shown("Garden bench")
    finally:
        service.start()
    until(lambda: "1 published" in shop.manage("wildgate_sync"), "the service to answer again")
    assert shown("Garden bench")
    assert report()["degraded"] == {"unavailable": {"texts": 1}}
