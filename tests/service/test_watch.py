"""The file watch: what changes on disk is served without being asked for, and what is broken is told and forgotten when it is mended."""

from __future__ import annotations

import shutil
import signal

import pytest
from wildgate.v1 import scoring_pb2, types_pb2

CONNECTIONS = 12  # with two workers, all on one of them once in two thousand runs


def found(stubs, title):
    """Whether a rule fired."""
    wanted = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title=title))
    return len(stubs.scoring.ScoreListing(wanted).decision.matches) > 0


def test_changed_file_is_served_by_every_worker(start_small, connect, rewrite_lexicon):
    """Nobody asks for a reload."""
    service = start_small(workers=2)
    stubs = [connect(service) for _ in range(CONNECTIONS)]
    rewrite_lexicon("carved molar", version="1.1.0")
    service.wait_for("reloaded", serving=2)
    assert {found(each, "carved molar") for each in stubs} == {True}


def test_added_and_deleted_files_count(start_small, connect, lexicons, until):
    """Not only those that were there."""
    service = start_small()
    stubs = connect(service)
    added = lexicons / "rules" / "en" / "more.yml"
    text = (lexicons / "rules" / "en" / "ivory.yml").read_text(encoding="utf-8")
    added.write_text(text.replace("en-elephant", "en-more").replace("elephant tusk", "carved molar"), encoding="utf-8")
    until(lambda: found(stubs, "carved molar"), "the added file")
    added.unlink()
    until(lambda: not found(stubs, "carved molar"), "the deleted file")


def test_swapped_link_counts(start_small, connect, lexicons, until, tmp_path):
    """As Kubernetes changes a volume: a link to the folder of the files is put in the place of another."""
    for name, form in (("first", "carved molar"), ("second", "carved premolar")):
        shutil.copytree(lexicons / "rules" / "en", tmp_path / name)
        file = tmp_path / name / "ivory.yml"
        file.write_text(file.read_text(encoding="utf-8").replace("elephant tusk", form), encoding="utf-8")
    shutil.rmtree(lexicons / "rules" / "en")
    (lexicons / "rules" / "en").symlink_to(tmp_path / "first")
    stubs = connect(start_small())
    (tmp_path / "link").symlink_to(tmp_path / "second")
    (tmp_path / "link").replace(lexicons / "rules" / "en")
    until(lambda: found(stubs, "carved premolar"), "the other folder")


def test_policy_is_watched_too(start_small, connect, until, tmp_path):
    """Its version is in the next answers."""
    from wildgate_service.policy import default_policy  # noqa: PLC0415

    policy = tmp_path / "policy.toml"
    shutil.copy(default_policy(), policy)
    stubs = connect(start_small(policy=str(policy)))
    policy.write_text(policy.read_text(encoding="utf-8").replace('version = "', 'version = "9', 1), encoding="utf-8")
    wanted = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="t"))
    until(lambda: stubs.scoring.ScoreListing(wanted).decision.policy_version.startswith("9"), "the new policy")


def test_files_of_editors_are_none_of_ours(start_small, connect, lexicons, rewrite_lexicon):
    """Emacs keeps a dangling link beside what it edits, vim a file of bytes."""
    folder = lexicons / "rules" / "en"
    (folder / ".#ivory.yml").symlink_to("nobody@nowhere")
    (folder / ".ivory.yml.swp").write_bytes(b"\0")
    service = start_small()
    rewrite_lexicon("carved molar", version="1.1.0")
    service.wait_for("reloaded", serving=1)
    assert found(connect(service), "carved molar")


def test_watch_can_be_switched_off(start_small, connect, rewrite_lexicon):
    """Then only what asks reloads: the second of two changes is served, and the first never was."""
    service = start_small(lexicon_watch=False)
    stubs = connect(service)
    rewrite_lexicon("carved molar", version="1.1.0")
    service.process.send_signal(signal.SIGHUP)
    service.wait_for("reloaded")
    rewrite_lexicon("carved premolar", version="1.2.0")
    assert (found(stubs, "carved molar"), found(stubs, "carved premolar"), len(service.events("reloaded"))) == (True, False, 1)


def broken_yaml(lexicons):
    (lexicons / "rules" / "en" / "ivory.yml").write_text("- id: a\n  title: [\n", encoding="utf-8")


def half_written(lexicons):
    file = lexicons / "rules" / "en" / "ivory.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: len(text) // 2], encoding="utf-8")


def empty(lexicons):
    (lexicons / "rules" / "en" / "ivory.yml").write_text("", encoding="utf-8")


def unknown_taxon(lexicons):
    file = lexicons / "rules" / "en" / "ivory.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("- elephant\n", "- unicorn\n"), encoding="utf-8")


def folds_to_nothing(lexicons):
    file = lexicons / "rules" / "en" / "ivory.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("form: elephant tusk", 'form: "\\u200b"'), encoding="utf-8")


def not_utf8(lexicons):
    (lexicons / "rules" / "en" / "ivory.yml").write_bytes(b"- id: \xff\n")


def unreadable(lexicons):
    file = lexicons / "rules" / "en" / "ivory.yml"
    file.unlink()
    file.symlink_to("nowhere")


def id_twice(lexicons):
    folder = lexicons / "rules" / "en"
    shutil.copy(folder / "ivory.yml", folder / "zz.yml")


BREAKAGES = [broken_yaml, half_written, empty, unknown_taxon, folds_to_nothing, not_utf8, unreadable, id_twice]


@pytest.mark.parametrize("damage", BREAKAGES, ids=lambda damage: damage.__name__)
def test_broken_file_is_told_with_its_place_and_mends(start_small, connect, lexicons, damage):
    """The old lexicon serves on meanwhile, and nobody has to ask for the mended one."""
    service = start_small()
    stubs = connect(service)
    shutil.copytree(lexicons / "rules", lexicons / "kept")
    damage(lexicons)
    told = service.wait_for("reload_refused")
    assert (told["file"] in {"rules/en/ivory.yml", "rules/en/zz.yml"}, told["line"] > 0, found(stubs, "elephant tusk")) == (
        True,
        True,
        True,
    )
    shutil.rmtree(lexicons / "rules")
    (lexicons / "kept").replace(lexicons / "rules")
    service.wait_for("reload_mended")
    assert found(stubs, "elephant tusk")
