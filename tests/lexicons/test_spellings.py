"""Further spellings: each language's own, as sellers write them, and nothing that ordinary writing means otherwise."""

from collections import Counter

import pytest
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.spellings import MOST, Spelling, spellings
from wildgate_service.normalize import fold
from wildgate_service.types import TAXON_KINDS

LANGUAGES = sorted(folder.name for folder in (default_lexicons() / "rules").iterdir())


@pytest.fixture(scope="module")
def taxon_rules(shipped_rules):
    """The rules that name taxa."""
    return [rule for rule in shipped_rules if rule.kind in TAXON_KINDS]


def texts(form, language, view, reading=""):
    return [spelling.text for spelling in spellings(form, language, reading) if spelling.view == view]


def test_a_form_is_spelled_the_same_way_every_time():
    """Pure and in one order."""
    assert spellings("穿山甲", "zh-Hans") == spellings("穿山甲", "zh-Hans")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_form_is_spelled_as_itself_or_twice(language, taxon_rules):
    """Of the shipped lexicon, as texts are folded."""
    for rule in taxon_rules:
        for entry in rule.entries if rule.language == language else ():
            folded = [fold(spelling.text).strip() for spelling in spellings(entry.form, language, entry.reading)]
            assert fold(entry.form).strip() not in folded
            assert len(set(folded)) == len(folded)


def test_the_languages_are_those_of_the_rules(taxon_rules):
    """None is left out above."""
    assert {rule.language for rule in taxon_rules} <= set(LANGUAGES)


def test_no_view_floods_the_automaton(taxon_rules):
    """The caps hold for the shipped Chinese lexicon, which has the most."""
    for rule in taxon_rules:
        for entry in rule.entries if rule.language == "zh-Hans" else ():
            counts = Counter(spelling.view for spelling in spellings(entry.form, "zh-Hans"))
            assert [view for view, most in MOST.items() if counts[view] > most] == []


def test_a_language_without_generators_still_gets_emoji():
    """Every language writes animals as emoji."""
    assert spellings("pembe ya ndovu", "sw") == (Spelling("pembe ya 🐘", "emoji"),)


# --- Chinese ---


def test_pinyin_is_written_apart_and_joined():
    """As sellers type it."""
    assert texts("象牙", "zh-Hans", "pinyin") == ["xiang ya", "xiangya"]


def test_traditional_characters_have_pinyin():
    """Both scripts are read alike."""
    assert texts("熊膽", "zh-Hant", "pinyin") == ["xiong dan", "xiongdan"]


def test_u_umlaut_is_typed_in_three_ways():
    """On a keyboard it is a v; in passports yu."""
    assert texts("绿孔雀", "zh-Hans", "pinyin") == [
        "lv kong que",
        "lvkongque",
        "lu kong que",
        "lukongque",
        "lyu kong que",
        "lyukongque",
    ]


def test_the_reading_of_an_entry_goes_before_the_dictionary():
    """Characters of several readings."""
    assert "zhong mao" not in texts("玳瑁", "zh-Hans", "pinyin")
    assert texts("玳瑁", "zh-Hans", "pinyin", "zhōng mào")[:2] == ["zhong mao", "zhongmao"]


def test_claws_are_read_as_people_do_as_well():
    """爪 is zhǎo in dictionaries, zhuǎ in shops."""
    assert {"huzhaodiaozhui", "huzhuadiaozhui"} <= set(texts("虎爪吊坠", "zh-Hans", "pinyin"))


@pytest.mark.parametrize("form", ["虎", "虎骨", "蛇"])
def test_short_pinyin_is_not_written(form):
    """One syllable, or fewer than six letters, is a word of too many languages."""
    assert texts(form, "zh-Hans", "pinyin") == []


def test_syllables_that_are_english_words_are_only_joined():
    """游隼 is no "you sun"."""
    assert texts("游隼", "zh-Hans", "pinyin") == ["yousun"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("象牙", "橡牙"),
        ("犀角", "西角"),
        ("犀牛角", "西牛角"),
        ("穿山甲", "川山甲"),
        ("穿山甲", "串山甲"),
        ("砗磲", "车渠"),
        ("微信", "薇信"),
    ],
)
def test_known_homophones_are_written(form, text):
    """Common on Chinese platforms."""
    assert text in texts(form, "zh-Hans", "homophone")


def test_both_characters_of_two_are_replaced():
    """And each alone."""
    assert {"橡牙", "象芽", "橡芽"} <= set(texts("象牙", "zh-Hans", "homophone"))


def test_three_characters_take_any_common_one_of_the_same_syllable():
    """家 sounds like 甲 and stands in no table of ours."""
    assert "穿山家" in texts("穿山甲", "zh-Hans", "homophone")


def test_an_ordinary_word_is_no_homophone():
    """象皮 is elephant skin; 橡皮 is rubber, and so in a longer form."""
    assert "橡皮" not in texts("象皮", "zh-Hans", "homophone")
    assert [text for text in texts("象皮手串", "zh-Hans", "homophone") if "橡皮" in text] == []


def test_what_shops_say_otherwise_is_no_homophone():
    """带帽 is "with a hood"."""
    assert "带帽" not in texts("玳瑁", "zh-Hans", "homophone")


def test_a_cue_takes_only_the_table():
    """No wildlife character, so no free homophones: 状态好 is a phrase of ordinary words."""
    assert texts("状态好", "zh-Hans", "homophone") == []


def test_characters_are_split_into_their_halves():
    """Read from left to right."""
    assert texts("熊胆", "zh-Hans", "split_characters") == ["熊月旦"]


def test_a_single_character_is_never_split():
    """虫它 and 鱼京 stand beside each other by chance."""
    assert texts("蛇", "zh-Hans", "split_characters") == []


# --- other scripts ---


@pytest.mark.parametrize(
    ("form", "language", "text"),
    [
        ("งาช้าง", "th", "nga chang"),
        ("งาช้าง", "th", "ngachang"),
        ("เขี้ยวเสือ", "th", "khiao suea"),
        ("เขี้ยวเสือ", "th", "khiew suea"),
        ("웅담", "ko", "ungdam"),
        ("웅담", "ko", "woongdam"),
        ("코끼리 상아", "ko", "kokkiri sanga"),
        ("слоновая кость", "ru", "slonovaya kost"),
        ("слоновая кость", "ru", "slonovaia kost"),
        ("слоновая кость", "ru", "slonovaja kost"),
        ("панцирь черепахи", "ru", "pantsir 4erepahi"),
        ("हाथी दांत", "hi", "hathi dant"),
        ("हाथी दांत", "hi", "haathi daant"),
        ("हाथी दांत", "hi", "hathi daant"),
        ("शार्क के पंख", "hi", "shark ke pankh"),
    ],
)
def test_a_form_is_romanized_as_sellers_write_it(form, language, text):
    """Official schemes and the habits of chats."""
    assert text in texts(form, language, "romanized")


@pytest.mark.parametrize(
    ("form", "text"),
    [("천산갑", "cheonsangap"), ("사막여우", "samagyeou"), ("춘란 분재", "chullan bunjae"), ("옻칠 없음", "otchil eopseum")],
)
def test_korean_is_written_as_it_sounds(form, text):
    """Codas move to the next syllable, and change before some onsets."""
    assert text in texts(form, "ko", "romanized")


def test_korean_tense_consonants_are_written_as_machines_write_them():
    """Doubled soft ones for doubled hard ones."""
    assert {"koppulso", "kobbulso"} <= set(texts("코뿔소", "ko", "romanized"))


@pytest.mark.parametrize(
    ("form", "language", "text"), [("ကြယ်လိပ်", "my", "kraylip"), ("លក់ក្រចក", "km", "lokakrocaka"), ("ເກັດລິ່ນ", "lo", "ekadlin")]
)
def test_burmese_khmer_and_lao_are_written_letter_by_letter(form, language, text):
    """With the vowels that consonants have by themselves."""
    assert text in texts(form, language, "romanized")


def test_a_cue_may_be_shorter_than_a_form():
    """It speaks only beside a form."""
    assert [texts("自取", "zh-Hans", "pinyin"), texts("ขาย", "th", "romanized")] == [[], []]
    assert {"zi qu", "ziqu"} <= {each.text for each in spellings("自取", "zh-Hans", is_cue=True)}
    assert "khai" in {each.text for each in spellings("ขาย", "th", is_cue=True)}


def test_zhuyin_is_written_without_tones():
    """As texts are brought to; a longer form holds a shorter one."""
    assert texts("象牙", "zh-Hant", "zhuyin") == ["ㄒㄧㄤㄧㄚ"]
    assert texts("野生象牙手鐲", "zh-Hant", "zhuyin") == []


@pytest.mark.parametrize(
    ("form", "text"), [("बाघ", "baagh"), ("कछुआ", "kachhua"), ("चिंकारा", "chinkara"), ("लोमड़ी की खाल", "lomdi ki khal")]
)
def test_hindi_leaves_silent_vowels_out(form, text):
    """The last inherent vowel, and one between two syllables."""
    assert text in texts(form, "hi", "romanized")


def test_a_thai_form_with_an_unknown_word_is_not_romanized():
    """Rules for reading Thai err too often."""
    assert texts("งาช้างกขค", "th", "romanized") == []


@pytest.mark.parametrize(
    ("form", "reading", "expected"),
    [
        ("سن الفيل", "سِنّ الفِيل", ["sin el fil", "sen el fil", "sin el feel", "sin al fil", "sn alfyl"]),
        ("صقر حر", "صَقْر حُرّ", ["sa8r 7ur", "saqr hur", "sa2r 7or", "sagr hor", "sqr hr"]),
        ("عاج", "عَاج", ["3aaj"]),
    ],
)
def test_arabic_is_romanized_from_its_reading(form, reading, expected):
    """With digits and without, and letter by letter; what is shorter than four characters is left to the lexicon."""
    assert texts(form, "ar", "romanized", reading) == expected


@pytest.mark.parametrize(("form", "language"), [("عاج", "ar"), ("象牙", "ja")])
def test_without_a_reading_nothing_is_guessed(form, language):
    """Letters alone do not say how it is read."""
    assert texts(form, language, "romanized") == []


def test_japanese_is_romanized_from_its_reading():
    """As typed, and as on signs."""
    assert texts("象牙 根付", "ja", "romanized", "ぞうげ ねつけ") == ["zouge netsuke", "zougenetsuke", "zoge netsuke", "zogenetsuke"]


def test_a_reading_in_kana_is_a_spelling_of_what_is_not_all_kana():
    """Which kana it is written in is the bare reading's to see."""
    assert texts("鼈甲", "ja", "kana", "べっこう") == ["べっこう"]
    assert texts("アカウミガメ", "ja", "kana") == []


@pytest.mark.parametrize(
    ("form", "latin"),
    [
        ("їжак", ["yizhak"]),
        ("ріг носорога", ["rih nosoroha", "rig nosoroga"]),
        ("щиглик", ["shchyhlyk", "schiglik", "schyhlyk"]),
        ("зграя соколів", ["zghraia sokoliv", "zgraya sokoliv", "zhraya sokoliv"]),
        ("м'ясо", ["miaso", "myaso"]),
        ("ivory", []),
    ],
)
def test_ukrainian_is_written_as_passports_and_chats_do(form, latin):
    """KMU resolution 55: г is h, зг is zgh; chats write г as g and и as i."""
    assert texts(form, "uk", "romanized") == latin


def test_nepali_is_romanized_as_hindi_is():
    """One script, silent vowels and all."""
    assert "salakko khapta" in texts("सालकको खपटा", "ne", "romanized")


# --- chats and emoji ---


def test_a_reduplication_is_written_with_a_two():
    """In Indonesian and Malay."""
    assert texts("kura-kura", "id", "chat_spelling") == ["kura2", "kura kura"]


def test_khmer_vowels_are_typed_in_two_strokes():
    """Which look the same: \u17be as \u17c1\u17b8, \u17c4 as \u17c1\u17b6."""
    assert texts("អណ្តើក", "km", "chat_spelling") == ["អណ្ត\u17c1\u17b8ក"]
    assert texts("កោ", "km", "chat_spelling") == []  # too short to say anything without its vowel
    assert texts("ខ្លា", "km", "chat_spelling") == []


def test_chat_words_are_put_in_place_of_words():
    """Whole words only, all combinations."""
    assert texts("burung hantu", "id", "chat_spelling") == ["brung hantu"]
    assert texts("giao hàng không giấy", "vi", "chat_spelling")[0] == "giao hàng k giấy"


@pytest.mark.parametrize(
    ("form", "language", "expected"),
    [
        ("象牙", "zh-Hans", ["🐘🦷", "🐘牙", "象🦷"]),
        ("sirip hiu", "id", ["sirip 🦈"]),
        ("sừng tê giác", "vi", ["sừng 🦏"]),
        ("коготь тигра", "ru", ["коготь 🐅"]),
        ("サイチョウの嘴", "ja", []),
        ("défense d'éléphant", "fr", ["🦷 d'🐘", "🦷 d'éléphant", "défense d'🐘"]),
        ("flying-fox skull", "en", []),
        ("ពង្រូល", "km", []),
        ("tiger skin", "en", []),
    ],
)
def test_animals_are_written_as_emoji(form, language, expected):
    """All and each alone, not inside another word; in English an emoji folds to the word itself."""
    assert texts(form, language, "emoji") == expected


def test_a_form_never_becomes_one_lone_emoji():
    """A tiger alone is no offer."""
    assert spellings("เสือ", "th") == ()
    assert texts("老虎", "zh-Hans", "emoji") == []
