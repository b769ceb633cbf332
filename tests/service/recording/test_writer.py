"""Workers record through the writer process: a real process, a real socket, a real store."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3

import pytest
from wildgate_service.errors import RequestReusedError, StoreError
from wildgate_service.record import make_entry
from wildgate_service.store import DecisionNotFoundError, OutcomeRecorded, open_store, path_of
from wildgate_service.types import Action, Evidence, Listing
from wildgate_service.writer import WriterClient, WriterOverloadedError

from .conftest import run_sql


@pytest.fixture
async def client(writer):
    async with WriterClient(writer.path) as made:
        yield made


def recorded_ids(url):
    """The decisions that another process finds in the file."""
    return {row[0] for row in run_sql(url, "SELECT decision_id FROM decisions")}


async def test_a_record_is_in_the_store_when_the_call_returns(client, samples, url):
    """That is what an answer promises."""
    record = samples.record(Action.BLOCK)
    recorded = await client.record(record)
    assert (recorded.record, recorded.repeated, recorded.receipt.position) == (record, False, 1)
    assert recorded_ids(url) == {record.decision_id}


async def test_many_records_at_once_are_each_answered_with_their_own_place(client, samples, url):
    """Whatever groups they fell into; and the chain holds."""
    records = [samples.record() for _ in range(300)]
    results = await asyncio.gather(*map(client.record, records))
    assert [result.record for result in results] == records
    assert sorted(result.receipt.position for result in results) == list(range(1, 301))
    with open_store(url, read_only=True) as store:
        assert store.verify([result.receipt for result in results]).intact


async def test_several_workers_share_one_log(writer, samples, url):
    """Each has a connection of its own."""
    clients = [WriterClient(writer.path) for _ in range(3)]
    results = await asyncio.gather(*(client.record(samples.record()) for client in clients for _ in range(20)))
    for client in clients:
        client.close()
    assert len({result.receipt.position for result in results}) == len(recorded_ids(url)) == 60


async def test_a_repeat_gets_the_recorded_answer(client, samples):
    """The earlier record and its receipt."""
    first = await client.record(samples.record(Action.BLOCK, request_id="r-1"))
    second = await client.record(samples.record(Action.ALLOW, request_id="r-1"))
    assert (second.record, second.receipt, second.repeated) == (first.record, first.receipt, True)


async def test_a_request_id_used_for_another_text_is_refused(client, samples):
    """By its own error, while its neighbors are recorded."""
    await client.record(samples.record(request_id="r-1"))
    other = samples.record(request_id="r-1", listing=Listing(title="something else"))
    refused, fine = await asyncio.gather(client.record(other), client.record(samples.record()), return_exceptions=True)
    assert (type(refused), fine.receipt.position) == (RequestReusedError, 2)


async def test_outcomes_are_recorded_each_with_its_own_result(client, samples):
    """A duplicate, an unknown decision and a new one in one call."""
    recorded = await client.record(samples.record())
    known = samples.outcome(decision_id=recorded.record.decision_id)
    unknown = samples.outcome(decision_id=samples.uuid())
    first, second, error = await client.record_outcomes([known, known, unknown])
    assert [first, second] == [
        OutcomeRecorded(known.outcome_id, duplicate=False),
        OutcomeRecorded(known.outcome_id, duplicate=True),
    ]
    assert isinstance(error, DecisionNotFoundError)


async def test_a_record_larger_than_a_read_arrives_whole(client, samples):
    """Frames are put together again, on both sides."""
    evidence = tuple(Evidence(f"feature-{number}", 0.5) for number in range(20_000))
    record = samples.record(decision=samples.decision(evidence=evidence))
    await client.record(record)
    repeat = await client.record(samples.record(request_id=record.request_id))
    assert repeat.record == record


async def test_a_call_given_up_does_not_disturb_the_others(client, samples):
    """A deadline passes while the record is on its way."""
    given_up = asyncio.ensure_future(client.record(samples.record()))
    await asyncio.sleep(0)
    given_up.cancel()
    assert (await client.record(samples.record())).record.tenant == "acme"


async def test_nothing_answered_is_lost_when_the_writer_is_killed(writer, samples, url):
    """Killed and restarted under load: every call is answered, truly, and recorded once."""
    async with WriterClient(writer.path, patience=20) as client:
        answered = []

        async def record_many():
            for _ in range(60):
                answered.append(await client.record(samples.record()))  # noqa: PERF401  (watched)

        work = asyncio.gather(*(record_many() for _ in range(8)))
        for kill in range(1, 4):
            while len(answered) < 100 * kill:  # noqa: ASYNC110  (killed in full flight)
                await asyncio.sleep(0)
            assert writer.stop(signal.SIGKILL) == -signal.SIGKILL
            seen = {result.record.decision_id for result in answered}
            assert seen <= recorded_ids(url)
            writer.start()
        await work
    assert {result.record.decision_id for result in answered} == recorded_ids(url)
    assert len(answered) == 480
    assert not any(result.repeated for result in answered)
    with open_store(url, read_only=True) as store:
        assert store.verify([result.receipt for result in answered]).intact


async def test_a_writer_that_stays_away_fails_the_calls(tmp_path, samples):
    """After the patience, not at once and not never."""
    async with WriterClient(str(tmp_path / "none"), patience=0.05) as client:
        with pytest.raises(StoreError, match="the writer did not answer in time"):
            await client.record(samples.record())


async def test_a_client_recovers_after_the_writer_stayed_away(writer, samples):
    """Its socket takes connections all the while, and nobody answers; then somebody does again."""
    async with WriterClient(writer.path, patience=0.5) as client:
        await client.record(samples.record())
        writer.stop(signal.SIGKILL)
        with pytest.raises(StoreError, match="did not answer in time"):
            await client.record(samples.record())
        writer.start()
        while True:
            try:
                recorded = await client.record(samples.record())
                break
            except StoreError:
                continue
    assert recorded.record.tenant == "acme"


async def test_too_many_waiting_calls_are_refused_at_once(tmp_path, samples):
    """A queue without end would only make all of them late."""
    client = WriterClient(str(tmp_path / "none"), max_pending=2)
    waiting = [asyncio.ensure_future(client.record(samples.record())) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(WriterOverloadedError, match="overloaded: 2 records wait"):
        await client.record(samples.record())
    client.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [StoreError, StoreError]


async def test_a_closed_client_refuses(writer, samples):
    """Rather than wait for ever."""
    client = WriterClient(writer.path)
    await client.record(samples.record())
    client.close()
    with pytest.raises(StoreError, match="closed"):
        await client.record(samples.record())


@pytest.mark.usefixtures("of_files")
async def test_a_store_that_fails_is_reported_and_used_again_when_it_works(client, samples, url):
    """Here another process holds a lock; the writer stays alive meanwhile."""
    await client.record(samples.record())
    lock = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="is locked by another process"):
        await client.record(samples.record())
    lock.execute("ROLLBACK")
    lock.close()
    assert (await client.record(samples.record())).receipt.position == 2


async def test_nonsense_on_the_socket_costs_that_connection_alone(writer, client, samples):
    """The writer closes it and serves the others."""
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(writer.path)
        stranger.sendall(b"\x00\x00\x00\x04nope")
        stranger.settimeout(10)
        assert await asyncio.to_thread(stranger.recv, 1) == b""
    assert (await client.record(samples.record())).receipt.position == 1


async def test_a_terminated_writer_answers_what_has_arrived_and_ends_well(writer, samples, url):
    """Exit code 0, and nothing that was answered is missing."""
    async with WriterClient(writer.path) as client:
        results = await asyncio.gather(*(client.record(samples.record()) for _ in range(50)))
        assert await asyncio.to_thread(writer.stop) == 0
    assert recorded_ids(url) == {result.record.decision_id for result in results}


@pytest.mark.usefixtures("of_files")
async def test_a_store_deleted_in_use_refuses_until_it_is_restored(client, samples, url):
    """What went to the old file would be lost, so nothing is answered; and no new file is made instead."""
    await client.record(samples.record())
    path = path_of(url)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(StoreError, match="was deleted or replaced in use"):
        await client.record(samples.record())
    with pytest.raises(StoreError, match="there is no store"):
        await client.record(samples.record())
    path.with_suffix(".away").rename(path)
    assert (await client.record(samples.record())).receipt.position == 2


@pytest.mark.usefixtures("of_files")
async def test_a_store_replaced_in_use_is_noticed(client, samples, url, fresh_url):
    """The first call after it is refused; those that follow are recorded in what is there now."""
    await client.record(samples.record())
    other = fresh_url()
    open_store(other).close()
    path_of(other).rename(path_of(url))
    with pytest.raises(StoreError, match="was deleted or replaced in use"):
        await client.record(samples.record())
    record = samples.record()
    await client.record(record)
    assert recorded_ids(url) == {record.decision_id}


@pytest.mark.usefixtures("of_files")
async def test_the_successor_of_a_writer_makes_no_new_store(writer, client, samples, url):
    """A file that vanished while no writer ran is missed too."""
    await client.record(samples.record())
    writer.stop(signal.SIGKILL)
    path_of(url).unlink()
    writer.start()
    with pytest.raises(StoreError, match="there is no store"):
        await client.record(samples.record())


async def test_a_writer_that_hangs_costs_no_memory_without_end(writer, samples):
    """Calls that were given up are not kept for it; and it is used again when it wakes."""
    evidence = tuple(Evidence(f"feature-{number}", 0.5) for number in range(20_000))
    decision = samples.decision(evidence=evidence)
    size = len(make_entry(samples.record(decision=decision)).payload)
    async with WriterClient(writer.path, patience=0.05) as client:
        os.kill(writer.process.pid, signal.SIGSTOP)
        for _ in range(10):
            with pytest.raises(StoreError, match="did not answer in time"):
                await client.record(samples.record(decision=decision))
        buffered, unsent = client._transport.get_write_buffer_size(), len(client._unsent)
        os.kill(writer.process.pid, signal.SIGCONT)
        while True:
            try:
                recorded = await client.record(samples.record())
                break
            except StoreError:
                continue
    assert (buffered < 2 * size, unsent, recorded.record.tenant) == (True, 0, "acme")
