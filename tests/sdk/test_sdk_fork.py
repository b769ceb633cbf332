"""Forks: servers such as gunicorn make the client before they fork their workers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from wildgate.testing import FakeWildgate

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

# The child leaves by os._exit, so that nothing of the parent's is torn down in it.
SCRIPT = """
import os, sys
from wildgate import Client, Listing, WildgateUsageError
client = Client(sys.argv[1], insecure=True, on_unavailable="raise", timeout=20)
{before}
child = os.fork()
if child == 0:
    try:
        decision = client.score(Listing(title="in the child"))
        print("child", decision.action, flush=True)
    except WildgateUsageError as error:
        print("child refused:", error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent", client.score(Listing(title="in the parent")).action, flush=True)
client.close()
"""
USED = 'client.score(Listing(title="before"))'


def run(script: str, target: str, **variables: str) -> list[str]:
    """Run a script in a process of its own; a child that hangs fails the test."""
    done = subprocess.run(
        [sys.executable, "-c", script, target],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, **variables},
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("before", ["", USED], ids=["unused", "used"])
def test_the_child_connects_anew(fake: FakeWildgate, before: str) -> None:
    """And the parent's connection goes on working."""
    lines = run(SCRIPT.format(before=before), fake.target)
    assert lines == ["child allow", "parent allow"]


@pytest.mark.parametrize("listening", [True, False], ids=["black hole", "closed port"])
def test_a_fork_while_connecting_leaves_deadlines_working(listening: bool) -> None:  # noqa: FBT001
    """Neither process hangs on a connection that was never made."""
    script = SCRIPT.format(before="").replace('"raise", timeout=20', '"review", timeout=0.5')
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        if not listening:
            listener.close()
        lines = run(script, address)
    assert lines == ["child review", "parent review"]


def test_a_lock_held_at_the_fork_does_not_stop_the_child(fake: FakeWildgate) -> None:
    """Another thread may have been counting at that very moment."""
    held = "client.stats._lock.acquire()"
    script = SCRIPT.format(before=held).replace("os.waitpid", "client.stats._lock.release(); os.waitpid")
    assert run(script, fake.target) == ["child allow", "parent allow"]


def test_without_fork_support_the_child_refuses_rather_than_hangs(fake: FakeWildgate) -> None:
    """With that setting gRPC's deadlines stand still in a child."""
    lines = run(SCRIPT.format(before=USED), fake.target, GRPC_ENABLE_FORK_SUPPORT="0")
    assert lines[0].startswith("child refused: gRPC hangs in a forked process")


def test_a_channel_of_the_callers_does_not_survive(fake: FakeWildgate) -> None:
    """Nobody here knows how to make another."""
    made = "import grpc\nclient = Client(on_unavailable='raise', channel=grpc.insecure_channel(sys.argv[1]))"
    lines = run(SCRIPT.format(before=made), fake.target)
    assert lines[0] == "child refused: the channel given to this client does not survive a fork"


def test_an_async_client_made_before_any_loop_works_in_the_child(fake: FakeWildgate) -> None:
    """It connects at its first call."""
    script = """
import asyncio, os, sys
from wildgate import AsyncClient, Listing
client = AsyncClient(sys.argv[1], insecure=True, on_unavailable="raise", timeout=20)
async def main():
    print((await client.score(Listing(title="in the child"))).action, flush=True)
    await client.close()
child = os.fork()
if child == 0:
    asyncio.run(main())
    os._exit(0)
os.waitpid(child, 0)
"""
    assert run(script, fake.target) == ["allow"]
