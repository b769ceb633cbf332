"""The compiler that compiles again and again: only what changed costs anything, and what comes out is what a fresh one makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from wildgate_service.errors import LexiconError
from wildgate_service.lexicon import compiler, default_lexicons, load_compiled
from wildgate_service.lexicon.compiler import Compiler, compile_lexicons, lexicon_in_memory
from wildgate_service.lexicon.files import Reader
from wildgate_service.lexicon.parts import load_parts
from wildgate_service.match import match
from wildgate_service.normalize import normalize
from wildgate_service.types import Listing

LANGUAGES = ("en", "vi")


@pytest.fixture
def lexicons(tmp_path):
    """A copy of the lexicons of two languages."""
    root = tmp_path / "lexicons"
    shutil.copytree(default_lexicons(), root, ignore=shutil.ignore_patterns("rules"))
    for language in LANGUAGES:
        shutil.copytree(default_lexicons() / "rules" / language, root / "rules" / language)
    return root


@pytest.fixture
def warm(lexicons, tmp_path):
    """A compiler that has compiled them."""
    made = Compiler(lexicons, tmp_path / "out")
    made.compile()
    made.finish()
    return made


def change(lexicons, old="form: ivory tusk", new="form: ivory molar"):
    file = lexicons / "rules" / "en" / "ivory.yml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def no_pause():
    pass


def read(lexicon, title):
    found = match(normalize(Listing(title=title)), lexicon)
    return [(each.rule_id, each.form, each.start, each.end, each.views) for each in found]


@pytest.mark.parametrize("title", ["ivory molar", "ivory tusk", "1v0ry m0lar for sale", "i v o r y  molar, whatsapp me", "ngà voi"])
def test_what_changed_is_compiled_as_if_from_scratch(warm, lexicons, title):
    """Though the automata of before are kept, and a small one beside them."""
    change(lexicons)
    again = load_parts(warm.compile(), no_pause)
    assert read(again, title) == read(lexicon_in_memory(lexicons), title)


def test_change_parses_one_file(warm, lexicons, monkeypatch):
    """All others are kept."""
    parsed = []

    def object_of_text(text, file):
        parsed.append(file)
        return original(text, file)

    original = compiler.object_of_text
    monkeypatch.setattr(compiler, "object_of_text", object_of_text)
    change(lexicons)
    warm.compile()
    assert parsed == ["rules/en/ivory.yml"]


def test_next_process_parses_nothing(warm, lexicons, tmp_path, monkeypatch):
    """The objects are kept on disk; a table that changed makes no rule file new."""
    del warm
    (lexicons / "VERSION").write_text("9.9.9\n", encoding="utf-8")
    monkeypatch.setattr(compiler, "object_of_text", None)
    assert load_compiled(compile_lexicons(lexicons, tmp_path / "out")).version.startswith("9.9.9+")


def test_parts_hold_what_the_compiled_file_holds(warm, lexicons):
    """A worker that reloads serves what one that starts would."""
    change(lexicons)
    path = warm.compile()
    warm.finish()
    parts, whole = load_parts(path, no_pause), load_compiled(path)
    assert (parts.version, parts.tables) == (whole.version, whole.tables)


def test_version_is_that_of_the_content(warm, lexicons, tmp_path):
    """Not of how it was compiled: two replicas say the same of the same files."""
    change(lexicons)
    hot = load_parts(warm.compile(), no_pause).version
    assert hot == load_compiled(compile_lexicons(lexicons, tmp_path / "other")).version


def test_damaged_parts_are_refused(warm):
    """Not half loaded."""
    path = warm.compile().with_suffix(".parts")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(LexiconError, match="damaged"):
        load_parts(path.with_suffix(".bin"), no_pause)


def test_broken_file_writes_nothing_and_mends(warm, lexicons, tmp_path):
    """And the error says where."""
    before = sorted((tmp_path / "out").iterdir())
    file = lexicons / "rules" / "en" / "ivory.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}\n- [", encoding="utf-8")
    with pytest.raises(LexiconError) as caught:
        warm.compile()
    file.write_text(text, encoding="utf-8")
    assert (caught.value.file, caught.value.line > 1, sorted((tmp_path / "out").iterdir()), warm.compile().exists()) == (
        "rules/en/ivory.yml",
        True,
        before,
        True,
    )


def test_old_files_are_pruned(warm, lexicons, tmp_path):
    """The last few stay, for a change that is taken back."""
    for number in range(8):
        (lexicons / "VERSION").write_text(f"1.0.{number}\n", encoding="utf-8")
        last = warm.compile()
        warm.finish()
    kept = {path.suffix: len(list((tmp_path / "out").glob(f"lexicon-*{path.suffix}"))) for path in (last, last.with_suffix(".parts"))}
    assert (kept, last.exists()) == ({".bin": 4, ".parts": 4}, True)


def test_compiled_files_are_their_owners_alone(warm, tmp_path):
    """Packs are restricted."""
    del warm
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "out").iterdir()} == {0}


def test_two_writes_within_one_tick_of_the_clock_are_both_seen(lexicons):
    """Sizes and times alone would miss the second."""
    reader = Reader(lexicons)
    file = change(lexicons, new="form: ivory tuskA")
    times = file.stat().st_mtime_ns
    first = reader.read(trust_times=True)
    change(lexicons, "form: ivory tuskA", "form: ivory tuskB")
    assert file.stat().st_mtime_ns - times < 2_000_000_000
    assert reader.read(trust_times=True).digest != first.digest


def test_unchanged_files_are_not_read_again(lexicons, monkeypatch):
    """A look at settled files costs their sizes and times only."""
    from wildgate_service.lexicon import files  # noqa: PLC0415

    reader = Reader(lexicons)
    monkeypatch.setattr(files, "FRESH_SECONDS", -3600.0)
    first = reader.read()
    monkeypatch.setattr(Path, "read_bytes", None)
    assert reader.read(trust_times=True) is first
