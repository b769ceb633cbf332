"""Copies of training texts in disguise."""

from __future__ import annotations

from random import Random

import pytest
from wildgate_service.model.authored import AuthoredText, Origin
from wildgate_service.model.disguised import WAYS, disguised, in_disguise
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out

WRITTEN = [
    AuthoredText(Origin.WRITTEN, f"en-{number}", "en", f"selling ivory bangle number {number}", number % 2 == 0) for number in range(60)
]
NEGATIVES = [Negative(f"n{number}", "en", "listing_title", f"blue cotton dress size {number}") for number in range(60)]


def test_copies_keep_label_and_source() -> None:
    """So that they stay on their side of every split."""
    labels = {each.source: each.offer for each in WRITTEN}
    assert all(labels[each.source] == each.offer for each in disguised(WRITTEN, NEGATIVES, 0).written)


def test_offers_innocent_and_ordinary_texts_are_disguised_alike() -> None:
    """A disguise must be no sign of an offer."""
    copies = disguised(WRITTEN, NEGATIVES, 0)
    assert {each.offer for each in copies.written} == {True, False}
    assert copies.negatives


def test_what_is_kept_from_the_models_has_no_copies() -> None:
    """Neither what calibrates nor what is measured on."""
    copies = disguised(WRITTEN, NEGATIVES, 0)
    assert not any(each.is_kept for each in copies.written)
    assert not any(is_held_out(each.id) or is_for_calibration(each.id) for each in copies.negatives)


def test_a_seed_gives_the_same_copies() -> None:
    """Training is reproducible."""
    assert disguised(WRITTEN, NEGATIVES, 3) == disguised(WRITTEN, NEGATIVES, 3)


@pytest.mark.parametrize("text", ["selling rhino horn", "象牙手镯出售", "продам рог носорога", "ขายงาช้าง", "12 %", ""])
def test_every_script_can_be_disguised(text: str) -> None:
    """What has no letters stays as it is."""
    found = {in_disguise(text, Random(seed)) for seed in range(3 * len(WAYS))}  # noqa: S311
    assert (len(found) > 1) == any(map(str.isalpha, text))
