"""NATS JetStream: batches pulled from a durable consumer, each message acknowledged for itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage  # read at run time
from nats.js.api import ConsumerConfig, DeliverPolicy

from wildgate_service.stream.config import StreamConfig
from wildgate_service.stream.posts import Incoming

if TYPE_CHECKING:
    from wildgate_service.stream.running import Handle

ACK_SECONDS = 60.0  # after which a message is delivered again unless it is held
FETCH_SECONDS = 0.25
PUBLISH_SECONDS = 5.0
MESSAGE_ID = "Nats-Msg-Id"


def make(config: StreamConfig, handle: Handle) -> NatsBroker:
    """A broker with the one subscriber. The streams of source, decisions and dead letters must be there."""
    broker = NatsBroker(
        config.broker, max_reconnect_attempts=-1, reconnect_time_wait=0.5, graceful_timeout=15.0, logger=logging.getLogger(__name__)
    )
    outbox = NatsOutbox(broker, config)

    @broker.subscriber(  # type: ignore[untyped-decorator]
        config.source,
        stream=JStream(config.stream, declare=False),
        durable=config.name,
        pull_sub=PullSub(batch_size=config.batch, timeout=FETCH_SECONDS, batch=True),
        config=ConsumerConfig(ack_wait=ACK_SECONDS, max_deliver=-1, max_ack_pending=4 * config.batch),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.MANUAL,
        decoder=_undecoded,
    )
    async def posts(message: NatsMessage) -> None:
        raw = list(message.raw_message)  # a batch

        async def hold() -> None:
            for each in raw:
                await each.in_progress()

        if await handle([_incoming(each, config.era) for each in raw], outbox, hold):
            for each in raw:
                await each.ack()

    return broker


class NatsOutbox:
    """Publishes into streams; a decision under its request_id, so that JetStream drops a second one within its window."""

    def __init__(self, broker: NatsBroker, config: StreamConfig) -> None:
        self._broker, self._config = broker, config
        self._streams: dict[str, str] = {}

    async def decided(self, body: bytes, request_id: str) -> None:
        """Into the stream of decisions."""
        await self._published(body, self._config.decisions, {MESSAGE_ID: request_id, "content-type": "application/json"})

    async def dead(self, body: bytes, headers: dict[str, str], place: str) -> None:
        """Into the stream of dead letters."""
        await self._published(body, self._config.dead, {MESSAGE_ID: f"dead:{place}", **headers})

    async def _published(self, body: bytes, subject: str, headers: dict[str, str]) -> None:
        """Return when the stream of a subject has it."""
        if subject not in self._streams:
            self._streams[subject] = await stream_of(self._broker, subject)
        await self._broker.publish(body, subject, headers=headers, stream=self._streams[subject], timeout=PUBLISH_SECONDS)


async def stream_of(broker: NatsBroker, subject: str) -> str:
    """The stream that holds a subject. Raises an error of nats-py if there is none."""
    connection = await broker.connect()
    name: str = await connection.jetstream().find_stream_name_by_subject(subject)
    return name


def _incoming(message: Any, era: str) -> Incoming:  # noqa: ANN401  (a Msg of nats-py)
    told = message.metadata
    headers = {name.lower(): value for name, value in (message.headers or {}).items()}
    return Incoming(message.data, f"{era}/{told.stream}/{told.sequence.stream}", headers)


async def _undecoded(message: NatsMessage) -> Sequence[bytes]:
    """Nothing is decoded before it is read as a post: what cannot be decoded is a dead letter, and no error of the subscriber."""
    return [each.data for each in message.raw_message]
