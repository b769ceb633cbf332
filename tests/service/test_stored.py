"""Compiled files hold what was written into them."""

import msgspec
from wildgate_service.match.packed import pack
from wildgate_service.match.stored import ITEMS, load_tables, write_compiled
from wildgate_service.match.tables import EMPTY, LanguageCount, Tables

WORDS = tuple(sorted(f"word{number}" for number in range(2 * ITEMS + 1)))  # of several parts


def tables(**fields):
    """The tables of an empty lexicon, but for some fields."""
    empty = {field.name: () for field in msgspec.structs.fields(Tables) if field.required}
    nothing = {"version": "1.0.0", "taxon_automaton": b"", "context_automaton": b"", "taxa": {}, "unions": {}}
    nothing |= dict.fromkeys(("forms", "taxon_patterns", "context_patterns"), EMPTY)
    return Tables(**(empty | nothing | fields))


def test_tables_are_read_as_they_were_written(tmp_path):
    """Words of several parts, a single one and none; bytes that could be anything, and none."""
    written = tables(
        languages=(LanguageCount("en", 1, 2, 3),),
        taxon_automaton=bytes(range(256)) * 300,
        taxon_patterns=pack([(1, 2), (), (300_000,)]),
        bare_context_patterns=pack([((7, "象牙"), (8, "ivory"))]),
        taxon_words=WORDS,
        context_words=("象牙",),
        ordinary={"de en": WORDS, "fr": ()},
        unions={"DE": ("EU",)},
    )
    path = tmp_path / "lexicon-0.bin"
    write_compiled(written, path)
    assert load_tables(path) == written
