"""Texts written one by one: what training may see of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from wildgate_service.groups import GROUPS
from wildgate_service.lexicon import default_lexicons
from wildgate_service.model.authored import HALVED, WRITTEN, AuthoredText, Origin, read_authored
from wildgate_service.model.labeled_texts import LabeledText, is_development, read_texts
from wildgate_service.model.training_data import read_written_labels

HALVES = sorted(WRITTEN.glob("*.jsonl"))
FEWEST = 90  # texts of a language


@pytest.fixture(scope="module")
def halves() -> list[LabeledText]:
    """Those of which one half is reported."""
    return read_texts(path for each in HALVED for path in sorted(WRITTEN.glob(each)))


@pytest.fixture(scope="module")
def authored() -> list[AuthoredText]:
    """All that is trained on or kept."""
    return read_authored(default_lexicons(), 0)


@pytest.mark.parametrize("path", HALVES, ids=lambda path: path.stem)
def test_every_language_has_offers_and_benign_texts(path: Path) -> None:
    """Enough of either to say something, each labeled with a known group if it is an offer."""
    texts = read_texts([path])
    offers = [text for text in texts if text.offer]
    assert (len(texts) >= FEWEST, 0.4 < len(offers) / len(texts) < 0.6) == (True, True)
    assert {text.group for text in offers} <= set(GROUPS)


def test_the_reported_half_is_never_trained_on(halves: list[LabeledText], authored: list[AuthoredText]) -> None:
    """No text of it, and no twin of one, is among those that models learn from."""
    reported = {text.source for text in halves if not is_development(text)}
    assert reported
    assert reported.isdisjoint(each.source for each in authored if each.origin is Origin.WRITTEN)


def test_twins_are_kept_together(authored: list[AuthoredText]) -> None:
    """Of a contrast pair both or none is kept for fusion."""
    kept: dict[str, set[bool]] = {}
    for each in authored:
        if each.origin is Origin.WRITTEN:
            kept.setdefault(each.source, set()).add(each.is_kept)
    assert {len(values) for values in kept.values()} == {1}


def test_a_text_is_read_with_its_description() -> None:
    """Price and contact often stand there."""
    text = LabeledText(id="a", title="Jaguar", description="2 canines, $300", expected="offer", language="en")
    assert text.text == "Jaguar 2 canines, $300"


@pytest.mark.parametrize("head", ["animal_product", "ivory_promotion"])
def test_texts_written_for_a_head_have_both_labels(head: str) -> None:
    """None twice, some hundred of either."""
    texts = read_written_labels(head)
    assert len({each.text for each in texts}) == len(texts)
    assert min(sum(each.label == label for each in texts) for label in (True, False)) >= 200
    assert read_written_labels("no such head") == []
