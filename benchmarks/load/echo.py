"""The empty echo that the service is measured against: grpc.aio on uvloop, one process, a fixed answer for each name.

`/echo.bytes/NAME` takes bytes and answers bytes, as the service's own transport does: nothing less can be done on grpc.aio.
`/echo.stubs/NAME` parses the request and serializes the answer, as a handler does that is written with generated stubs.
Usage: python benchmarks/load/echo.py FOLDER   where FOLDER/NAME.unary and FOLDER/NAME.batch hold the serialized answers
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import uvloop
from wildgate.v1 import scoring_pb2

KINDS: dict[str, tuple[Any, Any]] = {  # request and response by the suffix of the answer
    ".unary": (scoring_pb2.ScoreListingRequest, scoring_pb2.ScoreListingResponse),
    ".batch": (scoring_pb2.BatchScoreListingsRequest, scoring_pb2.BatchScoreListingsResponse),
}


def handlers(folder: Path) -> tuple[grpc.GenericRpcHandler, ...]:
    """Both echoes of every answer in the folder."""
    with_bytes: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    with_stubs: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for path in folder.iterdir():
        request, response = KINDS[path.suffix]
        answer = path.read_bytes()
        with_bytes[path.stem] = grpc.unary_unary_rpc_method_handler(_always(answer))
        with_stubs[path.stem] = grpc.unary_unary_rpc_method_handler(
            _always(response.FromString(answer)), request.FromString, response.SerializeToString
        )
    return (
        grpc.method_handlers_generic_handler("echo.bytes", with_bytes),
        grpc.method_handlers_generic_handler("echo.stubs", with_stubs),
    )


def _always(answer: object) -> Callable[[object, grpc.aio.ServicerContext[object, object]], Awaitable[object]]:
    async def handle(request: object, context: grpc.aio.ServicerContext[object, object]) -> object:
        del request, context
        return answer

    return handle


async def serve(folder: Path) -> None:
    """Serve until it is ended."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 1)])
    server.add_generic_rpc_handlers(handlers(folder))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"echo: serving on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Path(sys.argv[1])))
