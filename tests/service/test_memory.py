"""Garbage collection around what makes many objects."""

import gc

import pytest
from wildgate_service.match.stored import load_compiled
from wildgate_service.memory import without_collection


@pytest.fixture(autouse=True)
def collection():
    """Leave collection as it was, and let go of what was frozen."""
    was = gc.isenabled()
    yield
    (gc.enable if was else gc.disable)()
    gc.unfreeze()


@pytest.mark.parametrize("collects", [True, False])
def test_collection_is_afterwards_what_it_was(collects):
    """Who switched it off for a whole process does not get it back by loading something."""
    (gc.enable if collects else gc.disable)()
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled() is collects


def test_collection_is_off_until_the_outermost_ends():
    """One inside another does not switch it on for the rest of the other."""
    gc.enable()
    with without_collection():
        with without_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collection_goes_on_where_something_failed():
    """Where nothing was made."""
    gc.enable()
    with pytest.raises(ZeroDivisionError), without_collection():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_nothing_is_collected_while_a_lexicon_is_loaded(compiled_lexicon):
    """Whoever loads it; to walk over a million new objects again and again takes a quarter of the time."""
    gc.enable()
    seen = set()
    load_compiled(compiled_lexicon, pause=lambda: seen.add(gc.isenabled()))
    assert (seen, gc.isenabled()) == ({False}, True)
