"""OpenTelemetry: a span a call and one a stage, in the caller's trace. Made in workers alone, after the fork, for it runs a thread.

Attributes are those of OpenTelemetry's semantic conventions for RPC, with a few of our own under `wildgate.`: ids, action, reason. Nothing
that a call said is among them.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import time
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING, Any

from wildgate_service.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.trace import Span, Tracer

    from wildgate_service.monitoring.calls import Protocol
    from wildgate_service.pipeline import Timings
    from wildgate_service.settings import Settings

    Metadata = Callable[[], Iterable[tuple[str, str | bytes]] | None]

NEEDED = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.grpc")
CONTEXT_HEADERS = frozenset({"traceparent", "tracestate"})  # W3C Trace Context, as the SDK sends it
OK = "OK"
SYSTEMS = {"grpc": "grpc", "http": "connectrpc"}  # as the semantic conventions name what carries an RPC
# What the semantic conventions call an error of the server's; the rest are the caller's.
SERVER_ERRORS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})


def check_tracing(settings: Settings) -> None:
    """Raise SettingsError if traces are asked for and cannot be made."""
    if settings.otel_endpoint and not all(map(_is_there, NEEDED)):
        raise SettingsError("setting otel_endpoint needs OpenTelemetry: pip install 'wildgate-service[otel]', or leave it empty")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor what it is in
        return False


def start_tracing(settings: Settings, worker: str) -> Tracing | None:
    """Begin to trace in this process; None if nobody asked for it."""
    if not settings.otel_endpoint:
        return None
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  (optional, and only after the fork)
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased  # noqa: PLC0415

    logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # a collector that is down would be warned of with every span
    own = Resource.create({"service.name": "wildgate", "service.instance.id": f"{socket.gethostname()}/{worker}"})
    resource = own.merge(OTELResourceDetector().detect())  # what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, wins
    provider = TracerProvider(resource=resource, sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otel_endpoint)))
    return Tracing(provider, settings.otel_sample_ratio)


class Tracing:
    """Makes the spans of a worker. What a collector that is slow or down does not take is dropped; no call waits for it."""

    def __init__(self, provider: Any, ratio: float) -> None:  # noqa: ANN401  (a TracerProvider, whose package is optional)
        from opentelemetry.trace import SpanKind, get_current_span, set_span_in_context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._provider = provider
        self._ratio = ratio
        self._span_of = get_current_span
        self._tracer: Tracer = provider.get_tracer("wildgate_service")
        self._extract = TraceContextTextMapPropagator().extract
        self._kind = SpanKind.SERVER
        self._in_context = set_span_in_context

    def begin(self, path: str, metadata: Metadata, protocol: Protocol = "grpc") -> CallSpan | None:
        """The span of a call of the RPC `path`, in the trace that the caller's metadata names.

        None for one that no caller decided about, and chance did not choose; asking the sampler would cost ten times as much.
        """
        carrier = {name: value for name, value in metadata() or () if name in CONTEXT_HEADERS}
        context = self._extract(carrier) if carrier else None
        decided = context is not None and self._span_of(context).get_span_context().is_valid
        if not decided and random.random() >= self._ratio:  # noqa: S311  (no secret)
            return None
        method = path.strip("/")
        facts = {"rpc.system.name": SYSTEMS[protocol], "rpc.method": method}
        span = self._tracer.start_span(method, context, self._kind, facts, record_exception=False)
        return CallSpan(span, self._tracer, self._in_context)

    async def end(self, seconds: float) -> None:
        """Send what is left, for so long at most."""
        ending = Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, seconds)


class CallSpan:
    """The span of one call, and those of its stages."""

    def __init__(self, span: Span, tracer: Tracer, in_context: Callable[[Span], Any]) -> None:
        self.recording = span.is_recording()
        self._span = span
        self._tracer = tracer
        self._in_context = in_context

    def add_stages(self, timings: Timings) -> None:
        """A child for each stage, one after the other up to now; what lies between them is left out."""
        if not self.recording:
            return
        context = self._in_context(self._span)
        start = time.time_ns() - sum(nanoseconds for _, nanoseconds in timings)
        for stage, nanoseconds in timings:
            child = self._tracer.start_span(f"wildgate.{stage}", context, start_time=start)
            start += nanoseconds
            child.end(start)

    def end(self, code: str, reason: str, request_id: str, action: str) -> None:
        """The call has ended."""
        if self.recording:
            self._span.set_attribute("rpc.response.status_code", code)
            own = {"wildgate.reason": reason, "wildgate.request_id": request_id, "wildgate.action": action}
            self._span.set_attributes({name: str(word) for name, word in own.items() if word})
            if code in SERVER_ERRORS:
                self._fail(code)
        self._span.end()

    def _fail(self, code: str) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415

        self._span.set_status(StatusCode.ERROR)
        self._span.set_attribute("error.type", code)
