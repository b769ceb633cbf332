"""Packed tables answer as the tuples they were made of, whatever was asked for before."""

import pytest
from wildgate_service.match import packed
from wildgate_service.match.packed import Packed, pack
from wildgate_service.match.tables import BareUses, Form, Uses
from wildgate_service.types import Level, RuleKind

FORMS = tuple(
    Form(number, f"象牙 {number}", "a gloss", Level.ALONE, 0, 0, requires=(RuleKind.TRADE_CUE,), within=30, taxa=("Loxodonta",))
    for number in range(50)
)


@pytest.mark.parametrize(
    ("items", "kind"),
    [(FORMS, Form), (((), (1,), (2, 300_000)), Uses), ((((1, "\U0001f418"), (2, "")), ()), BareUses), ((), Uses)],
)
def test_items_are_what_was_packed(items, kind):
    """One by one, in any order, and in a row."""
    table = Packed(pack(items), kind)
    assert len(table) == len(items)
    assert [table[number] for number in reversed(range(len(items)))] == list(reversed(items))
    assert tuple(table) == items


@pytest.mark.parametrize("number", [-1, 50, 1 << 40])
def test_no_item_is_beyond_the_last(number):
    """Nor before the first, as it is for a list."""
    with pytest.raises(IndexError):
        Packed(pack(FORMS), Form)[number]


def test_few_items_are_remembered(monkeypatch):
    """However many are asked for; each is right, also one that was forgotten."""
    monkeypatch.setattr(packed, "MOST_REMEMBERED", 8)
    table = Packed(pack(FORMS), Form)
    for _ in range(3):
        assert tuple(table[number] for number in range(len(FORMS))) == FORMS
    assert len(table._met) <= 8
    assert table[3] is table[3]
