"""Posts of a stream against the real service and a real broker, and against FastStream's own brokers in memory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager

import pytest

pytestmark = pytest.mark.stream
SECONDS = 120


def post(number: int) -> bytes:
    title = f"Elephant ivory bangle {number} for sale, DM me" if number % 10 == 0 else f"Blue bicycle {number}"
    return json.dumps({"id": str(number), "title": title}).encode()


@asynccontextmanager
async def jetstream(broker):
    """The streams, made if they are not there."""
    import nats  # noqa: PLC0415  (an extra)

    connection = await nats.connect(broker.url, max_reconnect_attempts=-1, reconnect_time_wait=0.2)
    try:
        found = connection.jetstream(timeout=10)
        for subject in ("posts", "decisions", "dead"):
            await found.add_stream(name=subject.upper(), subjects=[subject])
        yield found
    finally:
        await connection.close()


async def surely(ask):
    """Ask a broker that may be restarting."""
    for _ in range(SECONDS * 5):
        try:
            return await ask()
        except Exception:  # noqa: BLE001  (any of a client's errors while it reconnects)
            await asyncio.sleep(0.2)
    return pytest.fail("the broker did not answer")


async def until_all_are_acknowledged(streams):
    """Wait until the consumer has nothing left."""
    for _ in range(SECONDS * 2):
        info = await surely(lambda: streams.consumer_info("POSTS", "wildgate"))
        if info.num_pending == info.num_ack_pending == 0:
            return
        await asyncio.sleep(0.5)
    pytest.fail("posts were not acknowledged")


async def held(streams, name: str) -> int:
    return (await streams.stream_info(name)).state.messages


async def test_posts_are_scored_and_poison_put_aside(broker, consume, serve, recorded):
    """Each decision is recorded and published once; what is no post is a dead letter with its reason; a stop ends cleanly."""
    service = serve()
    async with jetstream(broker) as streams:
        for number in range(50):
            await streams.publish("posts", post(number))
        await streams.publish("posts", b"{bad", headers={"content-type": "application/json"})
        await streams.publish("posts", b'{"id": "empty"}')
        consumer = consume(service.target)
        await until_all_are_acknowledged(streams)
        assert recorded(service.store) == (50, 50, 50)
        assert (await held(streams, "DECISIONS"), await held(streams, "DEAD")) == (50, 2)
        letters = await (await streams.pull_subscribe("dead", "test")).fetch(2, timeout=10)
        assert [(letter.data, letter.headers["wildgate-reason"]) for letter in letters] == [
            (b"{bad", "NOT_A_POST"),
            (b'{"id": "empty"}', "FIELD_MISSING"),
        ]
        first = json.loads((await (await streams.pull_subscribe("decisions", "test")).fetch(1, timeout=10))[0].data)
        assert (first["id"], first["action"], first["taxa"][0]["group"]) == ("0", "block", "elephant")
        assert consumer.stop() == 0


async def test_a_post_delivered_again_is_recorded_once(broker, consume, serve, recorded):
    """A second consumer that knows nothing of the first reads the whole stream anew."""
    service = serve()
    async with jetstream(broker) as streams:
        for number in range(20):
            await streams.publish("posts", post(number))
        consumer = consume(service.target)
        await until_all_are_acknowledged(streams)
        consumer.stop()
        await streams.delete_consumer("POSTS", "wildgate")
        consumer.start()
        await asyncio.sleep(1)
        await until_all_are_acknowledged(streams)
        assert recorded(service.store) == (20, 20, 20)
        assert await held(streams, "DECISIONS") == 20


async def test_nothing_is_lost_or_doubled_whatever_is_killed(broker, consume, serve, recorded):
    """SIGKILL of the consumer, the broker and the service's worker and writer, while posts come in."""
    service = serve(workers=2)
    async with jetstream(broker) as streams:
        consumer = consume(service.target)
        for number in range(600):
            await surely(lambda number=number: streams.publish("posts", post(number), headers={"Nats-Msg-Id": f"post-{number}"}))
            if number % 150 == 40:
                consumer.kill()
                consumer.start()
            if number in {230, 470}:
                broker.kill()
                broker.start()
            if number in {100, 300}:
                service.kill("worker-0" if number == 100 else "writer")
        await asyncio.sleep(1)
        await until_all_are_acknowledged(streams)
        assert await held(streams, "POSTS") == 600
        assert recorded(service.store) == (600, 600, 600)
        assert (await held(streams, "DECISIONS"), await held(streams, "DEAD")) == (600, 0)


async def test_a_service_that_is_away_is_waited_for(broker, consume, serve, recorded):
    """Stopped as a whole while posts come in: none is acknowledged before it answers, and none is a dead letter."""
    service = serve()
    async with jetstream(broker) as streams:
        consume(service.target)
        await streams.publish("posts", post(0))
        await until_all_are_acknowledged(streams)
        os.kill(service.process.pid, signal.SIGSTOP)
        os.kill(service.pid("worker-0"), signal.SIGSTOP)
        try:
            for number in range(1, 30):
                await streams.publish("posts", post(number))
            await asyncio.sleep(15)
            info = await streams.consumer_info("POSTS", "wildgate")
            assert (info.ack_floor.stream_seq, await held(streams, "DECISIONS")) == (1, 1)
        finally:
            os.kill(service.pid("worker-0"), signal.SIGCONT)
            os.kill(service.process.pid, signal.SIGCONT)
        await until_all_are_acknowledged(streams)
        assert recorded(service.store) == (30, 30, 30)
        assert (await held(streams, "DECISIONS"), await held(streams, "DEAD")) == (30, 0)


@pytest.mark.parametrize("kind", ["nats", "kafka"])
async def test_both_brokers_hand_on_batches_and_publish(kind, monkeypatch):
    """By FastStream's brokers in memory: bytes as they came, with a place, whatever the content type says."""
    from faststream.kafka import TestKafkaBroker  # noqa: PLC0415  (an extra)
    from faststream.nats import TestNatsBroker  # noqa: PLC0415
    from wildgate_service.stream import kafka, nats  # noqa: PLC0415
    from wildgate_service.stream.config import StreamConfig  # noqa: PLC0415

    came, published = [], []

    async def handle(messages, outbox, hold):
        await hold()
        came.extend((message.body, message.place) for message in messages)
        await outbox.decided(b'{"decision_id": "d"}', "r")
        await outbox.dead(b"x", {"wildgate-reason": "NOT_A_POST"}, "p")
        return True

    async def no_stream(*_: object) -> None:
        return None

    monkeypatch.setattr(nats, "stream_of", no_stream)
    config = StreamConfig("127.0.0.1:1", "posts", "decisions", "dead", "service", stream="POSTS")
    made, tested, place = (nats.make, TestNatsBroker, "/POSTS/7") if kind == "nats" else (kafka.make, TestKafkaBroker, "/posts/0/0")
    broker = made(config, handle)
    for subject in ("decisions", "dead"):
        broker.subscriber(subject)(_keep(published))
    reply = {"reply_to": "$JS.ACK.POSTS.wildgate.1.7.7.1700000000000000000.0", "stream": "POSTS"} if kind == "nats" else {}
    async with tested(broker) as running:
        await running.publish(b"{bad", "posts", headers={"content-type": "application/json"}, **reply)
    assert came == [(b"{bad", place)]
    assert published == [{"decision_id": "d"}, b"x"]


def _keep(published):
    async def keep(message):
        published.append(message)

    return keep
