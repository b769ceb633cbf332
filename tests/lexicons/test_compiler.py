"""The compiler that compiles again and again: only what changed costs anything, and what comes out is what a fresh one makes."""

from __future__ import annotations

import ast
import errno
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wildgate_service.errors import LexiconError
from wildgate_service.lexicon import changes, code, default_lexicons, gathering, load_compiled, turns
from wildgate_service.lexicon.compiler import Compiler, compile_lexicons, lexicon_in_memory
from wildgate_service.lexicon.files import Reader
from wildgate_service.match import match
from wildgate_service.normalize import normalize
from wildgate_service.types import Listing

HOLD = """
import pathlib, sys
from wildgate_service.lexicon.turns import in_turn
with in_turn(pathlib.Path(sys.argv[1])):
    print(flush=True)
    input()
"""
FILES = ("en/ivory.yml", "en/rhino.yml", "en/trade_cues.yml", "vi/ivory.yml")


@pytest.fixture
def lexicons(tmp_path):
    """A copy of the lexicons with a few of the rule files."""
    root = tmp_path / "lexicons"
    shutil.copytree(default_lexicons(), root, ignore=shutil.ignore_patterns("rules"))
    for name in FILES:
        (root / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(default_lexicons() / "rules" / name, root / "rules" / name)
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


def read(lexicon, title):
    found = match(normalize(Listing(title=title)), lexicon)
    return [(each.rule_id, each.form, each.start, each.end, each.views) for each in found]


@pytest.fixture
def read_anew(monkeypatch):
    """The first line of each text that is read from here on."""
    texts = []

    def object_of_text(text, file):
        texts.append(text.partition("\n")[0])
        return original(text, file)

    original = gathering.object_of_text
    monkeypatch.setattr(gathering, "object_of_text", object_of_text)
    return texts


@pytest.mark.parametrize("title", ["ivory molar", "ivory tusk", "1v0ry m0lar for sale", "i v o r y  molar, whatsapp me", "ngà voi"])
def test_what_changed_is_compiled_as_if_from_scratch(warm, lexicons, title):
    """Though it is a delta laid over what was compiled before."""
    change(lexicons)
    path = warm.compile()
    assert (path.suffix, read(load_compiled(path), title)) == (".delta", read(lexicon_in_memory(lexicons), title))


def test_change_reads_one_rule(warm, lexicons, read_anew):
    """All others are kept, those of its file too."""
    change(lexicons)
    warm.compile()
    assert read_anew == ["- id: en-ivory-named"]


def test_lines_below_a_change_are_told_as_they_are_now(warm, lexicons):
    """A rule that was not read again knows where it stands."""
    file = change(lexicons, "- id: en-ivory-named", "# a comment\n\n- id: en-ivory-goods")
    text = file.read_text(encoding="utf-8")
    (file.parent / "zz.yml").write_text(text[text.index("- id", text.index("- id") + 4) :], encoding="utf-8")
    second = text[: text.index("\n- id", text.index("- id"))].count("\n") + 2
    with pytest.raises(LexiconError, match=rf"stands already at rules/en/ivory\.yml:{second}$"):
        warm.compile()


def test_next_process_reads_nothing(warm, lexicons, tmp_path, read_anew):
    """The objects are kept on disk; a table that changed makes no rule new."""
    del warm
    (lexicons / "VERSION").write_text("9.9.9\n", encoding="utf-8")
    lexicon = load_compiled(compile_lexicons(lexicons, tmp_path / "out"))
    assert (lexicon.version[:6], read_anew) == ("9.9.9+", [])


def test_next_process_starts_from_a_delta_and_goes_on_from_its_base(warm, lexicons, tmp_path):
    """Nothing is compiled that was compiled before the service was started anew."""
    change(lexicons)
    first = warm.compile()
    warm.finish()
    following = Compiler(lexicons, tmp_path / "out")
    again = following.compile()
    change(lexicons, "form: ivory molar", "form: ivory premolar")
    assert (again, following.compile().stem.partition("-on-")[2]) == (first, first.stem.partition("-on-")[2])


def test_delta_without_its_base_is_made_anew(warm, lexicons, tmp_path):
    """Somebody may have cleaned the cache."""
    base = warm.compile()
    change(lexicons)
    warm.compile()
    base.unlink()
    path = compile_lexicons(lexicons, tmp_path / "out")
    assert (path.suffix, read(load_compiled(path), "ivory molar")) == (".bin", read(lexicon_in_memory(lexicons), "ivory molar"))


def test_base_that_is_gone_from_the_cache_serves_on(warm, lexicons, tmp_path):
    """Who holds it loads a delta without its file, and nothing stands in the file's place."""
    base = load_compiled(warm.compile())
    (path,) = (tmp_path / "out").glob("lexicon-*.bin")
    path.unlink()
    change(lexicons)
    assert (read(load_compiled(warm.compile(), base), "ivory molar") != [], path.exists()) == (True, False)


def test_change_that_is_taken_back_needs_no_file(warm, lexicons):
    """The base serves again."""
    base = warm.compile()
    change(lexicons)
    changed = warm.compile()
    change(lexicons, "form: ivory molar", "form: ivory tusk")
    assert (warm.compile(), changed.suffix) == (base, ".delta")


def test_much_that_changed_is_compiled_whole(warm, lexicons, monkeypatch):
    """And is the base of what follows."""
    monkeypatch.setattr(changes, "FEWEST_FORMS", 0)
    monkeypatch.setattr(changes, "LARGEST_SHARE", 0.0)
    change(lexicons)
    whole = warm.compile()
    monkeypatch.undo()
    change(lexicons, "form: ivory molar", "form: ivory premolar")
    assert (whole.suffix, warm.compile().stem.partition("-on-")[2]) == (".bin", whole.stem.removeprefix("lexicon-"))


@pytest.mark.parametrize("name", ["ordinary_words.tsv", "homographs.tsv"])
def test_words_that_changed_are_compiled_whole(warm, lexicons, name):
    """They touch every form."""
    file = lexicons / name
    file.write_text(file.read_text(encoding="utf-8") + "zzzzzz\ten\n", encoding="utf-8")
    assert warm.compile().suffix == ".bin"


def test_version_is_that_of_the_content(warm, lexicons, tmp_path):
    """Not of how it was compiled: two replicas say the same of the same files."""
    change(lexicons)
    hot = load_compiled(warm.compile()).version
    assert hot == load_compiled(compile_lexicons(lexicons, tmp_path / "other")).version


# --- several processes that begin at the same time ------------------------------------------------


@pytest.fixture
def waits(monkeypatch):
    """Ends those waits for another process that come after the first, and tells of the first."""
    waiting = threading.Event()
    monkeypatch.setattr(turns, "sleep", lambda _: waiting.set())
    return waiting


def test_who_comes_second_takes_what_the_first_made(lexicons, tmp_path, waits, read_anew):
    """And compiles nothing itself."""
    made = compile_lexicons(lexicons, tmp_path / "first")
    read_anew.clear()
    expected = tmp_path / "out" / made.name
    with ThreadPoolExecutor(1) as second:
        with turns.in_turn(expected):
            path = second.submit(compile_lexicons, lexicons, tmp_path / "out")
            assert waits.wait(60)
            shutil.copy(made, expected)
        assert (path.result(60), read_anew, expected.read_bytes() == made.read_bytes()) == (expected, [], True)
    assert list((tmp_path / "out").glob("*.lock")) == []


def test_who_was_killed_holds_nobody_up(lexicons, tmp_path, waits):
    """The lock is the kernel's; the file that is left is taken over, and deleted."""
    expected = tmp_path / "out" / compile_lexicons(lexicons, tmp_path / "first").name
    with subprocess.Popen([sys.executable, "-c", HOLD, expected], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holding:
        holding.stdout.readline()
        holding.kill()
    assert [path.suffix for path in expected.parent.iterdir()] == [".lock"]
    assert (compile_lexicons(lexicons, tmp_path / "out"), waits.is_set()) == (expected, False)
    assert list(expected.parent.glob("*.lock")) == []


def test_who_does_not_end_is_not_waited_for_without_end(lexicons, tmp_path, waits, monkeypatch):
    """Then both make the same."""
    monkeypatch.setattr(turns, "PATIENCE", 0.5)
    expected = tmp_path / "out" / compile_lexicons(lexicons, tmp_path / "first").name
    with turns.in_turn(expected):
        assert (compile_lexicons(lexicons, tmp_path / "out"), waits.is_set()) == (expected, True)


def test_without_locks_it_is_compiled_all_the_same(lexicons, tmp_path, monkeypatch):
    """Some network file systems have none."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(turns.fcntl, "flock", refuse)
    assert compile_lexicons(lexicons, tmp_path / "out").exists()


def test_what_is_there_is_found_in_a_cache_that_cannot_be_written(lexicons, tmp_path, monkeypatch):
    """As in an image, whose cache was filled when it was built; no lock is asked for."""
    made = compile_lexicons(lexicons, tmp_path / "out")

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(turns.os, "open", refuse)
    assert compile_lexicons(lexicons, tmp_path / "out") == made


@pytest.mark.parametrize("suffix", [".bin", ".delta"])
def test_damaged_file_is_refused(warm, lexicons, suffix):
    """Not half loaded."""
    base = warm.compile()
    change(lexicons)
    damaged = {".bin": base, ".delta": warm.compile()}[suffix]
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(LexiconError, match="damaged"):
        load_compiled(damaged)


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


def test_cache_that_cannot_be_written_is_served_from(warm, lexicons, tmp_path, monkeypatch):
    """Such as an image's, on a root file system that is read-only."""

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for owner, name in ((os, "utime"), (os, "open"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, refuse)
    again = Compiler(lexicons, tmp_path / "out")
    assert again.compile() == warm.compile()
    again.finish()


def test_old_files_are_pruned_but_what_others_rest_on(warm, lexicons, tmp_path):
    """The last few stay, for a change that is taken back."""
    base = warm.compile()
    os.utime(base, (0, 0))
    for number in range(8):
        (lexicons / "VERSION").write_text(f"1.0.{number}\n", encoding="utf-8")
        (tmp_path / "out" / f"lexicon-{number:016}.bin").touch()
        last = warm.compile()
        warm.finish()
    kept = {suffix: len(list((tmp_path / "out").glob(f"lexicon-*{suffix}"))) for suffix in (".bin", ".delta")}
    assert (kept, last.exists(), base.exists()) == ({".bin": 4, ".delta": 4}, True, True)


def imported_by(module):
    """Modules of ours that a module imports, with the packages they are in."""
    tree = ast.parse((code.PACKAGE / module).read_text(encoding="utf-8"))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wildgate_service.")]
    for node in names:
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
            path = Path(*name.split(".")[1:])
            yield from (str(each) for each in (path.with_suffix(".py"), path / "__init__.py") if (code.PACKAGE / each).exists())


def test_objects_are_made_anew_when_what_makes_them_changes():
    """All modules that they import, directly or not, are among those that the name of the file of objects depends on."""
    needed, new = set(), {"lexicon/objects.py"}
    while new:
        needed |= new
        new = {each for module in new for each in imported_by(module)} - needed
    listed = {module for module in needed for name in code.OF_OBJECTS if module == name or module.startswith(f"{name}/")}
    unneeded = {name for name in code.OF_OBJECTS if not any(module == name or module.startswith(f"{name}/") for module in needed)}
    assert (needed - listed, unneeded) == (set(), set())


def test_compiled_files_are_their_owners_alone(warm, lexicons, tmp_path):
    """Packs are restricted, and deltas hold their words too."""
    change(lexicons)
    warm.compile()
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
