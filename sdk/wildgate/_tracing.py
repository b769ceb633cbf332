"""A client span per call, for callers who installed OpenTelemetry; nothing for everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wildgate._version import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from wildgate._config import Metadata


def find_tracer() -> Tracer | None:
    """Return a tracer if OpenTelemetry can be imported."""
    try:
        from opentelemetry import trace  # noqa: PLC0415 optional
    except ImportError:
        return None
    return trace.get_tracer("wildgate", __version__)


@contextmanager
def client_span(tracer: Tracer | None, path: str, metadata: Metadata) -> Iterator[Metadata]:
    """Open a span for the RPC `path` and yield the metadata that carries it to the service."""
    if tracer is None:
        yield metadata
        return
    from opentelemetry import propagate, trace  # noqa: PLC0415 optional

    service, _, method = path.strip("/").partition("/")
    facts = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
    kind = trace.SpanKind.CLIENT
    with tracer.start_as_current_span(path.strip("/"), kind=kind, attributes=facts):
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        yield (*metadata, *carrier.items())
