"""Clients made at first use, one per process or event loop, closed when it ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wildgate import Listing, WildgateConfigurationError, WildgateUsageError
from wildgate._environment import options_from_environment
from wildgate.lifecycle import Clients
from wildgate.testing import FakeWildgate

LISTING = Listing(title="Desk lamp, brass")


@pytest.fixture
def clients(fake: FakeWildgate) -> Clients:
    """Return clients of the fake."""
    return Clients(fake.target, insecure=True, on_unavailable="raise", timeout=20)


def test_threads_share_one_client(clients: Clients) -> None:
    """Also when all ask at once for the first time."""
    with ThreadPoolExecutor(16) as threads:
        found = {id(client) for client in threads.map(lambda _: clients.sync, range(64))}
    assert len(found) == 1
    assert clients.sync.score(LISTING).allowed
    clients.close()


def test_a_closed_one_is_followed_by_another(clients: Clients) -> None:
    """A host that stops and starts again gets a working client."""
    first = clients.sync
    clients.close()
    clients.close()
    assert clients.sync is not first
    assert clients.sync.score(LISTING).allowed
    clients.close()


def test_each_loop_has_a_client_of_its_own(clients: Clients) -> None:
    """Which the same loop gets again."""

    async def ask() -> int:
        client = clients.aio
        assert (await client.score(LISTING)).allowed
        assert clients.aio is client
        await clients.aclose()
        return id(client)

    assert all(asyncio.run(ask()) for _ in range(3))


def test_a_lifespan_closes_what_it_made(clients: Clients) -> None:
    """It yields what `request.state` is made of."""

    async def serve() -> None:
        async with clients.lifespan() as state:
            made = state["wildgate"]
            assert (await made.score(LISTING)).allowed
        with pytest.raises(WildgateUsageError, match="closed"):
            await made.score(LISTING)

    asyncio.run(serve())


def test_without_a_loop_there_is_no_async_client(clients: Clients) -> None:
    """The error says what to do."""
    with pytest.raises(WildgateUsageError, match="use `sync`"):
        _ = clients.aio


def test_wrong_options_are_refused_where_they_are_written() -> None:
    """At import, before the first listing comes."""
    with pytest.raises(WildgateConfigurationError, match="on_unavailable"):
        Clients("localhost:1", on_unavailable="maybe")  # type: ignore[typeddict-item]
    with pytest.raises(WildgateConfigurationError, match="plaintext"):
        Clients("wildgate:1", on_unavailable="allow", insecure=True, api_key="key")


def test_the_environment_says_all(fake: FakeWildgate) -> None:
    """Options in code go before it, and variables of the service are none of the client's."""
    variables = {
        "WILDGATE_CLIENT_TARGET": fake.target,
        "WILDGATE_CLIENT_INSECURE": "true",
        "WILDGATE_CLIENT_API_KEY": "key",
        "WILDGATE_CLIENT_ON_UNAVAILABLE": "allow",
        "WILDGATE_CLIENT_TIMEOUT_SECONDS": "20",
        "WILDGATE_CLIENT_SPAN_UNIT": "",
        "WILDGATE_PORT": "1",
    }
    fake.require_api_key("key")
    clients = Clients.from_environment(variables, on_unavailable="raise")
    assert clients.sync.score(LISTING).allowed
    assert repr(clients) == f"Clients({fake.target!r}, on_unavailable='raise')"
    clients.close()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("WILDGATE_CLIENT_TIMEOUT_SECONDS", "soon"),
        ("WILDGATE_CLIENT_INSECURE", "perhaps"),
        ("WILDGATE_CLIENT_ROOT_CERTIFICATES", "/no/such/file"),
        ("WILDGATE_CLIENT_PRIVATE_KEY", os.devnull),
        ("WILDGATE_CLIENT_TARGTE", "t:1"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, text: str) -> None:
    """Unknown ones too, so that a slip of the pen is not silence."""
    with pytest.raises(WildgateConfigurationError, match=variable):
        Clients.from_environment({"WILDGATE_CLIENT_TARGET": "t:1", "WILDGATE_CLIENT_ON_UNAVAILABLE": "allow", variable: text})


def test_key_and_certificate_make_mutual_tls(tmp_path: Path) -> None:
    """With the authorities, if they are said; nothing of it stays among the options under another name."""
    names = ("ROOT_CERTIFICATES", "PRIVATE_KEY", "CERTIFICATE_CHAIN")
    for name in names:
        (tmp_path / name).write_bytes(b"PEM")
    read = options_from_environment({f"WILDGATE_CLIENT_{name}": str(tmp_path / name) for name in names})
    assert list(read) == ["credentials"]
    only_root = options_from_environment({"WILDGATE_CLIENT_ROOT_CERTIFICATES": str(tmp_path / "ROOT_CERTIFICATES")})
    assert only_root == {"root_certificates": b"PEM"}


FORK = """
import os, sys
from wildgate import Listing
from wildgate.lifecycle import Clients
clients = Clients(sys.argv[1], insecure=True, on_unavailable="raise", timeout=20)
before = clients.sync
before.score(Listing(title="before"))
if os.fork() == 0:
    mine = clients.sync
    print("child", mine.score(Listing(title="in the child")).action, mine is before, mine.stats.calls, flush=True)
    sys.exit()
os.wait()
print("parent", clients.sync.score(Listing(title="after")).action, clients.sync is before, before.stats.calls, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_gets_a_client_of_its_own(fake: FakeWildgate) -> None:
    """It ends without closing its parent's, by the exit that runs what was registered, as a worker of gunicorn does."""
    command = [sys.executable, "-X", "dev", "-c", FORK, fake.target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["child allow False 1", "parent allow True 2"]
    assert done.stderr == ""
