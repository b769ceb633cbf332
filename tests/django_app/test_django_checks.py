"""`manage.py check` says what is wrong, with an id, and what to do."""

import copy

import pytest
from django.conf import settings as site
from wildgate.contrib.django import conf
from wildgate.contrib.django.checks import MIDDLEWARE, check_settings

OFFER = copy.deepcopy(site.WILDGATE["MODELS"]["bazaar.Offer"])


def ids():
    return [each.id for each in check_settings()]


def test_a_site_that_is_set_up_well_passes():
    """Nothing to say."""
    assert ids() == []


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        ("wildgate.E002", {"TARGETS": "x"}),
        ("wildgate.E003", {"TARGET": ""}),
        ("wildgate.E003", {"ON_UNAVAILABLE": None}),
        ("wildgate.E003", {"MODELS": None}),
        ("wildgate.E004", {"ON_UNAVAILABLE": "raise"}),
        ("wildgate.E004", {"OUTCOMES": "never"}),
        ("wildgate.E005", {"TIMEOUT": 0}),
        ("wildgate.E005", {"TIMEOUT": "fast"}),
        ("wildgate.E005", {"MARKET": "Germany"}),
        ("wildgate.E005", {"ROOT_CERTIFICATES": "/nowhere.pem"}),
        ("wildgate.W006", {"TARGET": "dns:///wildgate:50051"}),
        ("wildgate.E006", {"TARGET": "dns:///wildgate:50051", "API_KEY": "wg_x", "INSECURE": True}),
        ("wildgate.E007", {"MODELS": ["bazaar.Offer"]}),
        ("wildgate.E007", {"MODELS": {"bazaar.Ofer": OFFER}}),
        ("wildgate.E008", {"MODELS": {"bazaar.Offer": {**OFFER, "titel": "title"}}}),
        ("wildgate.E008", {"MODELS": {"bazaar.Offer": {**OFFER, "title": "headline"}}}),
        ("wildgate.E008", {"MODELS": {"bazaar.Offer": {**OFFER, "attributes": "bazaar.nothing"}}}),
        ("wildgate.E008", {"MODELS": {"bazaar.Offer": {**OFFER, "kind": "advert"}}}),
        ("wildgate.E008", {"MODELS": {"bazaar.Offer": {"published": OFFER["published"]}}}),
        ("wildgate.E009", {"MODELS": {"bazaar.Offer": {**OFFER, "published": "is_public"}}}),
        ("wildgate.E008", {"MODELS": {"bazaar.Offer": {**OFFER, "only": "bazaar.rules.nothing"}}}),
        ("wildgate.E009", {"MODELS": {"bazaar.Offer": {**OFFER, "published": {"field": "is_public", "value": True, "touch": "x"}}}}),
        ("wildgate.E009", {"MODELS": {"bazaar.Offer": {**OFFER, "published": {"field": "public", "value": True}}}}),
        ("wildgate.E009", {"MODELS": {"bazaar.Offer": {**OFFER, "published": {"field": "title", "value": "live"}}}}),
        ("wildgate.E014", {"MODELS": {"bazaar.Offer": {**OFFER, "held_page": "nowhere"}}}),
        ("wildgate.W010", {"MODELS": {"bazaar.Offer": {"title": "title"}}}),
    ],
)
def test_what_is_set_wrongly_is_named(configure, expected, change):
    """Each with its own id."""
    configure(**change)
    assert expected in ids()


def test_settings_that_are_wrong_watch_nothing_and_break_nothing(configure):
    """Until they are mended."""
    configure(ON_UNAVAILABLE="perhaps")
    assert conf.load() is None


def test_no_setting_at_all_is_an_error(settings):
    """Not a shop without a guard that nobody notices."""
    del settings.WILDGATE
    assert "wildgate.E001" in ids()


def test_the_middleware_is_missed_and_its_place_is_checked(settings):
    """It must come after those it needs."""
    others = [each for each in settings.MIDDLEWARE if each != MIDDLEWARE]
    settings.MIDDLEWARE = others
    missing = ids()
    settings.MIDDLEWARE = [MIDDLEWARE, *others]
    assert missing == ["wildgate.W011"]
    assert {"wildgate.E012"} == set(ids())
