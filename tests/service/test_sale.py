"""What is labeled a sale and what talk, and what the parts weigh. Skipped without the extra `train`."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra train")

from wildgate_service.model.authored import AuthoredText, Origin
from wildgate_service.model.train_sale import AUTHORED, REAL, sale_of, sale_of_real, sale_texts, trained_and_kept
from wildgate_service.model.training_data import Negative

pytestmark = pytest.mark.train


def authored(kind: str, *, offer: bool = False, origin: Origin = Origin.TEMPLATE, source: str = "s") -> AuthoredText:
    """A text of one kind."""
    return AuthoredText(origin, source, "en", f"{kind} {source}", offer=offer, kind=kind)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (authored("plain", offer=True), True),
        (authored("plain_twin"), True),
        (authored("news"), False),
        (authored("color"), None),
        (authored("ordinary", origin=Origin.WRITTEN), True),
        (authored("talk", origin=Origin.WRITTEN), False),
        (authored("look_alike_twin", origin=Origin.WRITTEN), None),
        (authored("", offer=True, origin=Origin.EXAMPLE), None),
    ],
    ids=["offer", "twin", "news", "color", "ordinary", "talk", "look-alike", "example"],
)
def test_a_label_is_only_what_somebody_said(text: AuthoredText, label: bool | None) -> None:  # noqa: FBT001  (a parameter of the test)
    """Offers, twins and ordinary goods sell; news and talk do not; of the rest nobody said."""
    assert sale_of(text) is label


@pytest.mark.parametrize(
    ("kind", "label"), [("listing_title", True), ("social_post", False), ("product_review", False), ("search_query", None)]
)
def test_real_texts_are_labeled_by_where_they_stood(kind: str, label: bool | None) -> None:  # noqa: FBT001
    """A search may be of either."""
    assert sale_of_real(Negative("n", "en", kind, "x")) is label


def test_every_part_weighs_its_share() -> None:
    """Whatever their numbers, sales and talk weigh the same, and real ones a quarter."""
    texts = sale_texts(
        [authored("plain", offer=True), *(authored("news", source=str(n)) for n in range(5))],
        [Negative(str(n), "en", "listing_title", "x") for n in range(7)] + [Negative("p", "en", "social_post", "y")],
    )
    weights, sold = texts.weights, texts.labels
    written = np.arange(len(weights)) < len(texts.authored)
    shares = [float(weights[part].sum() / weights.sum()) for part in (written & sold, written & ~sold, ~written & sold, ~written & ~sold)]
    assert shares == pytest.approx([AUTHORED, AUTHORED, REAL, REAL])


def test_what_is_held_out_is_neither_trained_on_nor_kept() -> None:
    """A fifth of the real texts is only measured."""
    real = [Negative(f"neg-{n:06}", "en", "listing_title", "x") for n in range(200)]
    trained, kept = trained_and_kept([authored("news", source=str(n)) for n in range(40)], real)
    assert 20 < len(real) - len(trained.real) - len(kept.real) < 60
    assert {each.source for each in trained.authored}.isdisjoint(each.source for each in kept.authored)
