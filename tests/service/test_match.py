"""Where a form is a word of its own, what it asks for beside it, and what explains it away; each on a lexicon of two or three words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from wildgate_service.lexicon.compiler import build_tables
from wildgate_service.lexicon.gathering import Placed
from wildgate_service.lexicon.linking import Sources, link
from wildgate_service.lexicon.objects import object_of
from wildgate_service.lexicon.rules import Entry, Examples, Reach, Requires, Rule
from wildgate_service.match import match, misspelling
from wildgate_service.match.automaton import without_floods
from wildgate_service.match.misspelling import Spelled, Speller
from wildgate_service.match.neighbors import Neighbors, distance, overlap
from wildgate_service.match.tables import TaxonRow, compiled_in_memory
from wildgate_service.normalize import normalize
from wildgate_service.types import Attribute, Level, Listing, RuleKind

TAXA = {
    "elephant": TaxonRow("Elephantidae", "elephant", ()),
    "tiger": TaxonRow("Panthera tigris", "big_cat", ()),
}
CONTEXT = RuleKind.BENIGN_CONTEXT


def rule(name: str, *forms: str | Entry, kind=RuleKind.PRODUCT, level=Level.ALONE, taxon="elephant", **fields) -> Rule:
    """A rule of some forms; its language is what its name begins with."""
    return Rule(
        id=name,
        title=name,
        status="test",
        description="Detects nothing but what its test is about.",
        language=name.partition("-")[0],
        taxa=(taxon,) if kind in {RuleKind.SPECIES, RuleKind.PRODUCT, RuleKind.CODE_WORD} else (),
        kind=kind,
        level=level,
        entries=tuple(form if isinstance(form, Entry) else Entry(form, f"gloss of {form}") for form in forms),
        falsepositives=(),
        references=("https://example.org",),
        visibility="public",
        examples=Examples((), ()),
        author="tests",
        reviewed_by="",
        date="2026-01-01",
        modified="2026-01-01",
        **fields,
    )


def lexicon_of(*rules: Rule):
    return compiled_in_memory(build_tables(rules, TAXA, "1.0.0"))


def matches_in(title: str, *rules: Rule, **fields):
    """All matches of a listing by a lexicon of these rules."""
    return match(normalize(Listing(title=title, **fields)), lexicon_of(*rules))


def surfaces(title: str, *rules: Rule) -> list[str]:
    """What the taxon matches cover, in the order of the text."""
    return [found.surface for found in matches_in(title, *rules).taxa]


# --- boundaries ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "form", "text", "found"),
    [
        ("en-x", "ivory", "an ivory ring", ["ivory"]),
        ("en-x", "ivory", "ivoryish or savory", []),
        ("en-x", "ivory", "(ivory), ivory's 'ivory'", ["ivory"] * 3),
        ("en-x", "ivory", "ivory2 2ivory", []),
        ("en-x", "ivory", "ivory_ring", ["ivory"]),
        ("en-x", "ivory", "象牙ivory手镯", ["ivory"]),
        ("en-x", "ivory", "アイボリーivoryブレス", ["ivory"]),
        ("en-x", "ivory", "งาช้างivoryแท้", ["ivory"]),
        ("en-x", "ivory", "아이보리ivory팔찌", []),
        ("ru-x", "бивень", "продам бивень!", ["бивень"]),
        ("ru-x", "бивень", "бивеньчик", []),
        ("hi-x", "दांत", "हाथी दांत बिक्री", ["दांत"]),
        ("hi-x", "दांत", "दांतों", []),
    ],
)
def test_a_word_of_a_spaced_script_ends_where_a_letter_digit_or_mark_of_one_does_not_follow(name, form, text, found):
    """Han, kana and Thai beside it do not make it longer, since they stand without spaces."""
    assert surfaces(text, rule(name, form)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("عاج للبيع", ["عاج"]),
        ("العاج", ["عاج"]),
        ("والعاج", ["عاج"]),
        ("بالعاج", ["عاج"]),
        ("للعاج", ["عاج"]),
        ("وعاج", ["عاج"]),
        ("لعاج", ["عاج"]),
        ("زعاج", []),
        ("عاجل", []),
        ("مزعاج", []),
    ],
)
def test_an_arabic_word_may_have_the_article_and_one_letter_words_before_it(text, found):
    """And nothing else, and nothing behind."""
    assert surfaces(text, rule("ar-x", "عاج")) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("상아 팝니다", ["상아"]),
        ("상아를 팝니다", ["상아"]),
        ("상아들은", ["상아"]),
        ("상아입니다.", ["상아"]),
        ("상아색 드레스", []),
        ("상아탑", []),
        ("고상아", []),
    ],
)
def test_a_hangul_word_may_have_particles_behind_it(text, found):
    """But no further noun: 상아색 is a color."""
    assert surfaces(text, rule("ko-x", "상아")) == found


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("ベッコウ", "ベッコウの櫛", ["ベッコウ"]),
        ("ベッコウ", "本ベッコウ製", ["ベッコウ"]),
        ("ベッコウ", "ﾍﾞｯｺｳの櫛", ["ﾍﾞｯｺｳ"]),
        ("ベッコウ", "ベッコウアメ", []),
        ("サイ", "サイの角", ["サイ"]),
        ("サイ", "サイズ", []),
        ("サイ", "フリーサイズ", []),
        ("ゾウ", "ゾウー", []),
        ("べっこう", "べっこうの櫛", []),
        ("べっこう", "本べっこう製", ["べっこう"]),
    ],
)
def test_kana_are_no_word_inside_a_longer_run_of_the_same_kana(form, text, found):
    """サイ is a rhino and サイズ a size; the long mark is Katakana. Hiragana particles join too, so such forms are listed with them."""
    assert surfaces(text, rule("ja-x", form)) == found


@pytest.mark.parametrize(
    ("name", "form", "text", "found"),
    [
        ("zh-x", "象牙", "老象牙手镯", ["象牙"]),
        ("zh-x", "象牙", "大象牙刷", ["象牙"]),
        ("zh-x", "象牙", "一對象牙牌", ["象牙"]),
        ("th-x", "งาช้าง", "ขายงาช้างแท้", ["งาช้าง"]),
        ("th-x", "เสือ", "ขายเสื้อ", []),
        ("th-x", "งา", "งาม", ["งา"]),
        ("th-x", "ง", "งู", []),
        ("km-x", "ភ្លុក", "លក់ភ្លុកដំរី", ["ភ្លុក"]),
        ("my-x", "ဆင်စွယ", "ဆင်စွယ်", []),
    ],
)
def test_an_unspaced_script_has_no_words_but_whole_clusters(name, form, text, found):
    """A form is found inside a run, but never without a mark that its last letter bears: ง is not in งู."""
    assert surfaces(text, rule(name, form)) == found


def test_a_prefix_is_free_at_its_end_alone():
    """Inflections are covered, compounds that end in it are not."""
    forms = rule("ru-x", Entry("бивн", "tusk", match="prefix"))
    assert surfaces("бивни, бивнями, прибивни", forms) == ["бивн", "бивн"]


def test_a_substring_is_free_on_both_sides():
    """Rarely right, and what it says."""
    assert surfaces("megaelfenbeinkette", rule("de-x", Entry("elfenbein", "ivory", match="substring"))) == ["elfenbein"]


@pytest.mark.parametrize("written", ["rhino horn", "rhino-horn", "rhino  horn", "rhino\nhorn", "RHINO HORN", "#rhinohorn", "rhino_horn"])
def test_a_form_of_several_words_is_also_read_with_a_hyphen_or_nothing_between(written):
    """However it is spaced."""
    assert surfaces(f"{written} for sale", rule("en-x", "rhino horn")) == [written.removeprefix("#")]


def test_nothing_matches_from_one_field_into_the_next():
    """But for a word that was split between them, and that is named."""
    forms = rule("en-x", "rhino horn")
    assert matches_in("rhino.", forms, description="horn of a car").taxa == ()
    (found,) = matches_in("dried rhinoh", forms, description="orn powder").taxa
    assert (found.field, found.surface, found.views) == ("title", "rhinoh", ("joined_fields", "joined_words"))


def test_name_and_value_of_an_attribute_are_fields_of_their_own():
    """A span lies in one of them."""
    found = matches_in("", rule("en-x", "ivory"), attributes=(Attribute("Ivory", "old ivory"),))
    assert [(each.field, each.start, each.end) for each in found.taxa] == [
        ("attributes[0].name", 0, 5),
        ("attributes[0].value", 4, 9),
    ]


# --- spans ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "surface", "start"),
    [
        ("İİİ ivory", "ivory", 4),
        ("İVORY", "İVORY", 0),
        ("STRAẞE ivory", "ivory", 7),
        ("straße ivory ß", "ivory", 7),
        ("ﬃﬃ ivory", "ivory", 3),
        ("㎏㎏ IVORY", "IVORY", 3),
        ("🎁🎁 ivory", "ivory", 3),
        ("e\u0301e\u0301 ivo\u0301ry", "ivo\u0301ry", 5),
        ("\u200b\u200bi\u200bvory", "i\u200bvory", 2),
        ("a   b   ivory", "ivory", 8),
    ],
)
def test_a_span_is_right_behind_letters_that_fold_longer_or_to_nothing(title, surface, start):
    """İ lowers to two code points, ẞ folds to two, a ligature to three, an emoji to a word, an invisible character to none."""
    (found,) = matches_in(title, rule("en-x", "ivory")).taxa
    assert (found.surface, found.start, found.end) == (surface, start, start + len(surface))
    assert title[found.start : found.end] == surface


# --- longest match -------------------------------------------------------------------------------


def test_the_longest_match_wins():
    """A leopard tortoise is no leopard."""
    leopard, tortoise = rule("en-leopard", "leopard", taxon="tiger"), rule("en-tortoise", "leopard tortoise")
    assert [found.rule_id for found in matches_in("leopard tortoise", leopard, tortoise).taxa] == ["en-tortoise"]


def test_matches_that_overlap_in_part_both_stand():
    """Neither lies inside the other."""
    one, other = rule("zh-one", "老象牙"), rule("zh-other", "象牙手镯")
    assert surfaces("老象牙手镯", one, other) == ["老象牙", "象牙手镯"]


def test_two_rules_with_one_form_both_match():
    """A word may be two animals."""
    one, other = rule("en-one", "horn"), rule("en-other", "horn", taxon="tiger")
    assert [found.rule_id for found in matches_in("horn", one, other).taxa] == ["en-one", "en-other"]


def test_a_longer_form_with_other_marks_does_not_hide_the_shorter_one():
    """What falls away for its marks cannot win for its length."""
    assert surfaces("ngà voi thất", rule("vi-x", "ngà voi", "ngà voi thật")) == ["ngà voi"]


# --- protected marks -----------------------------------------------------------------------------


def test_a_form_with_its_own_marks_matches_in_full():
    """Whatever the case and however composed."""
    for written in ("ngà voi", "NGÀ VOI", "nga\u0300 voi"):
        (found,) = matches_in(written, rule("vi-x", "ngà voi")).taxa
        assert (found.surface, found.views, found.counts) == (written, (), True)


@pytest.mark.parametrize("written", ["ngã voi", "ngả voi", "nga vói"])
def test_a_form_with_other_marks_never_matches(written):
    """Each is another word."""
    assert surfaces(written, rule("vi-x", "ngà voi")) == []


def test_a_form_without_marks_does_not_match_in_a_field_that_has_some():
    """Whoever writes đẹp would have written ngà."""
    assert surfaces("bán nga voi đẹp", rule("vi-x", "ngà voi")) == []


def test_a_form_without_marks_matches_in_a_field_that_has_none():
    """And says what it took."""
    (found,) = matches_in("ban nga voi dep", rule("vi-x", "ngà voi")).taxa
    assert (found.surface, found.views) == ("nga voi", ("marks_dropped",))


def test_a_form_whose_marks_were_dropped_needs_company_even_if_its_rule_stands_alone():
    """Nga is Russia; beside a word of trade it is ivory."""
    ivory, sell = rule("vi-x", "ngà voi"), rule("vi-sell", "bán", kind=RuleKind.TRADE_CUE)
    assert [found.counts for found in matches_in("nga voi dep", ivory, sell).taxa] == [False]
    assert [found.counts for found in matches_in("ban nga voi dep", ivory, sell).taxa] == [True]


def test_the_marks_of_another_field_do_not_matter():
    """A title typed without marks above a description with them."""
    (found,) = matches_in("nga voi", rule("vi-x", "ngà voi"), description="hàng đẹp").taxa
    assert (found.field, found.views) == ("title", ("marks_dropped",))


def test_a_form_that_bears_no_mark_itself_never_matches_a_word_that_does():
    """Voi is an elephant and vòi a tap."""
    assert surfaces("voi và vòi", rule("vi-x", "voi")) == ["voi"]


def test_marks_are_free_outside_vietnamese_unless_an_entry_protects_them():
    """Écaille is also written ecaille, but pêche is not peche if the entry says so."""
    assert surfaces("ecaille", rule("fr-x", "écaille")) == ["ecaille"]
    protected = rule("fr-x", Entry("écaillé", "shell", marks="protected"))
    assert surfaces("ecaille, né", protected) == []
    assert surfaces("écaille", protected) == []


# --- misspellings --------------------------------------------------------------------------------

FUZZY = rule("en-x", Entry("pangolin", "pangolin", fuzzy=True))


@pytest.mark.parametrize("written", ["pangolim", "pangoln", "pangollin", "pagnolin", "bangolin", "pangolinn", "angolin"])
def test_one_edit_is_forgiven_and_named(written):
    """A letter put in, left out, put for another, or two that changed places."""
    (found,) = matches_in(f"dried {written} scale", FUZZY).taxa
    assert (found.surface, found.form, found.views) == (written, "pangolin", ("misspelling",))


@pytest.mark.parametrize("written", ["pagnolim", "pangol", "bangolim", "pangolinesque", "apangolins", "pangolin5x"])
def test_two_edits_are_not(written):
    """Nor a longer word or a model number."""
    assert surfaces(written, FUZZY) == []


def test_the_right_spelling_is_no_misspelling():
    """It needs no view."""
    assert [found.views for found in matches_in("pangolin", FUZZY).taxa] == [()]


def test_a_long_word_bears_an_edit_by_itself_unless_its_entry_says_no():
    """A short one does not: ivory and ivery."""
    trade = rule("en-trade", "for sale", kind=RuleKind.TRADE_CUE)
    assert surfaces("pangolim for sale", rule("en-x", "pangolin"), trade) == ["pangolim"]
    assert surfaces("pangolim for sale", rule("en-x", Entry("pangolin", "pangolin", fuzzy=False)), trade) == []
    assert surfaces("ivery for sale", rule("en-x", "ivory"), trade) == []


def test_a_misspelled_form_needs_company_even_if_its_rule_stands_alone():
    """It may be another word."""
    (found,) = matches_in("pangolim", FUZZY).taxa
    assert (found.level, found.counts) == (Level.WITH_COMPANY, False)


def test_a_form_of_several_words_bears_an_edit_in_one_of_them():
    """The other words say what is meant."""
    (found,) = matches_in("rihno horn", rule("en-x", "rhino horn")).taxa
    assert (found.surface, found.views) == ("rihno horn", ("slip",))


@pytest.mark.parametrize(
    ("written", "level"),
    [("rh*noceros horn", Level.ALONE), ("rh*n*c*r*s h*rn", Level.WITH_COMPANY)],
)
def test_a_long_form_with_little_of_it_masked_can_be_no_other(written, level):
    """It keeps its level; one that is masked for the most part needs company."""
    (found,) = matches_in(written, rule("en-x", "rhinoceros horn")).taxa
    assert (found.views, found.level) == (("masked_letters",), level)


@pytest.mark.parametrize(
    ("written", "company"),
    [
        ("L##p#rd cl*w p-nd-nt s*t in g*ld", True),
        ("L##p#rd cl*w pendant set in gold", False),
        ("w*de cl*w p-nd-nt s*t in g*ld", None),
    ],
)
def test_that_most_words_are_masked_is_company_for_a_long_form(written, company):
    """Nobody masks a whole listing by chance; a single masked form may be one."""
    found = matches_in(written, rule("en-claw", "leopard claw", "claw wide", level=Level.WITH_COMPANY)).taxa
    assert [each.company for each in found] == ([] if company is None else [company])


def test_an_ordinary_word_is_no_misspelling():
    """Sisters are no oysters."""
    speller = Speller(Spelled.of(frozenset({"oysters", "pangolin"}), frozenset({"sisters", "boysters"})))
    assert [speller.corrected(text, text.split()) for text in ("sisters", "boysters", "two oysters")] == [[], [], []]
    assert [each.text for each in speller.corrected("two oyster5 oystera", ["two", "oyster5", "oystera"])] == ["two oyster5 oysters"]


def test_a_misspelling_is_found_wherever_it_stands():
    """Each time, though a token is looked up once, and not inside another word."""
    assert surfaces("pangolim, Pangolim; pangolimx pangolim", FUZZY) == ["pangolim", "Pangolim", "pangolim"]


def test_the_memo_of_misspellings_is_bounded(monkeypatch):
    """No text can make a process grow."""
    monkeypatch.setattr(misspelling, "MOST_REMEMBERED", 10)
    speller = Speller(Spelled.of(frozenset({"pangolin"}), frozenset()))
    for number in range(100):
        speller.corrected(f"word{number} of pangolim", [f"word{number}", "of", "pangolim"])
        assert len(speller._memo) <= 10


# --- company -------------------------------------------------------------------------------------

WEAK = rule("en-ivory", "ivory", level=Level.WITH_COMPANY)
CODE = rule("en-code", "white plastic", kind=RuleKind.CODE_WORD, level=Level.COMPANY_ONLY)
TIGER = rule("en-tiger", "tiger bone", taxon="tiger")
TRADE = rule("en-trade", "for sale", kind=RuleKind.TRADE_CUE)
EVASION = rule("en-evasion", "dm me", kind=RuleKind.EVASION_CUE, cue_type="price_by_message")
LEGAL = rule("en-legal", "cites permit", kind=RuleKind.LEGAL_TRADE_CUE)


def standing(title: str, *rules: Rule) -> list[str]:
    """The rules whose match has the company that it asks for."""
    return [found.rule_id for found in matches_in(title, *rules).taxa if found.stands]


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("ivory beads", []),
        ("ivory beads for sale", ["en-ivory"]),
        ("ivory beads, dm me", ["en-ivory"]),
        ("ivory beads and tiger bone", ["en-ivory", "en-tiger"]),
        ("ivory beads, cites permit", []),
        ("ivory and ivory", []),
    ],
)
def test_company_is_a_word_of_trade_or_evasion_or_another_taxon_rule(title, found):
    """Papers are none, and neither is the same word once more."""
    assert standing(title, WEAK, TIGER, TRADE, EVASION, LEGAL) == found


@pytest.mark.parametrize(
    ("title", "found"),
    [("ivory beads, dicsreet", ["en-ivory"]), ("ivory beads, discrret", ["en-ivory"]), ("ivory beads, discreat", [])],
)
def test_a_mistyped_cue_is_company_but_not_another_ending_of_it(title, found):
    """Swapped letters and neighboring keys are slips; a letter that is simply another one may make another word."""
    discreet = rule("en-discreet", "discreet", kind=RuleKind.EVASION_CUE, level=Level.COMPANY_ONLY)
    assert standing(title, WEAK, discreet) == found


def test_papers_that_are_denied_are_no_papers():
    """Saying "no CITES permit" hides a sale; it does not make it legal."""
    denied = rule("en-denied", "no cites", kind=RuleKind.EVASION_CUE, cue_type="no_papers")
    kinds = [[cue.kind for cue in matches_in(f"ivory, {words}", WEAK, LEGAL, denied).cues] for words in ("no CITES permit", "CITES permit")]
    assert kinds == [[RuleKind.EVASION_CUE], [RuleKind.LEGAL_TRADE_CUE]]


def test_a_form_without_its_company_is_faint_or_nothing():
    """`with_company` usually means wildlife; `company_only` does not."""
    assert [found.is_faint for found in matches_in("ivory and white plastic", WEAK).taxa] == [True]
    assert [found.is_faint for found in matches_in("white plastic", CODE).taxa] == [False]


def test_a_code_word_is_no_company_for_another_word():
    """Two innocent words do not make a guilty one."""
    assert standing("ivory dress in white plastic", WEAK, CODE) == ["en-code"]


def test_a_cue_inside_the_form_itself_is_no_company():
    """The "sale" of "sale ivory" speaks for another word alone."""
    cue = rule("en-trade", "old ivory", kind=RuleKind.TRADE_CUE)
    assert standing("old ivory", WEAK, cue) == []


REQUIRING = rule(
    "en-code",
    Entry("white plastic", "ivory", requires=Requires((RuleKind.TRADE_CUE,), 10)),
    kind=RuleKind.CODE_WORD,
    level=Level.COMPANY_ONLY,
)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        (f"white plastic{'.' * 10}for sale", ["en-code"]),
        (f"white plastic{'.' * 11}for sale", []),
        (f"for sale{'.' * 10}white plastic", ["en-code"]),
        ("white plastic dm me", []),
        ("white plastic tiger bone", []),
    ],
)
def test_a_form_that_requires_a_kind_within_a_distance_gets_no_other_company(title, found):
    """Ten code points between the two, on either side."""
    assert [name for name in standing(title, REQUIRING, TRADE, EVASION, TIGER) if name == "en-code"] == found


# --- contexts ------------------------------------------------------------------------------------

INSIDE = rule("en-place", "ivory coast", kind=CONTEXT, cancels=Reach(("elephant",), 0))
NEAR = rule("en-faux", "faux", kind=CONTEXT, cancels=Reach(("elephant",), 24))
FAR = rule("en-news", "museum", kind=CONTEXT, weakens=Reach(("*",), 40))
STRONG = rule("en-strong", "elephant ivory")


def test_a_match_inside_an_innocent_phrase_is_canceled():
    """Whatever stands beside it."""
    (found,) = matches_in("ivory coast map for sale, dm me", WEAK, INSIDE, TRADE, EVASION).taxa
    assert (found.canceled_by, found.stands, found.counts, found.is_faint) == (("en-place",), False, False, False)


def test_a_phrase_does_not_reach_beyond_itself():
    """The second ivory is none of the coast's."""
    found = matches_in("ivory coast ivory for sale", WEAK, INSIDE, TRADE).taxa
    assert [each.counts for each in found] == [False, True]


def test_what_is_plainly_written_is_no_other_word_misread():
    """A turtle's comb is not a turtle's home with a letter wrong, and a home with a letter wrong still is one."""
    comb = rule("en-comb", "turtleshell comb", level=Level.WITH_COMPANY)
    home = rule("en-home", "turtleshell tomb", kind=RuleKind.BENIGN_CONTEXT, cancels=Reach(("*",), 0))
    (found,) = matches_in("turtleshell comb for sale", comb, home, TRADE).taxa
    assert (found.canceled_by, found.counts) == ((), True)


def test_a_canceled_match_is_no_company():
    """The coast does not make the beads ivory."""
    assert standing("ivory coast beads, tusk", INSIDE, WEAK, rule("en-tusk", "tusk", level=Level.WITH_COMPANY)) == []


def test_a_context_cancels_the_groups_it_names_alone():
    """Faux ivory says nothing of tigers."""
    tiger = rule("en-tiger", "tiger bone", taxon="tiger", level=Level.WITH_COMPANY)
    (found,) = matches_in("faux tiger bone for sale", tiger, NEAR, TRADE).taxa
    assert (found.explained_by, found.counts) == ((), True)


def test_a_context_in_the_same_phrase_explains_a_weak_match():
    """Faux ivory for sale is a trinket; it still stands, but it does not count."""
    (found,) = matches_in("faux ivory beads for sale", WEAK, NEAR, TRADE).taxa
    assert (found.explained_by, found.stands, found.counts) == (("en-faux",), True, False)


@pytest.mark.parametrize(
    "title",
    [
        "ivory beads (faux) for sale",
        "ivory beads. faux leather box for sale",
        "faux 100 ivory beads for sale",
    ],
)
def test_a_context_in_another_phrase_only_weakens(title):
    """Brackets, full stops and numbers part it from the word."""
    (found,) = matches_in(title, WEAK, NEAR, TRADE).taxa
    assert (found.explained_by, found.weakened_by, found.counts) == ((), ("en-faux",), True)


@pytest.mark.parametrize(
    ("language", "between"), [("th", "สีเหลือง"), ("hi", "हिन्दी की"), ("km", "ពណ៌លឿង"), ("my", "အဝါရောင်"), ("lo", "ສີເຫຼືອງ")]
)
def test_vowel_signs_and_tone_marks_part_no_phrase(language, between):
    """They are no letters by Unicode's categories, but of the words that they stand in."""
    ivory = rule(f"{language}-ivory", "ivory", level=Level.WITH_COMPANY)
    faux = rule(f"{language}-faux", "faux", kind=CONTEXT, cancels=Reach(("elephant",), 24))
    (found,) = matches_in(f"faux {between} ivory for sale", ivory, faux, TRADE).taxa
    assert found.explained_by == (f"{language}-faux",)


def test_hyphens_and_blanks_may_be_mixed():
    """A hyphen between two words of three is nothing to name."""
    (found,) = matches_in("oleo de peixe-boi puro", rule("pt-x", "oleo de peixe boi")).taxa
    assert (found.surface, found.views) == ("oleo de peixe-boi", ())


def test_a_context_inside_a_cue_is_silent():
    """Who sells what is "not a replica" sells the real thing."""
    replica = rule("en-replica", "replica", kind=CONTEXT, cancels=Reach(("elephant",), 30))
    real = rule("en-real", "not a replica", kind=RuleKind.TRADE_CUE)
    (found,) = matches_in("ivory bangle, not a replica", rule("en-ivory", "ivory", level=Level.WITH_COMPANY), replica, real).taxa
    assert (found.counts, found.explained_by, found.weakened_by) == (True, (), ())


def test_a_word_of_trade_inside_a_context_is_silent():
    """Who says "not for sale" sells nothing by it; a second word of trade still counts."""
    denied = rule("en-denied", "not for sale", kind=CONTEXT, weakens=Reach(("*",), 40))
    assert standing("ivory bangle, not for sale", WEAK, TRADE, denied) == []
    assert standing("ivory bangle, not for sale, beads for sale", WEAK, TRADE, denied) == ["en-ivory"]


def test_a_context_too_far_away_does_nothing():
    """25 code points between."""
    title = f"faux {'x' * 23} ivory for sale"
    (found,) = matches_in(title, WEAK, NEAR, TRADE).taxa
    assert (found.explained_by, found.weakened_by) == ((), ())


@pytest.mark.parametrize(
    "title",
    [
        "faux ivory beads, dm me",
        "faux ivory beads and tiger bone",
        "faux iv0ry beads for sale",
        "faux i\u200bvory beads for sale",
    ],
)
def test_a_cover_word_beside_evasion_disguise_or_a_second_taxon_only_weakens(title):
    """Resin, faux and ox bone are documented cover words."""
    found = matches_in(title, WEAK, NEAR, TRADE, EVASION, TIGER).taxa
    assert [(each.explained_by, each.weakened_by) for each in found if each.rule_id == "en-ivory"] == [((), ("en-faux",))]


def test_an_innocent_word_has_one_sense_in_one_text():
    """What is a phrase in one sentence means the same in the next, even beside evasion; by itself it may be a code word."""
    white = rule("en-white", "white", level=Level.COMPANY_ONLY, kind=RuleKind.CODE_WORD)
    wine = rule("en-wine", "white wine", kind=CONTEXT, cancels=Reach(("elephant",), 0))
    texts = ("white wine, and the white is cold, dm me", "the white is here, dm me")
    assert [matches_in(text, white, wine, EVASION).taxa[-1].counts for text in texts] == [False, True]


def test_a_strong_match_is_weakened_and_never_explained():
    """It still counts."""
    (found,) = matches_in("faux elephant ivory", STRONG, NEAR).taxa
    assert (found.explained_by, found.weakened_by, found.counts) == ((), ("en-faux",), True)


def test_a_weakening_context_leaves_the_match_counting():
    """Within its distance, over any punctuation."""
    (near,) = matches_in("ivory for sale. (museum)", WEAK, FAR, TRADE).taxa
    (far,) = matches_in(f"ivory for sale. {'x' * 40} (museum)", WEAK, FAR, TRADE).taxa
    assert [(each.weakened_by, each.counts) for each in (near, far)] == [(("en-news",), True), ((), True)]


@pytest.mark.parametrize(
    ("context", "taxon", "explained"),
    [
        ("vi-faux", "en-ivory", ()),
        ("en-faux", "en-ivory", ("en-faux",)),
        ("ms-faux", "id-ivory", ("ms-faux",)),
        ("en-faux", "la-ivory", ("en-faux",)),
    ],
)
def test_a_context_near_a_match_speaks_its_language(context, taxon, explained):
    """A Vietnamese word beside an English one does not modify it; Malay and Indonesian share theirs; Latin names are nobody's."""
    ivory = rule(taxon, "ivory", level=Level.WITH_COMPANY)
    faux = rule(context, "faux", kind=CONTEXT, cancels=Reach(("elephant",), 24))
    (found,) = matches_in("faux ivory for sale", ivory, faux, TRADE).taxa
    assert found.explained_by == explained


@pytest.mark.parametrize(("taxon", "form", "explained"), [("fr-ivory", "ivory", ("en-dress",)), ("en-bangle", "ivory bangle", ())])
def test_a_context_that_names_forms_speaks_of_them_alone_and_in_any_language(taxon, form, explained):
    """A dress named in one language is ivory in another; a bangle of ivory beside it is a bangle."""
    ivory = rule(taxon, form, level=Level.WITH_COMPANY)
    dress = rule("en-dress", "vestido", kind=CONTEXT, cancels=Reach(("*",), 24, ("ivory",)))
    (found,) = matches_in(f"vestido {form} for sale", ivory, dress, TRADE).taxa
    assert found.explained_by == explained


def test_cues_and_contexts_are_read_through_views_too():
    """`f0r s4le` is a disguise of "for sale"."""
    found = matches_in("ivory f0r s4le", WEAK, TRADE)
    assert [(cue.rule_id, cue.views) for cue in found.cues] == [("en-trade", ("leetspeak",))]


def test_a_text_without_taxon_words_has_no_matches_at_all():
    """Cues and contexts are searched only beside one."""
    assert list(matches_in("for sale, dm me, museum", WEAK, TRADE, EVASION, FAR)) == []


# --- texts that cost -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a1a pangolin " + "!" * 19_900,
        "a1a pangolin " + "a" * 9_900 + "!" * 9_900,
        "pangolim " * 2_200,
        "ivory dress " * 1_650,
        "\u0435a🐘" * 6_600,
        "象牙印.象\n\u200b" * 2_850,
        "i.v.o.r.y.pangolin " * 1_050,
        "🐘🦷" * 10_000,
        "vảy t.ê t.ê bán " * 1_250,
    ],
    ids=["signs", "letters and signs", "misspellings", "contexts", "confusables", "separators", "letters", "emoji", "syllables"],
)
def test_a_hostile_text_does_not_cost_the_square_of_its_length(text, engine_without_encoder):
    """Each of these once took seconds, the first a day, so that the test would not end; what is found stays bounded too."""
    found = match(normalize(Listing(description=text[:20_000])), engine_without_encoder.lexicon)
    assert 0 < len(found.taxa) <= 400


ONE_FORM_EACH = ((0,), (1,))


def flood(text: str, word: str, other: str) -> list[tuple[int, int, int]]:
    """Where two words stand in a text, as an automaton says it."""
    return sorted((found.start(), found.end(), number) for number, each in enumerate((word, other)) for found in re.finditer(each, text))


def test_of_a_pattern_that_floods_a_text_the_outermost_are_kept_and_those_in_new_surroundings():
    """In order, and all of the others: the one that is meant is not lost among a thousand."""
    text = "an ivory soap, so white, so mild. " * 500 + "the ivory I said, from a tusk. " + "an ivory soap, so white, so mild. " * 500
    found = flood(text, "ivory", "tusk")
    kept = without_floods(found, text, ONE_FORM_EACH)
    starts = [start for start, _, number in kept if number == 0]
    assert (starts[:8], starts[-8:]) == ([3 + 34 * index for index in range(8)], [each[0] for each in found[-8:]])
    assert {text.index("ivory I"), text.index("tusk")} <= {start for start, _, _ in kept}
    assert (kept == sorted(kept), len(starts) <= 20) == (True, True)


def test_a_pattern_that_floods_a_text_in_ever_new_surroundings_is_kept_a_bounded_number_of_times():
    """The outermost eight at either end are among them."""
    text = "".join(f"ivory {number:05} and so on " for number in range(1_000))
    found = flood(text, "ivory", "tusk")
    kept = without_floods(found, text, ONE_FORM_EACH)
    assert (len(kept), kept[:8], kept[-8:]) == (64, found[:8], found[-8:])


def test_of_a_pattern_that_is_many_forms_fewer_are_kept():
    """Each is as many matches; a few dozen are kept in any case."""
    text = "".join(f"ivory {number:05} and so on " for number in range(1_000))
    found = flood(text, "ivory", "tusk")
    assert [len(without_floods(found, text, (range(forms), ()))) for forms in (0, 2, 4, 8, 30)] == [64, 64, 64, 32, 24]


CROWDED = "vảy t.ê t.ê bán, pа^go|_1^ sca|_3$ f0r sale. i v o r y\u0336 tu-sk + ng_à v.o.i "


def test_a_text_crowded_with_what_may_be_disguises_is_not_followed_to_its_end(engine_without_encoder):
    """It says so, and so does whoever reads it; what was found before stays found. A short one is read in full."""
    lexicon = engine_without_encoder.lexicon
    short, long = (match(normalize(Listing(description=(CROWDED * 40)[:length])), lexicon) for length in (len(CROWDED), 3_000))
    assert (short.read_in_full, short.crowded, bool(short.taxa)) == (True, False, True)
    assert (long.read_in_full, long.crowded, bool(long.taxa)) == (False, True, True)


def test_ordinary_texts_are_read_in_full(engine_without_encoder):
    """Alone, and as long as a listing may be."""
    negatives = Path(__file__).parent.parent / "golden" / "negative.jsonl"
    for text in (json.loads(line)["text"] for line in negatives.read_text(encoding="utf-8").splitlines()):
        for listing in (Listing(description=text), Listing(description=(text + " ") * (20_000 // (len(text) + 1)))):
            assert match(normalize(listing), engine_without_encoder.lexicon).read_in_full


def test_a_flood_of_one_word_hides_no_other(engine_without_encoder):
    """Nor what stands between."""
    text = "elephant ivory tusk, " * 400 + "rhino horn, " + "elephant ivory tusk, " * 400
    found = match(normalize(Listing(description=text)), engine_without_encoder.lexicon)
    assert {"elephant", "rhino"} <= {group for each in found.taxa for group in each.groups}


# --- words of another language ---------------------------------------------------------------------

TURKISH = (
    "Varis çorabı, az kullanıldı, beden orta, siyah renk, kutusunda duruyor, fiyatı uygun, kargo ile gönderirim, takas yok, elden teslim"
)
GERMAN = "Varis aus eigener Haltung in gute Hände abzugeben, beide Tiere sind gesund und an Menschen gewöhnt, nur an erfahrene Halter"
LEMURS = rule("de-lemurs", Entry("varis", "ruffed lemurs"), taxon="tiger", level=Level.WITH_COMPANY)


def foreign(text: str, *rules: Rule, homographs: dict[str, str] | None = None) -> list[str]:
    """The surfaces found by a lexicon of these rules and homographs."""
    sources = Sources([Placed("", object_of(rules), 0)], TAXA, "1.0.0", {}, homographs=homographs or {})
    return [found.surface for found in match(normalize(Listing(title=text)), compiled_in_memory(link(sources))).taxa]


def test_a_word_that_means_something_else_in_the_language_of_a_long_text_is_none_of_another():
    """Varicose veins in Turkish, lemurs in German; in a Turkish text that nobody has listed it for, lemurs too."""
    assert foreign(TURKISH, LEMURS, homographs={"varis": "tr"}) == []
    assert foreign(GERMAN, LEMURS, homographs={"varis": "tr"}) == ["Varis"]
    assert foreign(TURKISH, LEMURS) == ["Varis"]


def test_a_short_text_is_sure_of_no_language():
    """Who writes little is read in every language."""
    assert foreign("Varis çorabı, fiyatı uygun", LEMURS, homographs={"varis": "tr"}) == ["Varis"]


def test_a_cue_in_a_forms_own_language_speaks_for_it():
    """Sellers write several languages in one text; a cue that is one of the text's language as well says nothing."""
    german = rule("de-sale", "abzugeben", kind=RuleKind.TRADE_CUE)
    turkish = rule("tr-sale", "abzugeben", kind=RuleKind.TRADE_CUE)
    mixed = TURKISH.replace("Varis", "Varis abzugeben")
    assert foreign(mixed, LEMURS, german, homographs={"varis": "tr"}) == ["Varis"]
    assert foreign(mixed, LEMURS, german, turkish, homographs={"varis": "tr"}) == []


def test_a_word_read_two_slips_away_is_none_of_another_language():
    """Worms for anglers are no German poison frogs; what is one slip away from these is."""
    frogs = rule("de-frogs", Entry("dendrobaten", "poison frogs"), taxon="tiger", level=Level.WITH_COMPANY)
    text = "{} worms, lively as anything, about seven hundred to the tub, the tackle shop is paying pennies this year so message me here"
    assert [foreign(text.format(word), frogs) for word in ("Dendrobaena", "Dendrobatn")] == [[], ["Dendrobatn"]]


def test_a_guess_upon_a_guess_is_none_of_another_language():
    """A tablecloth "mantel a cuadros" is no mantella frog, and no plain Latin word a misspelled Russian one."""
    frogs = rule("de-frogs", Entry("mantella", "mantella frogs"), taxon="tiger", level=Level.WITH_COMPANY)
    spanish = "Cuidado con ese aviso, es falso, la casa no existe y piden el dinero antes; si ven la foto del {}, no contesten a esa gente"
    assert [foreign(spanish.format(words), frogs) for words in ("mantel a cuadros", "mantella")] == [[], ["mantella"]]
    macaws = rule("ru-macaws", Entry("пара ара", "two macaws"), taxon="tiger", level=Level.WITH_COMPANY)
    tagalog = "Hindi ko pa {} ito at wala akong balak, pagod na ako mag-aral niyan, halika dito sa bahay at silipin mo hanggang magsawa"
    assert [foreign(tagalog.format(words), macaws) for words in ("napapa-appraise", "пара ара")] == [[], ["пара ара"]]


def test_a_part_of_a_word_is_none_of_another_language(engine_without_encoder):
    """Portuguese pilgrims are no Turkish falcons, which are found where the text is Turkish."""
    texts = (
        "Terço de prata e medalhas de peregrinação, tudo da minha avó, algumas gastas pelo uso, envio por correio ou entrego em Braga",
        "Satılık peregrin, eğitimli, sağlıklı, kendi üretimimiz, fiyatı uygun, kargo yok, elden teslim, ciddi alıcılar yazsın lütfen",
    )
    found = [match(normalize(Listing(title=text)), engine_without_encoder.lexicon).taxa for text in texts]
    assert [{each.form for each in taxa} & {"peregrin"} for taxa in found] == [set(), {"peregrin"}]


def test_a_misspelled_cue_speaks_for_no_language():
    """Nor does it tell that a seller writes in it."""
    german = rule("de-sale", "haltungen", kind=RuleKind.TRADE_CUE)
    texts = [TURKISH.replace("Varis", f"Varis {word}") for word in ("haltungen", "haltunegn")]
    assert [foreign(text, LEMURS, german, homographs={"varis": "tr"}) for text in texts] == [["Varis"], []]


def test_a_cue_as_it_is_written_is_no_slip():
    """The Filipino word for all of them is no lizard."""
    lizard = rule("tl-lizard", Entry("layagan", "sailfin lizard"), taxon="tiger", level=Level.WITH_COMPANY)
    everything = rule("tl-all", "lahatan", kind=RuleKind.TRADE_CUE)
    assert (surfaces("9k lahatan", lizard), surfaces("9k lahatan", lizard, everything)) == (["lahatan"], [])


def test_what_is_near_a_match_is_found_without_looking_at_all():
    """The same as by looking at all of them, also where they overlap and are of any length."""
    (one,) = matches_in("ivory", rule("en-x", "ivory")).taxa
    spans = [(number * 37 % 400, (1, 4, 40)[number % 3]) for number in range(60)]
    matches = [replace(one, skeleton_start=start, skeleton_end=start + length) for start, length in spans]
    neighbors = Neighbors(matches)
    for each in matches:
        for reach in (0, 7, 100):
            found = [other for other in matches if distance(each, other) <= reach]
            assert sorted(neighbors.near(each, reach), key=id) == sorted(found, key=id)
        assert sorted(neighbors.overlapping(each), key=id) == sorted((other for other in matches if overlap(each, other)), key=id)
