"""A refusal on gRPC: code, message, ErrorInfo, and when to retry."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc

from wildgate_service.status import Refusal, to_status

CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
STATUS_DETAILS = "grpc-status-details-bin"
PUSHBACK = "grpc-retry-pushback-ms"


async def abort(context: grpc.aio.ServicerContext[Any, Any], refusal: Refusal) -> NoReturn:
    """End the call with the refusal's status."""
    trailing: list[tuple[str, str | bytes]] = [(STATUS_DETAILS, to_status(refusal).SerializeToString())]
    if refusal.pushback_ms is not None:
        trailing.append((PUSHBACK, str(refusal.pushback_ms)))
    await context.abort(CODES[refusal.code], refusal.message, tuple(trailing))
    raise AssertionError  # context.abort always raises
