"""The empty echo on a transport: what it costs by itself, with the worker's own server around RPCs that answer at once.

Usage: python benchmarks/transports/echo_on.py NAME FOLDER      where FOLDER/NAME.unary and FOLDER/NAME.batch hold the serialized answers
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import uvloop
from serve_on import take_from

ADOPTED = "grpc_aio"


async def serve(answers: dict[str, bytes]) -> None:
    """Serve until it is ended."""
    rpc, server = importlib.import_module("wildgate_service.rpc"), importlib.import_module("wildgate_service.server")
    port = importlib.import_module("wildgate_service.port")
    rpcs = [rpc.Rpc("echo.bytes", name, rpc.SCORE, _always(answer)) for name, answer in answers.items()]
    taken, address = port.reserve(port.Address("127.0.0.1", 0))
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    with taken:
        serving = server.Server(_serving(rpc), rpcs, str(address))
        await serving.start()
        print(f"echo: serving on {address}", flush=True)
        await ending.wait()
        await serving.drain(1.0)


def _serving(rpc: Any) -> object:  # noqa: ANN401  (a module)
    admission = importlib.import_module("wildgate_service.admission")
    settings = importlib.import_module("wildgate_service.settings").load_settings(environment={}).settings
    return rpc.Serving(
        settings=settings,
        engine=cast("Any", None),  # nobody scores
        writer=None,
        secrets=None,
        admission=admission.Admission(settings.longest_wait, settings.max_in_flight),
    )


def _always(answer: bytes) -> Callable[[bytes, object], Awaitable[bytes]]:
    async def handle(payload: bytes, caller: object) -> bytes:
        del payload, caller
        return answer

    return handle


if __name__ == "__main__":
    if sys.argv[1] != ADOPTED:
        take_from(sys.argv[1])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve({path.stem: path.read_bytes() for path in Path(sys.argv[2]).iterdir()}))
