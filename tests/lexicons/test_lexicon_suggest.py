"""Candidates for new forms, from texts in which a code word was planted.

The texts are words of trade drawn at random with a fixed seed; each offer holds the planted word, whose parts stand in some ordinary
listings too, as an innocent word's would.
"""

from __future__ import annotations

import json
import math
import random

import pytest
from wildgate_service.lexicon import default_lexicons, lint_text
from wildgate_service.lexicon.ngrams import ngrams
from wildgate_service.lexicon.suggest import log_odds, suggest
from wildgate_service.lexicon.taxa import read_taxa
from wildgate_service.types import Listing

FILLERS = {
    "en": "fresh stock ready to ship worldwide message me best price vintage bracelet necklace ring size large small new box lot of two "
    "beads carved handmade gift set red blue",
    "zh-Hans": "出售 私聊 正品 老料 手串 新款 包邮 现货 大号 小号 吊坠 收藏 送礼 批发 广东 漂亮 一条 便宜",
    "th": "ขาย ราคาถูก ของแท้ พร้อมส่ง ทักแชท สร้อยข้อมือ แหวน กำไล ของเก่า สวยมาก ใหม่ มือสอง ส่งฟรี สีขาว สีแดง",
    "ru": "продам недорого браслет кольцо старинный новый пишите личку доставка почтой красивый большой маленький набор подарок",
    "ja": "販売 送料無料 新品 中古 腕輪 指輪 置物 美品 大きい 小さい 値下げ 東京 発送 即購入可 レア 限定",
    "ar": "فضة سوار خاتم قديم جديد سعر مناسب توصيل صغير كبير هدية جميل نادر أصلي عقد",
}
PLANTED = {
    "en": ("moon candle sticks", ["candle", "sticks", "moon"]),
    "zh-Hans": ("奶油冰棍", ["奶油", "冰棍"]),
    "th": ("นมแท่งเย็น", ["นม", "เย็น"]),
    "ru": ("лунная свеча", ["свеча", "лунная"]),
    "ja": ("月光ろうそく", ["ろうそく"]),
    "ar": ("شمع القمر", ["شمع"]),
}
UNSPACED = {"zh-Hans", "th", "ja"}
OFFERS, ORDINARY = 40, 300


def texts(language: str, planted: str = "") -> tuple[list[Listing], list[Listing]]:
    """Offers with the planted word, and ordinary listings, one in twenty-five with a part of it."""
    draw = random.Random(7)  # noqa: S311  (texts, no secrets)
    words, glue = FILLERS[language].split(), "" if language in UNSPACED else " "
    word, parts = PLANTED[language]
    offers, ordinary = [], []
    for _ in range(OFFERS):
        chosen = draw.sample(words, 4)
        chosen.insert(draw.randrange(5), planted or word)
        offers.append(Listing(title=glue.join(chosen)))
    for _ in range(ORDINARY):
        chosen = draw.sample(words, 4)
        if draw.random() < 0.04:
            chosen.append(draw.choice(parts))
        ordinary.append(Listing(title=glue.join(chosen)))
    return offers, ordinary


@pytest.mark.parametrize("language", PLANTED)
def test_a_planted_code_word_comes_out_first(language, lexicon):
    """Whole, in six scripts, with the number of offers that hold it."""
    found = suggest(*texts(language), lexicon, top=3)
    first = found.candidates[0]
    assert (first.form, first.positives, first.background) == (PLANTED[language][0], OFFERS, 0)
    assert (found.positives, found.background) == (OFFERS, ORDINARY)


@pytest.mark.parametrize("language", PLANTED)
def test_parts_of_a_candidate_are_not_candidates(language, lexicon):
    """One finding, not three: the parts are named as explained."""
    first, *others = suggest(*texts(language), lexicon).candidates
    assert [other.form for other in others if other.form in first.form] == []
    assert first.explains


def test_contexts_are_the_sellers_own_words(lexicon):
    """Up to three, each with the word as it was written."""
    offers, ordinary = texts("en", planted="MOON  Candle Sticks")
    contexts = suggest(offers, ordinary, lexicon).candidates[0].contexts
    assert len(contexts) == 3
    assert all("MOON Candle Sticks" in context for context in contexts)


@pytest.mark.parametrize("known", ["elephant ivory", "rhino horn", "pangolin scales"])
def test_what_the_lexicon_knows_is_not_suggested(known, lexicon):
    """Nor any part of it, nor anything around it."""
    forms = [candidate.form for candidate in suggest(*texts("en", planted=known), lexicon).candidates]
    assert [form for form in forms if set(form.split()) & set(known.split())] == []


def test_what_both_sides_have_alike_is_not_suggested(lexicon):
    """Two halves of one crowd differ by chance only."""
    _, ordinary = texts("en")
    assert [each.form for each in suggest(ordinary[:150], ordinary[150:], lexicon).candidates if each.z > 3.3] == []


def test_a_word_that_is_common_in_ordinary_listings_is_no_code_word(lexicon):
    """However often offers have it; nor is what begins or ends with it."""
    offers, ordinary = texts("en", planted="such cups")
    ordinary = [*ordinary, *[Listing(title="such a day")] * 20]
    assert [each.form for each in suggest(offers, ordinary, lexicon).candidates if "such" in each.form] == []


def test_a_word_of_two_offers_is_not_seen(lexicon):
    """Two are chance."""
    offers, ordinary = texts("en")
    ordinary += [Listing(title="blue cup")] * 20
    found = suggest([*ordinary[:40], *offers[:2]], ordinary[40:], lexicon)
    assert [each.form for each in found.candidates if "candle" in each.form] == []


def test_a_listing_that_repeats_itself_counts_once(lexicon):
    """Else one seller who shouts would lead."""
    offers, ordinary = texts("en")
    found = suggest([*offers, Listing(title="shouted " * 100)], ordinary, lexicon)
    assert "shouted" not in {each.form for each in found.candidates}


def test_only_listings_of_the_language_are_read(lexicon):
    """Both sides of it."""
    thai, english = texts("th"), texts("en")
    found = suggest([*thai[0], *english[0]], [*thai[1], *english[1]], lexicon, language="th")
    assert (found.positives, found.background) == (OFFERS, ORDINARY)


def test_the_log_odds_are_those_of_the_paper():
    """Equations 15, 16, 19, 20 and 22 on numbers that can be worked out by hand."""

    class Side:
        def __init__(self, count, total):
            self.counts, self.totals = {"cup": count}, {(True, 1): total}

    prior = 100 * 12 / 400
    ratio = math.log((10 + prior) / (100 + 100 - 10 - prior)) - math.log((2 + prior) / (300 + 100 - 2 - prior))
    expected = ratio, ratio / math.sqrt(1 / (10 + prior) + 1 / (2 + prior))
    assert log_odds("cup", Side(10, 100), Side(2, 300)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "known", "cues", "expected"),
    [
        ("red cup", (), (), {"red", "red cup", "cup"}),
        ("red, cup", (), (), {"red", "cup"}),
        ("red old cup", ((4, 7),), (), {"red", "cup"}),
        ("buy red cup", (), ((0, 3),), {"red", "red cup", "cup"}),
        ("red for cup", (), ((4, 7),), {"red", "red for cup", "cup"}),
        ("红杯子", (), (), {"红杯", "红杯子", "杯子"}),
        ("red杯子", (), (), {"red", "杯子"}),
        ("น้ำใจ", (), (), {"น้ำ", "น้ำใ", "น้ำใจ", "ำใ", "ำใจ", "ใจ"}),
        ("12 kg", (), (), {"12 kg", "kg"}),
    ],
)
def test_ngrams(text, known, cues, expected):
    """Words in scripts with spaces, characters with their marks in others; none over punctuation, a known form, or at a cue."""
    assert set(ngrams(text, known, cues)) == expected


# --- the command -----------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path, make_lexicon):
    """The English texts as files, and a small lexicon, which each command loads at once."""
    paths = ["--lexicons", make_lexicon("small")]
    for name, listings in zip(("positives", "background"), texts("en"), strict=True):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"title": listing.title}) + "\n" for listing in listings), encoding="utf-8")
        paths += [f"--{name}", path]
    return paths


def test_the_command_prints_candidates_to_read(wildgate, files):
    """First the form, then what it explains and where it stands."""
    status, shown = wildgate("lexicon", "suggest", *files)
    assert (status, "1. moon candle sticks" in shown, "explains: " in shown) == (0, True, True)


def test_the_command_prints_json(wildgate, files):
    """The same for machines."""
    found = json.loads(wildgate("lexicon", "suggest", *files, "--format", "json", "--top", "1")[1])
    assert [each["form"] for each in found["candidates"]] == ["moon candle sticks"]


def test_a_draft_passes_the_linter_but_for_what_a_person_must_say(wildgate, files):
    """Taxa, examples and glosses; no text of a listing is copied into it."""
    status, draft = wildgate("lexicon", "suggest", *files, "--language", "en", "--format", "yaml")
    codes = {finding.code for finding in lint_text(draft, read_taxa(default_lexicons()))}
    assert (status, codes) == (0, {"LEX004", "LEX015", "LEX025"})


def test_a_draft_needs_a_language(wildgate, files):
    """A rule has one."""
    assert wildgate("lexicon", "suggest", *files, "--format", "yaml")[0] == 2
