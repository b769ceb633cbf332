"""Kafka: batches of records of a consumer group, committed together."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage  # read at run time

from wildgate_service.stream.config import StreamConfig
from wildgate_service.stream.posts import Incoming

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from wildgate_service.stream.running import Handle

MOST_BETWEEN_POLLS = 3_600_000  # milliseconds for which a batch may wait for a service that is away


def make(config: StreamConfig, handle: Handle) -> KafkaBroker:
    """A broker with the one subscriber."""
    broker = KafkaBroker(
        config.broker.split(","), acks="all", enable_idempotence=True, graceful_timeout=15.0, logger=logging.getLogger(__name__)
    )
    outbox = KafkaOutbox(broker, config)

    @broker.subscriber(  # type: ignore[untyped-decorator]
        config.source,
        batch=True,
        max_records=config.batch,
        group_id=config.name,
        auto_offset_reset="earliest",
        max_poll_interval_ms=MOST_BETWEEN_POLLS,
        ack_policy=AckPolicy.MANUAL,
        decoder=_undecoded,
    )
    async def posts(message: KafkaMessage) -> None:
        records = list(message.raw_message)  # a batch
        if await handle([_incoming(each, config.era) for each in records], outbox, _nothing_to_hold):
            await message.ack()
        else:
            await message.nack()

    return broker


class KafkaOutbox:
    """Publishes into topics; a decision under its request_id as key, by which a compacted topic keeps one."""

    def __init__(self, broker: KafkaBroker, config: StreamConfig) -> None:
        self._broker, self._config = broker, config

    async def decided(self, body: bytes, request_id: str) -> None:
        """Into the topic of decisions."""
        await self._broker.publish(body, self._config.decisions, key=request_id.encode(), headers={"content-type": "application/json"})

    async def dead(self, body: bytes, headers: dict[str, str], place: str) -> None:
        """Into the topic of dead letters."""
        await self._broker.publish(body, self._config.dead, key=place.encode(), headers=headers)


async def _nothing_to_hold() -> None:
    """A group keeps its partitions while it is alive, which its heartbeats say."""


async def _undecoded(message: KafkaMessage) -> bytes:
    """Nothing is decoded before it is read as a post."""
    del message
    return b""


def _incoming(record: ConsumerRecord, era: str) -> Incoming:
    headers = {name.lower(): value.decode("utf-8", "replace") for name, value in record.headers}
    return Incoming(record.value or b"", f"{era}/{record.topic}/{record.partition}/{record.offset}", headers)
