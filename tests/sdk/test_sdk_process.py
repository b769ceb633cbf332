"""What a client asks of the process it lives in: threads, tasks, cancellations, ends that nobody prepared, forks of a server of its own."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from wildgate import AsyncClient, Client, Listing, WildgateOverloadedError, WildgateUnavailableError, WildgateUsageError
from wildgate.testing import FakeWildgate

LISTING = Listing(id="42", title="Ivory bangle")

PREFORK = """
import os, sys
from wildgate import Client, Listing
client = Client(sys.argv[1], insecure=True, on_unavailable="raise", timeout=30)
client.score(Listing(title="before"))
children = []
for number in range(4):
    child = os.fork()
    if child == 0:
        answered = [client.score(Listing(title="in the child")).answered for _ in range(20)]
        print(f"child {all(answered)}\\n", end="", flush=True)
        os._exit(0)
    children.append(child)
answered = [client.score(Listing(title="in the parent")).answered for _ in range(20)]
ended = [os.waitpid(child, 0)[1] for child in children]
print("parent", all(answered), ended, flush=True)
client.close()
"""

MULTIPROCESSING = """
import multiprocessing, sys
from wildgate import Client, Listing
client = Client(sys.argv[1], insecure=True, on_unavailable="raise", timeout=30)
client.score(Listing(title="before"))

def work(number):
    return client.score(Listing(title=str(number))).answered

with multiprocessing.get_context("fork").Pool(3) as pool:
    print(all(pool.map(work, range(60))), client.score(Listing(title="after")).answered)
client.close()
"""

LEFT_IN_FLIGHT = """
import sys, threading, time
from wildgate import Client, Listing
client = Client(sys.argv[1], insecure=True, on_unavailable="review", timeout=60)
for _ in range(4):
    threading.Thread(target=client.score, args=(Listing(title="in flight"),), daemon=True).start()
while client.stats.calls < 4:
    time.sleep(0.01)
time.sleep(0.2)
print("left", flush=True)
"""

LOOP_LEFT_IN_FLIGHT = """
import asyncio, sys
from wildgate import AsyncClient, Listing

async def main():
    client = AsyncClient(sys.argv[1], insecure=True, on_unavailable="review", timeout=60)
    tasks = [asyncio.create_task(client.score(Listing(title="in flight"))) for _ in range(4)]
    await asyncio.sleep(0.2)
    print("left", len(tasks), flush=True)

asyncio.run(main())
"""


def run(script: str, target: str) -> list[str]:
    """Run a script in a process of its own, whose hanging fails the test."""
    done = subprocess.run([sys.executable, "-c", script, target], capture_output=True, text=True, timeout=50, check=True)
    return done.stdout.splitlines()


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_server_that_forks_its_workers_shares_one_client(fake: FakeWildgate) -> None:
    """As gunicorn does with an application that it loads first: each child connects for itself, and the parent goes on."""
    assert run(PREFORK, fake.target) == ["child True"] * 4 + ["parent True [0, 0, 0, 0]"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_pool_of_processes_shares_one_client(fake: FakeWildgate) -> None:
    """`multiprocessing` forks from a process that has used it."""
    assert run(MULTIPROCESSING, fake.target) == ["True True"]


@pytest.mark.parametrize(("script", "said"), [(LEFT_IN_FLIGHT, "left"), (LOOP_LEFT_IN_FLIGHT, "left 4")], ids=["threads", "tasks"])
def test_a_process_ends_with_calls_in_flight(fake: FakeWildgate, script: str, said: str) -> None:
    """The interpreter does not wait for them, nor hang."""
    fake.delay(5)
    assert run(script, fake.target) == [said]


def test_two_hundred_threads_share_a_client(fake: FakeWildgate) -> None:
    """Each gets its own answer, and none is counted twice."""
    with fake.client(timeout=60) as client, ThreadPoolExecutor(200) as pool:
        titles = [f"bangle {number}" for number in range(1000)]
        decisions = list(pool.map(lambda title: client.score(Listing(id=title, title=title)), titles))
    assert ([each.listing_id for each in decisions], client.stats.decisions) == (titles, 1000)


async def test_thousands_of_cancellations_leave_nothing(fake: FakeWildgate) -> None:
    """No task, no descriptor, and the client works on."""
    fake.delay(0.5)
    async with fake.async_client(timeout=30) as client:
        await client.score(LISTING)
        held, tasks_before = descriptors(), len(asyncio.all_tasks())
        for _ in range(5):
            tasks = [asyncio.create_task(client.score(LISTING)) for _ in range(400)]
            await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(end) for end in ends} == {asyncio.CancelledError}
        fake.recover()
        assert await answered_soon(client)
        assert descriptors() <= held  # what an earlier test let go of may close in between
        assert len(asyncio.all_tasks()) == tasks_before


async def answered_soon(client: AsyncClient) -> bool:
    """Whether calls are answered again: the server may drop one while it is still busy with those that were cancelled."""
    for _ in range(50):
        with suppress(WildgateOverloadedError):
            if (await client.score(LISTING)).answered:
                return True
        await asyncio.sleep(0.1)
    return False


async def test_a_cancelled_call_counts_as_a_call_and_nothing_else(fake: FakeWildgate) -> None:
    """Nobody waits for its decision any more."""
    fake.delay(0.5)
    async with fake.async_client(timeout=30) as client:
        task = asyncio.create_task(client.score(LISTING))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert client.stats.as_dict() == {"calls": 1, "decisions": 0, "degraded": {}, "errors": {}}


@pytest.mark.slow
async def test_ten_thousand_calls_at_once_all_end(fake: FakeWildgate) -> None:
    """Answered, or decided by the policy when their time is up; each in one counter."""
    async with fake.async_client(on_unavailable="review", timeout=2.0) as client:
        await client.wait_ready()
        held, tasks_before = descriptors(), len(asyncio.all_tasks())
        decisions = await asyncio.gather(*(client.score(LISTING) for _ in range(10_000)))
        answered = sum(decision.answered for decision in decisions)
        assert (client.stats.decisions, sum(client.stats.degraded.values())) == (answered, 10_000 - answered)
        reasons = {reason for each in decisions for reason in each.degraded_reasons}
        assert reasons <= {"deadline_exceeded", "unavailable", "resource_exhausted"}
        assert descriptors() <= held  # what an earlier test let go of may close in between
        assert len(asyncio.all_tasks()) == tasks_before
        assert await answered_soon(client)


def test_clients_that_nobody_closed_leave_no_descriptor(fake: FakeWildgate) -> None:
    """Collecting one ends its connection."""

    def use() -> None:
        for _ in range(20):
            client = Client(fake.target, insecure=True, on_unavailable="raise", timeout=30)
            client.score(LISTING)

    use()
    gc.collect()
    before, deadline = descriptors(), time.monotonic() + 30
    use()
    gc.collect()
    while descriptors() > before + 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descriptors() <= before + 5


def test_an_async_client_of_a_closed_loop_says_so(fake: FakeWildgate) -> None:
    """Another loop cannot have it."""
    made: list[AsyncClient] = []

    async def use() -> None:
        made.append(fake.async_client())
        await made[0].score(LISTING)

    async def use_again() -> None:
        await made[0].score(LISTING)

    asyncio.run(use())
    with pytest.raises(WildgateUsageError, match="belongs to another event loop"):
        asyncio.run(use_again())


def test_closing_while_threads_call_ends_all_calls(fake: FakeWildgate) -> None:
    """Each with an error of ours."""
    fake.delay(5)
    client = Client(fake.target, insecure=True, on_unavailable="allow", timeout=30)
    errors: list[type[BaseException]] = []

    def call() -> None:
        try:
            client.score(LISTING)
        except (WildgateUsageError, WildgateUnavailableError) as error:
            errors.append(type(error))

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    while len(fake.metadata) < 20:
        time.sleep(0.01)
    client.close()
    for thread in threads:
        thread.join()
    assert errors == [WildgateUsageError] * 20
