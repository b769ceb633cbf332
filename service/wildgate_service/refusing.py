"""A refusal on gRPC: code, message, ErrorInfo, and when to retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from wildgate_service.status import Refusal, to_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
STATUS_DETAILS = "grpc-status-details-bin"
PUSHBACK = "grpc-retry-pushback-ms"

Trailing = tuple[tuple[str, str | bytes], ...]
Prepared = tuple[grpc.StatusCode, str, Trailing]


async def abort(context: grpc.aio.ServicerContext[Any, Any], refusal: Refusal) -> NoReturn:
    """End the call with the refusal's status."""
    await context.abort(CODES[refusal.code], refusal.message, _trailing(refusal))
    raise AssertionError  # context.abort always raises


def refusing(refusal: Refusal) -> grpc.RpcMethodHandler[Any, Any]:
    """Make a handler that ends calls of any kind with a refusal before a message is read.

    It raises nothing and makes its trailers once, for it is what an overloaded service does most: a third cheaper than `abort`.
    """
    prepared = _prepared(refusal)
    return _ending_with(lambda _: prepared)


def refusing_by_peer(choose: Callable[[str], Refusal], known: Iterable[Refusal]) -> grpc.RpcMethodHandler[Any, Any]:
    """As `refusing`, with one of the known refusals, chosen by gRPC's name of the peer."""
    prepared = {refusal: _prepared(refusal) for refusal in known}
    return _ending_with(lambda context: prepared[choose(context.peer())])


def _prepared(refusal: Refusal) -> Prepared:
    return CODES[refusal.code], refusal.message, _trailing(refusal)


def _ending_with(prepare: Callable[[grpc.aio.ServicerContext[Any, Any]], Prepared]) -> grpc.RpcMethodHandler[Any, Any]:
    async def handle(requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[bytes]:
        del requests
        code, message, trailing = prepare(context)
        context.set_code(code)
        context.set_details(message)
        context.set_trailing_metadata(trailing)
        return
        yield b""

    return grpc.stream_stream_rpc_method_handler(handle)


def _trailing(refusal: Refusal) -> Trailing:
    details = (STATUS_DETAILS, to_status(refusal).SerializeToString())
    return (details,) if refusal.pushback_ms is None else (details, (PUSHBACK, str(refusal.pushback_ms)))
