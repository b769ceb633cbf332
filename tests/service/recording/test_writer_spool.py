"""Workers record while the store cannot be written: a real writer, a real spool, a store locked, gone or slow."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager, nullcontext

import pytest
from structlog.testing import capture_logs
from wildgate_service.errors import RequestReusedError, StoreError
from wildgate_service.record import make_entry
from wildgate_service.store import DecisionNotFoundError, open_store, path_of
from wildgate_service.types import Action, Listing
from wildgate_service.writer import Recording, WriterClient
from wildgate_service.writer import _keeper as keeper_module
from wildgate_service.writer._recorder import Recorder, Spooled
from wildgate_service.writer._spool import Group

PATIENCE = 0.2
HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """What is tested is about files."""
    return fresh_file_url


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "wildgate.spool"


@pytest.fixture
def spooling_writer(start_writer, spool):
    """A writer that spools."""
    return start_writer(on_failure="spool", spool=spool, patience=PATIENCE)


@pytest.fixture
async def client(spooling_writer):
    async with WriterClient(spooling_writer.path, patience=20) as made:
        yield made


@contextmanager
def locked(url):
    """Another process's lock, for as long as this lasts."""
    with subprocess.Popen([sys.executable, "-c", HOLD_LOCK, path_of(url)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            other.kill()  # a writer that was started meanwhile holds the other end of its pipe


async def replayed(client):
    """Wait until the spool is empty; how the writer stands then."""
    while (state := await client.state()).spool_records:  # noqa: ASYNC110  (another process empties it)
        await asyncio.sleep(0.01)
    return state


@asynccontextmanager
async def connected(writer):
    async with WriterClient(writer.path, patience=20) as made:
        yield made


def stored(url):
    """Positions by decision, of a log that holds."""
    with open_store(url, read_only=True) as store:
        assert store.verify().problem == ""
    connection = sqlite3.connect(path_of(url))
    try:
        return dict(connection.execute("SELECT decision_id, position FROM decisions ORDER BY position"))
    finally:
        connection.close()


async def test_a_spooled_decision_has_no_receipt_and_says_so(client, samples, url):
    """It is not in the log yet, and nothing is claimed of it."""
    with locked(url):
        recorded = await client.record(samples.record(Action.BLOCK))
    assert (recorded.receipt, recorded.repeated) == (None, False)
    assert recorded.record.decision.degraded_reasons == ("recorded_late",)


async def test_what_was_spooled_is_recorded_before_what_is_newer(client, samples, url):
    """Once, in order, when the store can be written again."""
    first = await client.record(samples.record())
    with locked(url):
        late = [await client.record(samples.record()) for _ in range(3)]
    newer = await client.record(samples.record())
    await replayed(client)
    newest = await client.record(samples.record())
    order = [first, *late, newer, newest]
    assert stored(url) == {each.record.decision_id: position for position, each in enumerate(order, 1)}
    assert newest.receipt.position == 6


async def test_reports_count_decisions_that_were_recorded_late(client, samples, url):
    """As a degraded reason, which the log commits to."""
    with locked(url):
        await client.record(samples.record())
    await replayed(client)
    with open_store(url, read_only=True) as store:
        facts = store.report_facts(samples.noon.date(), samples.noon.date())
    assert [counted.facets.degraded_reasons for counted in facts.decisions] == [("recorded_late",)]


async def test_a_repeat_gets_the_spooled_answer_also_after_a_kill(spooling_writer, samples, url):
    """One decision for one request, wherever it waits."""
    async with connected(spooling_writer) as client:
        with locked(url):
            first = await client.record(samples.record(request_id="r-1"))
            second = await client.record(samples.record(Action.BLOCK, request_id="r-1"))
            spooling_writer.stop(signal.SIGKILL)
            spooling_writer.start()
            third = await client.record(samples.record(Action.BLOCK, request_id="r-1"))
        assert [second.record, third.record] == [first.record] * 2
        assert [first.repeated, second.repeated, third.repeated] == [False, True, True]
        await replayed(client)
    assert stored(url) == {first.record.decision_id: 1}


async def test_a_request_id_used_for_another_listing_is_refused(client, samples, url):
    """In the spool as in the store."""
    with locked(url):
        await client.record(samples.record(request_id="r-1"))
        with pytest.raises(RequestReusedError):
            await client.record(samples.record(request_id="r-1", listing=Listing(title="something else")))


async def test_the_same_request_twice_in_one_group_is_one_decision(client, samples, url):
    """Two attempts that arrive together."""
    with locked(url):
        ones = [samples.record(request_id="r-1") for _ in range(2)]
        results = await asyncio.gather(*map(client.record, ones))
    assert len({result.record.decision_id for result in results}) == 1
    await replayed(client)
    assert len(stored(url)) == 1


async def test_the_earlier_record_stands_and_outcomes_find_it(client, samples, url):
    """The store had a decision on it that nobody could see: the later one gives way, and what is told of it is told of the first."""
    first = await client.record(samples.record(request_id="r-1"))
    with locked(url):
        late = await client.record(samples.record(request_id="r-1"))
        spooled = samples.outcome(decision_id=late.record.decision_id)
        await client.record_outcomes([spooled])
    state = await replayed(client)
    after = samples.outcome(decision_id=late.record.decision_id)
    await client.record_outcomes([after])
    assert (stored(url), state.superseded, state.rejected) == ({first.record.decision_id: 1}, 1, 0)
    connection = sqlite3.connect(path_of(url))
    about = dict(connection.execute("SELECT outcome_id, decision_id FROM outcomes"))
    connection.close()
    assert about == dict.fromkeys((spooled.outcome_id, after.outcome_id), first.record.decision_id)


async def test_outcomes_are_spooled_and_unknown_ones_counted(client, samples, url):
    """Whether a decision is the tenant's can only be seen in the store."""
    recorded = await client.record(samples.record())
    with locked(url):
        known = samples.outcome(decision_id=recorded.record.decision_id)
        unknown = samples.outcome(decision_id=samples.uuid())
        assert [each.duplicate for each in await client.record_outcomes([known, unknown])] == [False, False]
    state = await replayed(client)
    assert (state.rejected, state.late) == (1, 2)
    again, error = await client.record_outcomes([known, unknown])
    assert (again.duplicate, type(error)) == (True, DecisionNotFoundError)


async def test_a_store_that_is_gone_is_spooled_for_until_it_is_back(client, samples, url):
    """Moved away in use, and put back."""
    first = await client.record(samples.record())
    path = path_of(url)
    path.rename(path.with_suffix(".away"))
    late = [await client.record(samples.record()) for _ in range(3)]
    path.with_suffix(".away").rename(path)
    await replayed(client)
    assert list(stored(url)) == [each.record.decision_id for each in (first, *late)]


async def test_the_state_says_what_waits_and_whether_the_store_can_be_used(client, samples, url, spool):
    """For metrics and health."""
    await client.record(samples.record())
    before = await client.state()
    with locked(url):
        await asyncio.gather(*(client.record(samples.record()) for _ in range(3)))
        during = await client.state()
        assert during.spool_bytes == spool.stat().st_size - 8
    after = await replayed(client)
    assert [(each.usable, each.spool_records, each.late) for each in (before, during, after)] == [(True, 0, 0), (False, 3, 3), (True, 0, 3)]
    assert (before.spools, during.spools) == (True, True)


async def test_a_full_spool_refuses(start_writer, samples, url, spool):
    """And nothing that was answered before is lost."""
    writer = start_writer(on_failure="spool", spool=spool, spool_max_bytes=1 << 16, patience=PATIENCE)
    answered = []
    async with connected(writer) as client:
        with locked(url), pytest.raises(StoreError, match="is full"):  # noqa: PT012  (some of the calls go well)
            for _ in range(200):
                answered.append((await client.record(samples.record())).record.decision_id)  # noqa: PERF401  (kept when it raises)
        await replayed(client)
    assert list(stored(url)) == answered


async def test_a_writer_that_refuses_still_brings_in_what_was_spooled_before(start_writer, samples, url, spool):
    """The setting was changed with something in the spool."""
    writer = start_writer(on_failure="spool", spool=spool, patience=PATIENCE)
    async with connected(writer) as client:
        with locked(url):
            late = await client.record(samples.record())
            writer.stop()
    successor = start_writer(on_failure="refuse", spool=spool, patience=2.0)
    async with connected(successor) as client:
        await replayed(client)
        newer = await client.record(samples.record())
        with locked(url), pytest.raises(StoreError, match="is locked by another process"):
            await client.record(samples.record())
    assert stored(url) == {late.record.decision_id: 1, newer.record.decision_id: 2}


@pytest.mark.parametrize("durability", ["process", "disk"])
async def test_kills_while_spooling_and_replaying_lose_and_double_nothing(start_writer, samples, url, spool, durability):
    """Under load, with the store locked and free by turns: all that was answered is there once, and the log holds."""
    writer = start_writer(on_failure="spool", spool=spool, patience=PATIENCE, durability=durability)
    answered = {}
    async with connected(writer) as client:
        ending = asyncio.Event()

        async def record_many():
            while not ending.is_set():
                record = samples.record()
                answered[record.request_id] = (await client.record(record)).record.decision_id

        work = asyncio.gather(*(record_many() for _ in range(8)))
        for _ in range(3):
            with locked(url):
                await _more(answered, 60)
                writer.stop(signal.SIGKILL)
                writer.start()
                await _more(answered, 60)
            writer.stop(signal.SIGKILL)  # with the replay begun, or about to begin
            writer.start()
            await _more(answered, 60)
        ending.set()
        await work
        await replayed(client)
    assert sorted(stored(url)) == sorted(answered.values())
    connection = sqlite3.connect(path_of(url))
    assert dict(connection.execute("SELECT request_id, decision_id FROM decisions")) == answered
    connection.close()


async def _more(answered, count):
    """Wait until so many more are answered."""
    wanted = len(answered) + count
    while len(answered) < wanted:  # noqa: ASYNC110  (killed in full flight)
        await asyncio.sleep(0)


# --- what is on the disk when a call is answered ---------------------------------------------------


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize(("durability", "settled"), [("process", 0), ("disk", 1)])
@pytest.mark.parametrize("where", ["store", "spool"])
async def test_a_disk_has_it_before_the_answer_is_sent(start_writer, samples, url, spool, tmp_path, where, durability, settled):
    """An fsync of the store's WAL, or of the spool, before the writer sends; none where only kills are to be survived."""
    writer = start_writer(on_failure="spool", spool=spool, patience=PATIENCE, durability=durability)
    async with connected(writer) as client:
        await client.record(samples.record())
        with locked(url) if where == "spool" else nullcontext():
            if where == "spool":
                await client.record(samples.record())
            with traced(writer.process.pid, tmp_path / "trace"):
                await client.record(samples.record())
    file = spool if where == "spool" else path_of(url).with_name(f"{path_of(url).name}-wal")
    before, answer, _ = (tmp_path / "trace").read_text(encoding="utf-8").partition("sendto(")
    assert (before.count(f"<{file}>"), answer) == (settled, "sendto(")


@contextmanager
def traced(pid, output):
    """What the process asks the kernel to settle and to send, meanwhile."""
    command = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,sendto", "-p", str(pid), "-o", str(output)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
        while b"attached" not in tracer.stderr.readline():
            pass
        try:
            yield
        finally:
            tracer.terminate()
            tracer.communicate()


# --- a store that is slow or hangs -----------------------------------------------------------------


class Gate:
    """Stands before the store's appends and holds them up while it is shut."""

    def __init__(self):
        self.free = threading.Event()
        self.free.set()

    def open_store(self, *arguments, **options):
        """The real store, through the gate."""
        store = open_store(*arguments, **options)
        append = store.append_entries

        def append_when_free(entries):
            assert self.free.wait(60)
            return append(entries)

        store.append_entries = append_when_free
        return store


@pytest.fixture
def gate(monkeypatch):
    made = Gate()
    monkeypatch.setattr(keeper_module, "open_store", made.open_store)
    yield made
    made.free.set()


def test_a_defect_beside_the_loop_ends_the_writer(url, monkeypatch):
    """The supervisor then starts another; a thread that was gone would hold up everybody for ever."""

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(keeper_module, "open_store", broken)
    with pytest.raises(ZeroDivisionError), Recorder(url, Recording()):
        pass


def group_of(*records):
    return Group([make_entry(record) for record in records], [])


def drained(recorder):
    """Let the recorder do what it does between calls until nothing waits."""
    while (pause := recorder.pause) is not None:
        threading.Event().wait(min(pause, 0.01))
        recorder.tend()


@pytest.mark.usefixtures("store")
def test_a_commit_that_hangs_is_spooled_and_recorded_once(url, samples, spool, gate):
    """It may still come to pass, and the replay finds it; who comes meanwhile waits for nothing."""
    records = [samples.record() for _ in range(3)]
    with Recorder(url, Recording(on_failure="spool", spool=spool, patience=0.05)) as recorder:
        gate.free.clear()
        answers = [recorder.record(group_of(record)).places[0] for record in records]
        usable = recorder.state().usable
        gate.free.set()
        drained(recorder)
        assert (recorder.state().usable, recorder.state().spool_records) == (True, 0)
    assert ([type(answer) for answer in answers], usable) == ([Spooled] * 3, False)
    assert list(stored(url)) == [record.decision_id for record in records]


@pytest.mark.usefixtures("store")
def test_a_commit_that_hangs_is_refused_where_nothing_is_spooled(url, samples, gate):
    """At once for those who come while it hangs, and no longer once it is over."""
    with Recorder(url, Recording(patience=0.05)) as recorder:
        gate.free.clear()
        answers = [recorder.record(group_of(samples.record())).places[0] for _ in range(3)]
        gate.free.set()
        drained(recorder)
        fine = recorder.record(group_of(samples.record())).places[0]
    assert ["too slow or hangs" in str(answer) for answer in answers] == [True] * 3
    assert fine.position > 1  # the one that hung came to pass: one that failed may yet be recorded


def test_a_failure_that_goes_on_is_said_once_and_how_often_it_came_is_said_with_the_next(tmp_path):
    """A log that is written every second while the store is away would bury what else happens."""
    file = tmp_path / "gone.db"
    with capture_logs() as logged, keeper_module.StoreKeeper(f"sqlite:///{file}", "process", PATIENCE) as keeper:
        for _ in range(3):
            keeper.submit(Group([], []))
            assert isinstance(keeper.take(10), StoreError)
        file.mkdir()
        keeper.submit(Group([], []))
        assert isinstance(keeper.take(10), StoreError)
    said = {each["error"]: each["unsaid"] for each in logged if each["event"] == "store_failed"}
    assert list(said.values()) == [0, 2]
