"""One suite for both clients: the asynchronous one runs on a loop of its own thread."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings
from wildgate import AsyncClient, Client
from wildgate.testing import FakeWildgate


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, so that these tests also run alone under strict markers."""
    # Shared machines pause; how long one example takes says nothing here.
    settings.register_profile("sdk", deadline=None)
    settings.load_profile("sdk")
    config.addinivalue_line("markers", "real_server: needs the fixture real_server_target")


class BlockingAsyncClient:
    """An AsyncClient whose methods wait for their answers."""

    def __init__(self, target: str = "", **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        try:
            self._client = self._wait(self._make(target, options))
        except BaseException:
            self.stop()
            raise

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *args, **kwargs: self._wait(found(*args, **kwargs))

    def stop(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _make(self, target: str, options: dict[str, Any]) -> AsyncClient:
        return AsyncClient(target, **options)

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)


MakeClient = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def make_client(request: pytest.FixtureRequest) -> Iterator[MakeClient]:
    """Return a maker of clients of one flavor, which all close at the end of the test."""
    flavor = Client if request.param == "sync" else BlockingAsyncClient
    made: list[Any] = []

    def make(target: str, **options: Any) -> Any:
        defaults = {"insecure": True, "on_unavailable": "raise", "timeout": 10.0}
        made.append(flavor(target, **{**defaults, **options}))
        return made[-1]

    yield make
    for client in made:
        client.close()
        if flavor is BlockingAsyncClient:
            client.stop()


@pytest.fixture
def fake() -> Iterator[FakeWildgate]:
    """Yield a fake service."""
    with FakeWildgate() as service:
        yield service


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.real_server)])
def target(request: pytest.FixtureRequest) -> str:
    """Return the address of the fake or, where one is provided, of a real service."""
    if request.param == "fake":
        service: FakeWildgate = request.getfixturevalue("fake")
        service.when("ivory", "block")
        return service.target
    try:
        return str(request.getfixturevalue("real_server_target"))
    except pytest.FixtureLookupError:
        pytest.skip("no fixture real_server_target")
