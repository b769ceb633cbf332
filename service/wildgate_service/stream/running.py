"""A consumer from its start to its end: the client, the broker's subscriber, signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from wildgate import AsyncClient

from wildgate_service.stream.config import StreamConfig
from wildgate_service.stream.passing import Outbox, pass_on
from wildgate_service.stream.posts import Incoming
from wildgate_service.stream.scoring import Holding, Scoring, StoppedError

log = structlog.get_logger()
STOP_SECONDS = 20.0  # for the batch under way

Handle = Callable[[Sequence[Incoming], Outbox, Holding], Awaitable[bool]]
Make = Callable[[StreamConfig, Handle], Any]  # a FastStream broker


async def run(config: StreamConfig, make: Make) -> None:
    """Consume until SIGINT or SIGTERM; the batch under way is finished first. Raises what the broker raises if it cannot be reached."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    certificates = config.root_certificates.read_bytes() if config.root_certificates else None
    async with AsyncClient(
        config.service, on_unavailable="raise", insecure=config.insecure, api_key=config.api_key, root_certificates=certificates
    ) as client:
        broker = make(config, handler(Scoring(client, stopping), stopping))
        await broker.start()
        log.info("stream_started", source=config.source, service=config.service)
        try:
            await stopping.wait()
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(broker.stop(), STOP_SECONDS)
            log.info("stream_stopped")


def handler(scoring: Scoring, stopping: asyncio.Event) -> Handle:
    """What a broker's subscriber calls with a batch; it answers whether the batch may be acknowledged."""

    async def handle(messages: Sequence[Incoming], outbox: Outbox, hold: Holding) -> bool:
        try:
            await pass_on(messages, scoring, outbox, hold, stopping)
        except StoppedError:
            return False
        return True

    return handle
