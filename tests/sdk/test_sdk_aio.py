"""What only the asynchronous client does."""

from __future__ import annotations

import asyncio

import grpc.aio
import pytest
from wildgate import AsyncClient, Listing, WildgateUsageError
from wildgate.testing import FakeWildgate

LISTING = Listing(title="Wedding dress")


def test_a_thousand_calls_at_once(fake: FakeWildgate) -> None:
    """Each listing gets its own decision."""

    async def main() -> list[str]:
        async with fake.async_client(timeout=60) as client:
            calls = [client.score(Listing(id=str(index))) for index in range(1000)]
            return [decision.listing_id for decision in await asyncio.gather(*calls)]

    assert asyncio.run(main()) == [str(index) for index in range(1000)]


def test_a_cancelled_call_is_cancelled(fake: FakeWildgate) -> None:
    """It is not taken for an outage, and the client goes on."""
    fake.delay(30, times=1)

    async def main() -> bool:
        async with fake.async_client(on_unavailable="allow", timeout=60) as client:
            task = asyncio.create_task(client.score(LISTING))
            while not fake.metadata:  # noqa: ASYNC110 the fake lives in threads
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await client.score(LISTING)).answered

    assert asyncio.run(main())


def test_a_timeout_of_the_callers_cancels(fake: FakeWildgate) -> None:
    """asyncio.timeout works as around anything else."""
    fake.delay(30)

    async def main() -> None:
        async with fake.async_client(on_unavailable="allow", timeout=60) as client:
            async with asyncio.timeout(0.1):
                await client.score(LISTING)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_a_client_made_before_the_loop_connects_in_it(fake: FakeWildgate) -> None:
    """At import, say."""
    client = fake.async_client()

    async def main() -> bool:
        async with client:
            return (await client.score(LISTING)).answered

    assert asyncio.run(main())


def test_another_loop_is_refused(fake: FakeWildgate) -> None:
    """With a sentence instead of a hang."""
    client = fake.async_client()

    async def use() -> None:
        await client.score(LISTING)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(use())
    with pytest.raises(WildgateUsageError, match="belongs to another event loop"):
        asyncio.run(use())
    loop.run_until_complete(client.close())
    loop.close()


def test_a_client_never_used_closes(fake: FakeWildgate) -> None:
    """There is nothing to close yet."""

    async def main() -> None:
        client = AsyncClient(fake.target, insecure=True, on_unavailable="raise")
        await client.close()
        await client.score(LISTING)

    with pytest.raises(WildgateUsageError, match="the client is closed"):
        asyncio.run(main())


def test_a_channel_of_the_callers_is_left_open(fake: FakeWildgate) -> None:
    """Who made it closes it."""

    async def main() -> bool:
        async with grpc.aio.insecure_channel(fake.target) as channel:
            async with AsyncClient(on_unavailable="raise", channel=channel, timeout=20) as client:
                await client.score(LISTING)
            again = AsyncClient(on_unavailable="raise", channel=channel, timeout=20)
            return (await again.score(LISTING)).answered

    assert asyncio.run(main())
