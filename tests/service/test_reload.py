"""Reload: all workers serve the new lexicon, or all keep the old one and the error says where."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from threading import Event
from types import SimpleNamespace

import grpc
import pytest
from wildgate.v1 import lexicon_pb2, scoring_pb2, types_pb2
from wildgate_service import reload, worker
from wildgate_service.admission import Admission
from wildgate_service.control import Broken, Channel, Load
from wildgate_service.lexicon.compiler import Compiler
from wildgate_service.pipeline import load_engine
from wildgate_service.reload import CompilerProcess, with_lexicon
from wildgate_service.rpc import Serving
from wildgate_service.settings import load_settings
from wildgate_service.worker import Worker

RELOAD = lexicon_pb2.ReloadLexiconRequest()
CONNECTIONS = 12  # with two workers, all on one of them once in two thousand runs


def found(stubs, title):
    """Whether a rule fired."""
    wanted = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title=title))
    return len(stubs.scoring.ScoreListing(wanted).decision.matches) > 0


@pytest.fixture
def two_workers(start_small, connect):
    """A service of two workers, and connections that reach both."""
    service = start_small(workers=2)
    return service, [connect(service) for _ in range(CONNECTIONS)]


def test_reload_serves_the_new_form_on_every_worker(two_workers, rewrite_lexicon):
    """When the RPC has answered, no worker knows only the old lexicon."""
    _, stubs = two_workers
    rewrite_lexicon("carved molar", version="1.1.0")
    answer = stubs[0].lexicon.ReloadLexicon(RELOAD)
    known = {found(each, "carved molar") for each in stubs}
    assert (answer.lexicon_version[:6], answer.workers_serving, list(answer.workers_failed), known) == (
        "1.1.0+",
        2,
        [],
        {True},
    )


def test_broken_lexicon_changes_nothing_and_says_where(two_workers, break_lexicon, error_of):
    """File and line are in the error, and the old lexicon serves on."""
    _, stubs = two_workers
    break_lexicon()
    error = error_of(stubs[0].lexicon.ReloadLexicon, RELOAD)
    expected = {"file": "rules/en/broken.yml", "line": "1"}
    assert error == (grpc.StatusCode.FAILED_PRECONDITION, "LEXICON_INVALID", expected)
    assert {found(each, "elephant tusk") for each in stubs} == {True}


def test_mended_lexicon_can_be_reloaded(start_small, connect, break_lexicon, rewrite_lexicon, error_of):
    """A broken one leaves nothing behind."""
    stubs = connect(start_small())
    broken = break_lexicon()
    error_of(stubs.lexicon.ReloadLexicon, RELOAD)
    broken.unlink()
    rewrite_lexicon("carved molar", version="1.1.0")
    assert stubs.lexicon.ReloadLexicon(RELOAD).lexicon_version.startswith("1.1.0+")


def test_hangup_reloads(start_small, connect, rewrite_lexicon):
    """SIGHUP does what the RPC does, and the log tells."""
    service = start_small()
    rewrite_lexicon("carved molar", version="1.1.0")
    service.process.send_signal(signal.SIGHUP)
    service.wait_for("reloaded", serving=1)
    assert found(connect(service), "carved molar")


def test_broken_lexicon_on_hangup_is_logged_with_its_place(start_small, break_lexicon):
    """Nobody waits for an answer, so the log says it."""
    service = start_small()
    break_lexicon()
    service.process.send_signal(signal.SIGHUP)
    logged = service.wait_for("reload_refused")
    assert (logged["file"], logged["line"]) == ("rules/en/broken.yml", 1)


def test_worker_that_was_restarted_serves_the_new_lexicon(start_small, connect, rewrite_lexicon):
    """Though it is forked from a supervisor that started with the old one."""
    service = start_small()
    rewrite_lexicon("carved molar", version="1.1.0")
    connect(service).lexicon.ReloadLexicon(RELOAD)
    service.kill("worker-0")
    service.wait_for("worker_ready", 2)
    assert found(connect(service), "carved molar")


def test_policy_is_reloaded_too(start_small, connect, policy_file):
    """Its version is in the next answers."""
    service = start_small(policy=str(policy_file("1.0.0")))
    stubs = connect(service)
    policy_file("2.0.0")
    stubs.lexicon.ReloadLexicon(RELOAD)
    wanted = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="t"))
    assert stubs.scoring.ScoreListing(wanted).decision.policy_version == "2.0.0"


def test_broken_policy_changes_nothing(start_small, connect, policy_file, error_of):
    """It is read before any worker is told."""
    path = policy_file("1.0.0")
    stubs = connect(start_small(policy=str(path)))
    path.write_text("version = 3", encoding="utf-8")
    code, reason, metadata = error_of(stubs.lexicon.ReloadLexicon, RELOAD)
    expected = (grpc.StatusCode.FAILED_PRECONDITION, "LEXICON_INVALID", str(path))
    assert (code, reason, metadata["file"]) == expected


@pytest.fixture
def policy_file(tmp_path):
    """Write the policy that came with the service under another version; returns the file."""
    from wildgate_service.policy import default_policy  # noqa: PLC0415

    def write(version):
        lines = default_policy().read_text(encoding="utf-8").splitlines(keepends=True)
        changed = [f'version = "{version}"\n' if line.startswith("version") else line for line in lines]
        path = tmp_path / "policy.toml"
        path.write_text("".join(changed), encoding="utf-8")
        return path

    return write


async def test_reload_whose_compiler_dies_is_answered(monkeypatch):
    """Who asked must not wait for ever."""
    settings = load_settings(environment={}, options={"store": "none"}).settings
    monkeypatch.setattr(reload, "run_compiler", lambda *_: os._exit(3))
    compiler = CompilerProcess(settings, set(), lambda _: None)
    compiler.start()
    result = await compiler.compile()
    await compiler.stop()
    assert isinstance(result, Broken)


def test_compiler_that_was_killed_is_started_anew(start_small, connect, rewrite_lexicon):
    """And the next reload works."""
    service = start_small()
    service.kill("compiler")
    service.wait_for("process_started", 2, name="compiler")
    rewrite_lexicon("carved molar", version="1.1.0")
    assert connect(service).lexicon.ReloadLexicon(RELOAD).lexicon_version.startswith("1.1.0+")


async def test_lexicons_are_swapped_in_the_order_told(monkeypatch):
    """The first takes longer to load than the second, and must not win."""
    settings = load_settings(environment={}, options={"store": "none"}).settings
    second_loaded = Event()

    def load(_, lexicon):
        if lexicon.name == "first":
            second_loaded.wait(0.2)
        else:
            second_loaded.set()
        return engine_of(lexicon.name)

    monkeypatch.setattr(Worker, "_load", load)
    monkeypatch.setattr(worker, "release_beside", lambda retired, _: retired.clear())
    made = Worker(SimpleNamespace(settings=settings))
    made._serving = Serving(
        settings=settings,
        engine=engine_of("before"),
        writer=None,
        secrets=None,
        admission=Admission(settings.longest_wait, settings.max_in_flight),
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        made._channel = await Channel.over(ours)
        await asyncio.gather(made._swap(Load(1, "first")), made._swap(Load(2, "second")))
        made._channel.close()
    assert made._serving.engine.lexicon.version == "second"


def engine_of(version):
    return SimpleNamespace(lexicon=SimpleNamespace(version=version))


def test_changed_rule_is_laid_over_what_the_process_was_forked_with(lexicons, rewrite_lexicon, tmp_path):
    """Whose memory all processes share; again and again, and the lexicon in between is held by nobody."""
    compiler = Compiler(lexicons, tmp_path / "out")
    engine = first = load_engine(compiler.compile())
    for version in ("1.1.0", "1.2.0"):
        rewrite_lexicon("carved molar", version=version)
        engine = with_lexicon(engine, compiler.compile(), None)
    assert (engine.versions.lexicon[:6], engine.lexicon.below) == ("1.2.0+", first.lexicon)


def test_delta_of_another_base_brings_its_base_along(lexicons, rewrite_lexicon, tmp_path):
    """A process that missed a base is served all the same."""
    engine = load_engine(Compiler(lexicons, tmp_path / "out").compile())
    rewrite_lexicon("carved molar", version="1.1.0")
    compiler = Compiler(lexicons, tmp_path / "other")
    compiler.compile()
    rewrite_lexicon("carved premolar", version="1.2.0")
    other = with_lexicon(engine, compiler.compile(), None).lexicon
    assert (other.version[:6], other.base.version[:6]) == ("1.2.0+", "1.1.0+")
