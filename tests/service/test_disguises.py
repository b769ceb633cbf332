"""Each disguise is read and named; what nobody would read as the form is left alone."""

import pytest
from wildgate_service.lexicon.compiler import build_tables
from wildgate_service.lexicon.rules import Entry, Examples, Rule
from wildgate_service.match import match
from wildgate_service.match.tables import TaxonRow, compiled_in_memory
from wildgate_service.normalize import normalize
from wildgate_service.normalize.disguise import disguises_of
from wildgate_service.types import Attribute, Level, Listing, RuleKind


def rule(identity, language, kind, *forms, level=Level.ALONE):
    """A rule of some forms."""
    taxa = ("elephant",) if kind in {RuleKind.PRODUCT, RuleKind.SPECIES} else ()
    entries = tuple(form if isinstance(form, Entry) else Entry(form, f"gloss of {form}") for form in forms)
    return Rule(
        id=identity,
        title=identity,
        status="test",
        description="Detects what a test wants.",
        language=language,
        taxa=taxa,
        kind=kind,
        level=level,
        entries=entries,
        falsepositives=(),
        references=("https://example.org",),
        visibility="public",
        examples=Examples((), ()),
        author="tests",
        reviewed_by="",
        date="2026-01-01",
        modified="2026-01-01",
    )


LEXICON = compiled_in_memory(
    build_tables(
        (
            rule("en-x", "en", RuleKind.PRODUCT, "ivory", "rhino horn", "pangolin", "sea horse", "tusk", "ivory figurine"),
            rule("ru-x", "ru", RuleKind.PRODUCT, "бивень", "слоновая кость"),
            rule("zh-x", "zh-Hans", RuleKind.PRODUCT, "象牙", "穿山甲", "象牙手镯"),
            rule("th-x", "th", RuleKind.PRODUCT, "งาช้าง"),
            rule("ko-x", "ko", RuleKind.PRODUCT, "상아 팔찌"),
            rule("vi-x", "vi", RuleKind.PRODUCT, "sừng tê giác"),
            rule("ar-x", "ar", RuleKind.PRODUCT, "عاج فيل"),
            rule("en-trade", "en", RuleKind.TRADE_CUE, "for sale", "buy"),
            rule("ko-trade", "ko", RuleKind.TRADE_CUE, "분양 합니다", "새끼"),
        ),
        {"elephant": TaxonRow("Elephantidae", "elephant", ())},
        "1.0.0",
    )
)


def found_in(title, **fields):
    """(form, surface, views) of each taxon match of a listing."""
    return [(each.form, each.surface, each.views) for each in match(normalize(Listing(title=title, **fields)), LEXICON).taxa]


@pytest.mark.parametrize(
    ("written", "form", "views"),
    [
        ("1v0ry", "ivory", {"leetspeak"}),
        ("!v0ry", "ivory", {"leetspeak"}),
        ("p4ng0l1n", "pangolin", {"leetspeak"}),
        ("p@ngol!n", "pangolin", {"leetspeak"}),
        ("pan9olin", "pangolin", {"leetspeak"}),
        ("pan6olin", "pangolin", {"leetspeak"}),
        ("1vory figur1ne", "ivory figurine", {"leetspeak"}),
        ("6ивень", "бивень", {"leetspeak"}),
        ("іvоrу", "ivory", {"confusables"}),
        ("ivοry", "ivory", {"confusables"}),
        ("ɪᴠᴏʀʏ", "ivory", {"stylized_letters"}),
        ("⒤⒱⒪⒭⒴", "ivory", {"stylized_letters"}),
        ("|v0|2¥", "ivory", {"leetspeak"}),
        ("1\\/0|2y", "ivory", {"leetspeak"}),
        ("пanгоliн", "pangolin", {"mixed_script"}),
        ("h_rn of rhino, rh_no h_rn", "rhino horn", {"masked_letters"}),
        ("rh-no h.rn", "rhino horn", {"masked_letters"}),
        ("ʎɹoʌᴉ", "ivory", {"upside_down", "stylized_letters"}),
        ("uɹoɥ ouᴉɥɹ", "rhino horn", {"upside_down", "stylized_letters"}),
        ("lvory", "ivory", {"confusables"}),
        ("🇮🇻🅾️🇷🇾", "ivory", {"emoji_letters", "stylized_letters"}),
        ("бивeнь", "бивень", {"confusables"}),
        ("слoнoвaя кость", "слоновая кость", {"confusables"}),
        ("ivooooory", "ivory", {"repeats"}),
        ("iivvoorryy", "ivory", {"repeats"}),
        ("i v o r y", "ivory", {"separated_letters"}),
        ("i.v.o.r.y", "ivory", {"separated_letters"}),
        ("i-v-o-r-y", "ivory", {"separated_letters"}),
        ("i, v, o, r, y", "ivory", {"separated_letters"}),
        ("r h i n o  h o r n", "rhino horn", {"separated_letters"}),
        ("б и в е н ь", "бивень", {"separated_letters"}),
        ("ع ا ج فيل", "عاج فيل", {"separated_letters"}),
        ("象 牙", "象牙", {"separated_letters"}),
        ("象 牙 手 镯", "象牙手镯", {"separated_letters"}),
        ("งา ช้าง", "งาช้าง", {"separated_letters"}),
        ("상 아 팔 찌", "상아 팔찌", {"separated_letters"}),
        ("pan.golin", "pangolin", {"separators"}),
        ("iv*or*y", "ivory", {"separators"}),
        ("rhino~horn", "rhino horn", {"separators"}),
        ("象*牙手镯", "象牙手镯", {"separators"}),
        ("穿|山|甲", "穿山甲", {"separated_letters"}),
        ("pango lin", "pangolin", {"split_word"}),
        ("rhinohorn", "rhino horn", {"joined_words"}),
        ("상아팔찌", "상아 팔찌", {"joined_words"}),
        ("iv*ry", "ivory", {"masked_letters"}),
        ("p#ngol#n", "pangolin", {"masked_letters"}),
        ("pangloin", "pangolin", {"misspelling"}),
        ("rihno horn", "rhino horn", {"slip"}),
        ("sung te giac", "sừng tê giác", {"marks_dropped"}),
        ("i🔥v🔥o🔥r🔥y", "ivory", {"emoji_letters", "separated_letters", "emoji"}),
        ("iv⭕ry", "ivory", {"emoji_letters"}),
        ("\u202eyrovi\u202c", "ivory", {"reversed_text"}),
        ("\u202eงา้ชาง\u202c", "งาช้าง", {"reversed_text"}),
        ("\u202dليف جاع\u202c", "عاج فيل", {"reversed_text"}),
        ("yrovi", "ivory", {"backwards"}),
        ("nroh onihr", "rhino horn", {"backwards"}),
        ("9@|\\|60|_!^", "pangolin", {"leetspeak"}),
        ("pa^go|_1^", "pangolin", {"leetspeak"}),
        ("|2)-(i^[] h[]I2^", "rhino horn", {"leetspeak"}),
        ("Ꮅ₳ᑎᎶΌᏝίή", "pangolin", {"confusables", "leetspeak"}),
        ("卩卂几Ꮆㄖㄥ丨几", "pangolin", {"confusables"}),
        ("cлoнoвaᴙ кocᴛь", "слоновая кость", {"confusables", "stylized_letters"}),
        ("งๅซ้ๅง", "งาช้าง", {"confusables"}),
        ("p_ng_l_n", "pangolin", {"masked_letters"}),
        ("#ang#lin", "pangolin", {"masked_letters"}),
        ("iv<b></b>ory", "ivory", set()),
        ("rhino&nbsp;h&#111;rn", "rhino horn", set()),
        ("rhino%20horn", "rhino horn", set()),
        ("s&#7915;ng t&ecirc; gi&aacute;c", "sừng tê giác", set()),
        ("S̆ừṉg tê ğiác", "sừng tê giác", {"marks_dropped"}),
        ("р4ngolin", "pangolin", {"confusables", "leetspeak"}),
        ("1.v.0.r.y", "ivory", {"leetspeak", "separated_letters"}),
    ],
)
def test_a_disguise_is_read_and_named(written, form, views):
    """Its surface is what the seller wrote, and its views say how it was disguised."""
    ((read, surface, names),) = [each for each in found_in(f"{written} for sale") if each[0] == form]
    shown = written.rpartition(", ")[2] if "of rhino" in written else written.strip("\u202c\u202d\u202e")
    assert (read, surface, set(names)) == (form, shown, views)


@pytest.mark.parametrize("written", ["#rhinohornforsale", "buyrhinohorn", "ivoryforsale", "상아팔찌분양합니다", "새끼상아팔찌"])
def test_a_form_is_read_in_one_word_with_words_of_trade(written):
    """As in a hashtag."""
    assert [names for _, _, names in found_in(written)] == [("joined_words",)]


@pytest.mark.parametrize(
    "text",
    [
        "iPhone 13 128GB 5kg",
        "Xe máy Điện 2024",
        "大象 牙刷 儿童",
        "小象 牙刷",
        "The rhino. Horn of a car",
        "rhino, horn, whistle",
        "tiv oryx",
        "an ivoryton theatre",
        "sea. Horse riding",
        "husky tusks",
        "12 345 67 890",
        "rhinohornbill",
        "상아팔찌방",
        "대상아팔찌",
        "i v",
        "see a horse",
        "drill R1N0-H0R1",
        "if a < b and c > d",
        "100%20 AT&T &c; <3",
        "kim- D.C. 10% off [new] (s) C++",
        "128gb 24/7 $25.00 wi-fi #fashion",
        "modern corner class",
        "yr0vi",
    ],
)
def test_what_nobody_reads_as_the_form_is_left_alone(text):
    """Sentences end, words are whole, numbers are numbers."""
    assert found_in(text) == []


def test_a_form_is_read_over_the_end_of_a_field():
    """A word or phrase split between title, description and attributes."""
    attribute = (Attribute("note", "golin for sale"),)
    assert found_in("dried rhino", description="horn powder")[0][2] == ("joined_fields",)
    assert found_in("dried rhi", description="no horn powder")[0][2] == ("joined_fields",)
    assert found_in("scales", description="of pan", attributes=attribute[:0]) == []


def test_a_cue_is_read_through_a_disguise_too():
    """So that company is not lost."""
    (found,) = match(normalize(Listing(title="rhino horn f0r s@le")), LEXICON).cues
    assert (found.form, found.surface, found.views) == ("for sale", "f0r s@le", ("leetspeak",))


def test_a_form_in_latin_letters_is_read_wherever_it_stands():
    """Also where it stands in the same surroundings again, which are judged once."""
    text = "bracelet slonovaya kost, old box and a chair. " * 5
    matches = match(normalize(Listing(description=text)), LEXICON).taxa
    assert {(each.start, each.end) for each in matches} == {(at, at + 14) for at in range(9, len(text), len(text) // 5)}


def test_several_disguises_in_one_text_are_each_read():
    """Each at its own place."""
    assert {surface for _, surface, _ in found_in("1vory and p a n g o l i n, rh*no horn")} == {"1vory", "p a n g o l i n", "rh*no horn"}


@pytest.mark.parametrize(
    ("surface", "names"),
    [
        ("ivory", ()),
        ("i\u200bvory", ("invisible_characters",)),
        ("ｉｖｏｒｙ", ("stylized_letters",)),
        ("𝓲𝓿𝓸𝓻𝔂", ("stylized_letters",)),
        ("🐘🦷", ("emoji",)),
        ("i\u0337v\u0337o\u0337r\u0337y\u0337", ("combining_noise",)),
        ("ngà voi", ()),
        ("象牙", ()),
    ],
)
def test_what_the_fold_undoes_is_named_too(surface, names):
    """Disguises that need no further reading are found in the characters themselves."""
    assert disguises_of(surface) == names


def test_a_form_is_read_over_title_and_attributes_whatever_the_description_says():
    """Its span is the part in the first field."""
    found = found_in("Rhino", description="A fine thing for the wall.", attributes=(Attribute("horn", "for sale"), Attribute("size", "M")))
    assert found == [("rhino horn", "Rhino", ("joined_fields",))]
