"""From a listing to a decision."""

import pytest
from wildgate_service.errors import InvalidListingError
from wildgate_service.fuse import AGAINST, features
from wildgate_service.match import match
from wildgate_service.normalize import normalize
from wildgate_service.pipeline import score_listing
from wildgate_service.types import Action, Attribute, Classification, ContentKind, Listing


def decide(engine, title="", description="", **fields):
    """The decision on a listing."""
    return score_listing(engine, Listing(title=title, description=description, **fields))


@pytest.mark.parametrize(
    "title",
    [
        "Elephant ivory bangle for sale, DM me",
        "象牙手镯 老料 加微信",
        "Bán vảy tê tê khô, giá rẻ",
        "р4ng0l1n scales for sale",
        "r h i n o  h o r n powder for sale",
        "ｅｌｅｐｈａｎｔ　ｉｖｏｒｙ beads for sale",
        "ele\u200bphant iv\u200bory beads for sale",
    ],
)
def test_an_offer_is_refused(engine, title):
    """Plain, coded in script, or disguised."""
    assert decide(engine, title).action is Action.BLOCK


@pytest.mark.parametrize(
    "title",
    [
        "Ivory satin wedding dress, size M, free shipping",
        "大象牙刷 儿童 软毛 包邮",
        "Tiger Balm 30g, 3 pcs, cheap price",
        "Trip to Ivory Coast, hotel for sale",
        "Python programming book, used, for sale",
        "虎牙直播 账号 出售",
    ],
)
def test_a_look_alike_is_published(engine, title):
    """Colors, brands, places, games and words that contain the form."""
    assert decide(engine, title).action is Action.ALLOW


def test_a_match_points_at_the_sellers_own_characters(engine):
    """Field and span are those of the text as sent, behind an astral emoji and a letter that folds longer."""
    title = "🎁 İyi: Elephant Ivory bangle for sale"
    (match,) = [found for found in decide(engine, title).matches if found.taxa]
    assert title[match.start : match.end] == match.surface
    assert match.surface.startswith("Elephant Ivory")


def test_a_word_split_between_title_and_description_is_seen(engine):
    """The view that joined the fields is named."""
    decision = decide(engine, "Fresh stock, pango", "lins for sale, per kilo")
    assert {found.views for found in decision.matches if found.taxa} == {("joined_fields",)}


@pytest.mark.parametrize("offer", ["слоновая кость продам", "elephant ivory bangle for sale", "象牙手镯 出售"])
def test_ordinary_words_around_an_offer_do_not_drown_it(engine, offer):
    """The encoder takes a closer look beside the wide one."""
    padding = "blue cotton shirt, wooden table lamp, kitchen shelf, camera lens, running shoes, summer dress. " * 4
    assert decide(engine, "Various household goods", f"{padding}{offer} {padding}").action is not Action.ALLOW


def test_attributes_are_scored_like_text(engine):
    """Material: elephant ivory."""
    decision = decide(engine, "Carved figure for sale", attributes=(Attribute("Material", "Elephant ivory"),))
    assert [(found.field, found.surface) for found in decision.matches if found.taxa] == [("attributes[0].value", "Elephant ivory")]


def test_a_legal_trade_cue_turns_block_into_review(engine):
    """Never into ALLOW."""
    offer = "Elephant ivory carving for sale"
    assert decide(engine, offer).action is Action.BLOCK
    assert decide(engine, f"{offer}, with CITES certificate").action is Action.REVIEW


def test_a_degraded_engine_says_so(engine_without_encoder):
    """Without the encoder, a text in which something was found is answered and marked."""
    decision = decide(engine_without_encoder, "Elephant ivory bangle for sale")
    assert decision.degraded_reasons == ("encoder_missing",)
    assert decide(engine_without_encoder, "Blue bicycle").degraded_reasons == ()


def test_a_language_the_encoder_cannot_read_is_said(engine):
    """Vietnamese rests on the lexicon."""
    assert decide(engine, "Bán ngà voi thật giá rẻ").degraded_reasons == ("encoder_unreadable_language",)


def test_a_post_is_no_more_of_an_offer_than_a_listing(engine):
    """The same words."""
    words = "African grey parrot, hand reared"
    listing, post = (decide(engine, words, content_kind=kind).score for kind in (ContentKind.LISTING, ContentKind.SOCIAL_POST))
    assert post <= listing


@pytest.mark.parametrize(
    ("listing", "reason"),
    [
        (Listing(title="x" * 1001), "FIELD_TOO_LONG"),
        (Listing(description="x" * 20_001), "FIELD_TOO_LONG"),
        (Listing(title="x", attributes=(Attribute("a", "b"),) * 65), "TOO_MANY_ITEMS"),
        (Listing(title="x", attributes=(Attribute("a", "b" * 257),)), "FIELD_TOO_LONG"),
        (Listing(), "FIELD_MISSING"),
    ],
)
def test_a_broken_limit_is_an_error_that_names_it(engine, listing, reason):
    """Never silent truncation."""
    with pytest.raises(InvalidListingError) as caught:
        score_listing(engine, listing)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x01\x02",
        "\u202e\u2066\ufeff",
        "🐘" * 10_000,
        "\ud800 lone",
        "𓀀" * 500,
        "a\u0300" * 5_000,
        "1v0ry " * 3_000,
        "i v o r y " * 2_000,
        "\n" * 20_000,
    ],
)
def test_hostile_text_is_answered(engine, text):
    """Controls, bidi, ten thousand emoji, surrogates, stacked marks, disguises without end."""
    assert 0 <= decide(engine, description=text).score <= 1


@pytest.mark.parametrize(
    ("offer", "cover"),
    [
        ("象牙手镯 老料 加微信", "毛绒玩具 儿童玩偶 公仔 塑料玩具 "),
        ("虎骨酒 真品 包邮", "毛绒玩具 儿童玩偶 公仔 塑料玩具 "),
        ("상아 팔찌 판매합니다 카톡", "봉제 인형 어린이 장난감 "),
        ("real tiger claw pendant for sale", "plush toy, kids toy figurine, plastic "),
        ("vendo escamas de pangolín", "peluche de juguete para niños "),
    ],
)
@pytest.mark.parametrize("times", [(0, 1), (1, 0), (0, 4), (4, 2)])
def test_words_heaped_around_an_offer_do_not_let_it_through(engine, offer, cover, times):
    """A benign context may lower a refusal to a look, never to nothing, however often it is said."""
    assert decide(engine, f"{cover * times[0]}{offer} {cover * times[1]}").action is not Action.ALLOW


def test_evidence_adds_up_to_the_score(engine):
    """The weights reported are all there is, the prior among them."""
    decision = decide(engine, "Elephant ivory bangle for sale, DM me")
    total = sum(evidence.weight for evidence in decision.evidence)
    assert decision.score == pytest.approx(1 / (1 + 2.718281828459045**-total), abs=1e-5)


@pytest.mark.parametrize(
    ("title", "heard"),
    [
        ("elephant ivory for sale, museum talk", True),
        ("elephant ivorry for sale, museum talk", True),
        ("el3ph@nt iv0ry for sale, museum talk", True),
        ("el3ph@nt iv0ry f0r s@l3, mus3um t@lk", False),
    ],
    ids=["plain", "a word misspelled", "a form disguised", "all disguised"],
)
def test_models_do_not_speak_against_what_they_cannot_read(engine, title, heard):
    """They see a form that was undone, but not what stands around it."""
    matches = match(normalize(Listing(title=title)), engine.lexicon)
    said = Classification(language="en", screen=-2.0, sale_screen=-2.0, probabilities={"wildlife_offer": 0.1, "sale": 0.1})
    assert bool(AGAINST & set(features(matches, said, ContentKind.LISTING))) is heard


def test_an_appendix_is_the_markets(engine):
    """CITES holds everywhere."""
    (taxon, *_) = decide(engine, "Elephant ivory bangle for sale", market="SG").taxa
    assert (taxon.group, taxon.scientific_name) == ("elephant", "Elephantidae")
    assert taxon.appendix.startswith("I")
