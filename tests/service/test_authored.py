"""Texts that people wrote for training: templates filled from a seed, rule examples, a platform's own file."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest
from wildgate_service.errors import ModelError
from wildgate_service.groups import GROUPS
from wildgate_service.model.authored import AuthoredText, Origin, read_labeled, to_train_on
from wildgate_service.model.disguised import disguised, in_disguise, ordinary_disguised
from wildgate_service.model.drowned import drowned
from wildgate_service.model.generated import SLOT, TEXTS, generated_texts, read_templates
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out

FILES = sorted(TEXTS.glob("*.yml"))
FEWEST = {"offers": 45, "benign": 50, "goods": 80}

SMALL = """
language: en
parts: [{text: ivory bangle, group: elephant}]
live: [{text: baby tortoise, group: tortoise_turtle}]
species: [{text: rhino, group: rhino}]
goods: [silver ring, oak table]
lawful: [cow bone]
prices: [$5, $6]
amounts: [two]
contacts: [dm me]
places: [Lagos]
offers:
  - {kind: part, text: "selling {part}, {price}", twin: "selling {goods}, {price}"}
benign:
  - {kind: news, text: "{species} poachers jailed in {place}"}
"""


def small(folder: Path, text: str = SMALL) -> Path:
    """A folder of one file of templates."""
    (folder / "en.yml").write_text(text, encoding="utf-8")
    return folder


def test_an_offer_and_its_twin_share_what_they_can(tmp_path: Path) -> None:
    """A pair differs in what is offered, not in its price."""
    pairs = defaultdict(dict)
    for each in generated_texts(small(tmp_path), (), {}, seed=0):
        if each.template == "en/offer-0":
            pairs[each.text.rpartition(" ")[2]][each.offer] = each.text
    assert {price: pair.keys() for price, pair in pairs.items()} == {"$5": {True, False}, "$6": {True, False}}


def test_the_group_is_that_of_what_is_named(tmp_path: Path) -> None:
    """Offers and talk say what they name, ordinary goods nothing."""
    found = {(each.kind, each.group) for each in generated_texts(small(tmp_path), (), {}, seed=0)}
    assert found == {("part", "elephant"), ("part_twin", ""), ("news", "rhino")}


def test_a_seed_gives_the_same_texts(tmp_path: Path) -> None:
    """Training is reproducible."""
    assert generated_texts(small(tmp_path), (), {}, seed=3) == generated_texts(tmp_path, (), {}, seed=3)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("{price}", "{prize}", "unknown slot {prize}"),
        ("elephant}", "elefant}", "unknown taxon group elefant"),
        ("language: en\n", "", "missing required field `language`"),
        ("offers:", "offerings:", "unknown field `offerings`"),
        ("[$5, $6]", "[$5", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(before: str, after: str, message: str, tmp_path: Path) -> None:
    """Whoever edits templates learns the file and the fault."""
    small(tmp_path, SMALL.replace(before, after, 1))
    with pytest.raises(ModelError) as caught:
        read_templates(tmp_path / "en.yml")
    assert ("en.yml" in str(caught.value), message.lower() in str(caught.value).lower()) == (True, True)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    """No templates are an error, not a model without offers."""
    with pytest.raises(ModelError, match="no templates"):
        generated_texts(tmp_path, (), {}, seed=0)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_shipped_templates_are_whole(path: Path) -> None:
    """Each file reads, is named as its language, and has enough of everything; every template that ships is different."""
    templates = read_templates(path)
    texts = [text for each in templates.offers for text in (each.text, each.twin)] + [each.text for each in templates.benign]
    counts = {name: len(getattr(templates, name)) >= fewest for name, fewest in FEWEST.items()}
    assert (templates.language, counts, len(texts)) == (path.stem, dict.fromkeys(FEWEST, True), len(set(texts)))


def test_every_group_is_offered_somewhere() -> None:
    """No taxon group is left out of all templates, but mammoth, which is no offer, and the rests of others."""
    groups = {each.group for path in FILES for words in read_templates(path).wild.values() for each in words}
    assert {name for name in GROUPS if name not in groups and not name.endswith("_other")} - {"mammoth", "amphibian"} == set()


def test_offers_without_slots_stay_one_text(tmp_path: Path) -> None:
    """A text that has nothing to fill is not repeated."""
    text = SMALL.replace('"selling {part}, {price}"', '"see photo, long nose"')
    offers = [each for each in generated_texts(small(tmp_path, text), (), {}, seed=0) if each.offer]
    assert ([each.text for each in offers], SLOT.findall(offers[0].text)) == (["see photo, long nose"], [])


# --- a platform's own texts ----------------------------------------------------------------------


def lines(folder: Path, *rows: dict[str, str]) -> Path:
    """A file of JSON lines."""
    file = folder / "own.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def row(**changes: str) -> dict[str, str]:
    """One labeled text."""
    return {"text": "ivory ring", "label": "offer", "language": "zh-Hant"} | changes


def test_own_texts_are_read(tmp_path: Path) -> None:
    """Label and language are taken, and the line is the source."""
    (found,) = read_labeled(lines(tmp_path, row(group="elephant", licence="ours")))
    assert (found.source, found.language, found.offer, found.group) == ("own.jsonl:1", "zh", True, "elephant")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(), row(label="benign")], "own.jsonl:1 and own.jsonl:2 are one text with two labels"),
        ([row(), row(text="x", label="yes")], "own.jsonl:2: label 'yes' is neither offer nor benign"),
        ([row(txet="x")], "own.jsonl:1 is no labeled text"),
    ],
)
def test_wrong_lines_are_named(rows: list[dict[str, str]], message: str, tmp_path: Path) -> None:
    """Contradictory labels, other labels and unknown fields stop the training."""
    with pytest.raises(ModelError) as caught:
        read_labeled(lines(tmp_path, *rows))
    assert message in str(caught.value)


def test_drowned_texts_keep_their_label_and_stay_out_of_kept_ones():
    """Half of what is trained on, each beside a text of its language that offers nothing."""
    written = [AuthoredText(Origin.TEMPLATE, f"vi/offer-{n}", "vi", f"bán {n}", offer=True, kind="plain") for n in range(200)]
    written += [AuthoredText(Origin.TEMPLATE, f"vi/talk-{n}", "vi", f"chuyện {n}", offer=False, kind="talk") for n in range(200)]
    found = drowned(written, [], ["vi"], seed=0)
    assert 100 < len(found) < 200
    assert not any(each.is_kept for each in found)
    assert all("bán" in each.text for each in found if each.offer)
    assert all("chuyện" in each.text for each in found)


def test_long_written_texts_teach_the_fusion_alone():
    """A platform's own are trained on whatever they are called."""
    long, short, own = (
        AuthoredText(origin, "en-d1", "en", "A wardrobe, and why we part with it", offer=False, kind=kind)
        for origin, kind in ((Origin.WRITTEN, "description"), (Origin.WRITTEN, "ordinary"), (Origin.OWN, "description"))
    )
    assert to_train_on([long, short, own]) == [short, own]


def test_languages_that_are_not_read_are_not_drowned():
    """They are not trained on."""
    assert drowned([AuthoredText(Origin.TEMPLATE, "en/talk-1", "en", "talk", offer=False, kind="talk")], [], ["vi"], seed=0) == []


def test_texts_in_disguise_keep_their_label_and_stay_out_of_kept_ones():
    """Offers and others alike, so that models cannot take a disguise for an offer."""
    written = [
        AuthoredText(Origin.TEMPLATE, f"en/t-{n}", "en", f"tortoise number {n}", offer=n % 2 == 0, kind="plain") for n in range(1_000)
    ]
    found = disguised(written, seed=0)
    shares = [
        sum(each.offer == offer for each in found) / sum(not each.is_kept and each.offer == offer for each in written)
        for offer in (True, False)
    ]
    assert all(0.3 < share < 0.5 for share in shares)
    assert not any(each.is_kept for each in found)
    assert sum(each.text != f"tortoise number {each.source.rpartition('-')[2]}" for each in found) > len(found) / 2
    assert found == disguised(written, seed=0)


def test_held_out_negatives_are_never_disguised():
    """Nor those for calibration: a copy of one would be trained on."""
    negatives = [Negative(str(n), "en", "listing_title", "red cotton dress") for n in range(2_000)]
    found = ordinary_disguised(negatives, seed=0)
    assert found
    assert not any(is_held_out(each.id) or is_for_calibration(each.id) for each in found)


@pytest.mark.parametrize(
    "text", ["", "a", "...", "12 kg", "\u0e07\u0e32\u0e0a\u0e49\u0e32\u0e07", "\U0001f418", "x" * 3_000, "\u8c61" * 3_000]
)
def test_any_text_can_be_disguised(text):
    """Empty, in signs alone, in one long word, in a script without blanks."""
    chance = random.Random(0)  # noqa: S311  (to be the same again)
    assert all(isinstance(in_disguise(text, chance), str) for _ in range(50))


def test_another_script_is_written_in_latin_letters():
    """One of the ways in which sellers write it."""
    chance = random.Random(0)  # noqa: S311  (to be the same again)
    assert any(in_disguise("слоновая кость", chance).strip().replace(" ", "") == "slonovayakost" for _ in range(200))
