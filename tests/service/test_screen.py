"""The screen: hashed n-grams of a skeleton, and what a damaged or foreign folder comes to."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from wildgate_service.classify.screen import (
    BITS,
    ORDERS,
    Screen,
    ScreenConfig,
    Table,
    Weights,
    fold_digest,
    hashes,
    write_screen,
)
from wildgate_service.errors import ModelError
from wildgate_service.model.folder import find_models


def screen_of(weights: dict[str, int], folder: Path, **changes: object) -> Path:
    """A folder whose screen gives each bigram its weight for an offer, the opposite for a sale, and every other n-gram none."""
    stored = np.zeros(1 << BITS, np.int8)
    for bigram, weight in weights.items():
        stored[hashes(bigram)[0, 0]] = weight
    config = ScreenConfig(Table(1.0), Table(1.0, offset=0.5), fold_digest())
    write_screen(folder, msgspec.structs.replace(config, **changes), Weights(stored, -stored))
    return folder


def test_an_ngram_has_one_hash_wherever_it_stands() -> None:
    """What stands before and after an n-gram changes nothing."""
    longest = max(ORDERS)
    alone, inside = hashes("ivory"), hashes("old ivory tusk")
    assert [alone[row, 0] for row in range(longest - 1)] == [inside[row, 4] for row in range(longest - 1)]


def test_different_ngrams_rarely_share_a_hash() -> None:
    """All bigrams of small letters, Han and Thai characters spread over the table."""
    letters = [chr(point) for start in (0x61, 0x4E00, 0x0E01) for point in range(start, start + 26)]
    found = {int(hashes(one + other)[0, 0]) for one in letters for other in letters}
    assert len(found) > 0.98 * len(letters) ** 2


def test_the_window_that_speaks_most_is_the_answer(tmp_path: Path) -> None:
    """Ordinary words around what speaks for an offer do not drown it; the more windows, the more counts against one."""
    screen = Screen.load(screen_of({"xx": 100}, tmp_path / "s"), fold_digest())
    window = "a" * 63 + "xx" + "a" * 63
    text = "a" * 64 * 5 + window + "a" * 64 * 5
    assert screen.windows(text) == 11
    assert screen.logit(text) + math.log(11) == pytest.approx(screen.logit(window), rel=0.05)


@pytest.mark.parametrize("before", [0, 64, 300, 1_000])
def test_the_window_is_named_that_struck(before: int, tmp_path: Path) -> None:
    """The encoder reads that one."""
    screen = Screen.load(screen_of({"xx": 100}, tmp_path / "s"), fold_digest())
    start, end = screen.struck_by("a" * before + "xx" + "a" * 500)
    assert start <= before < before + 2 <= end <= start + 128 + 32
    assert screen.struck_by("short xx") == (0, 8)


def test_an_empty_text_says_what_the_prior_says(tmp_path: Path) -> None:
    """Nothing to read is no evidence."""
    screen = Screen.load(screen_of({}, tmp_path / "s", offer=Table(1.0, offset=-0.25)), fold_digest())
    assert screen.logit("") == -0.25


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 127, 128, 129, 160, 161, 20_000])
def test_any_length_is_read(length: int, tmp_path: Path) -> None:
    """A text of any length has an answer, and its end is read too."""
    screen = Screen.load(screen_of({"yz": 100}, tmp_path / "s"), fold_digest())
    assert screen.logit("a" * length + "yz") > screen.logit("a" * (length + 2))


def test_sales_have_a_table_of_their_own(tmp_path: Path) -> None:
    """What speaks for an offer may speak against a sale; either is calibrated by itself."""
    screen = Screen.load(screen_of({"xx": 100}, tmp_path / "s"), fold_digest())
    assert (screen.sale_logit("xx") - 0.5, screen.sale_logit("")) == (-screen.logit("xx"), 0.5)


def test_the_shipped_screen_tells_sales_from_talk() -> None:
    """The same goods, sold and talked about."""
    screen = Screen.load(find_models().screen, fold_digest())
    assert screen.sale_logit("old clock for sale, 40 euro, pick up") > screen.sale_logit(
        "police seized old clocks at the border, court says"
    )


def test_the_shipped_screen_fits_the_fold() -> None:
    """What ships was trained on the normalization that ships."""
    assert Screen.load(find_models().screen, fold_digest()).version.startswith("screen-v1-")


def test_a_screen_of_another_normalization_is_refused(tmp_path: Path) -> None:
    """Its n-grams would be other ones: an error, never a silent wrong score."""
    folder = screen_of({}, tmp_path / "s", normalization="another")
    with pytest.raises(ModelError, match="another normalization"):
        Screen.load(folder, fold_digest())


def test_a_screen_of_another_shape_is_refused(tmp_path: Path) -> None:
    """So is one that hashes to another number of bits."""
    folder = screen_of({}, tmp_path / "s", bits=12)
    with pytest.raises(ModelError, match="another shape"):
        Screen.load(folder, fold_digest())


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    """One changed byte is found by the hash."""
    folder = screen_of({}, tmp_path / "s")
    file = folder / "weights.npz"
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    with pytest.raises(ModelError, match=r"weights\.npz is damaged"):
        Screen.load(folder, fold_digest())


@pytest.mark.parametrize("missing", ["config.json", "weights.npz"])
def test_a_missing_file_is_named(missing: str, tmp_path: Path) -> None:
    """Whoever copied half a folder learns which half."""
    folder = screen_of({}, tmp_path / "s")
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=missing):
        Screen.load(folder, fold_digest())
