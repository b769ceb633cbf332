"""What is seen of a worker's calls: counts, a line of the access log, a span. Ids, codes and times; never what the call said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from google.rpc import code_pb2
from msgspec import Struct

from wildgate_service.monitoring.counts import DecisionCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Literal

    from wildgate_service.monitoring.tally import Tally
    from wildgate_service.monitoring.traces import CallSpan, Tracing
    from wildgate_service.pipeline import Timings
    from wildgate_service.status import Refusal
    from wildgate_service.types import Decision

    Logged = Literal["off", "refused", "all"]
    Protocol = Literal["grpc", "http"]
    Metadata = Callable[[], Iterable[tuple[str, str | bytes]] | None]

log = structlog.get_logger()

OK = code_pb2.Code.Name(code_pb2.OK)
CANCELED = code_pb2.Code.Name(code_pb2.CANCELLED)
UNIMPLEMENTED = code_pb2.Code.Name(code_pb2.UNIMPLEMENTED)
CODES: dict[int, str] = {number: name for name, number in code_pb2.Code.items()}
OTHER_RPC = "other"
GRPC: Protocol = "grpc"
HTTP: Protocol = "http"


class Call(Struct, eq=False):
    """One call while it lasts. `request_id` and `action` are those of its last listing, as far as it got.

    `started` is by `time.perf_counter`, 0 for a call that is refused before it is read: its time would say nothing of the others'.
    """

    rpc: str
    started: float = 0.0
    request_id: str = ""
    action: str = ""
    tenant: str = ""
    protocol: str = "grpc"
    span: CallSpan | None = None

    @property
    def ids(self) -> dict[str, str]:
        """What names the call in the log."""
        return {"rpc": self.rpc, "request_id": self.request_id} if self.request_id else {"rpc": self.rpc}


class Observer:
    """Sees all calls of a worker. Whatever of it is not wanted costs next to nothing: `tally` and `tracing` may be None, `logged` "off"."""

    def __init__(self, tally: Tally | None, tracing: Tracing | None, logged: Logged) -> None:
        self.decisions = DecisionCounts(tally) if tally else None
        self._tally = tally
        self._tracing = tracing
        self._logged = logged
        if tally:
            self._requests = tally.counter("wildgate_requests_total")
            self._protocols = tally.counter("wildgate_protocol_requests_total")
            self._seconds = tally.histogram("wildgate_request_seconds")
            self._items = tally.counter("wildgate_item_errors_total")
            self._batches = tally.histogram("wildgate_batch_listings")
            self._ended = tally.counter("wildgate_worker_requests_total")

    def show(self) -> None:
        """Bring up to date what follows from other numbers."""
        if self._tally:
            self._ended[(self._tally.name,)] = sum(self._requests.values())

    # --- calls -----------------------------------------------------------------------------------

    def begin(self, rpc: str, path: str, metadata: Metadata, protocol: Protocol = GRPC) -> Call:
        """A call has come. `path` is the RPC's full name; `metadata` is asked for only where it is needed."""
        call = Call(rpc, time.perf_counter(), protocol=protocol)
        if self._tracing:
            call.span = self._tracing.begin(path, metadata, protocol)
        return call

    def end(self, call: Call, code: str, refusal: Refusal | None) -> None:
        """It is answered (OK), refused, or nobody waits for it any more (CANCELED)."""
        seconds = time.perf_counter() - call.started if call.started else 0.0
        if refusal:
            code = CODES[refusal.code]
        reason = str(refusal.reason) if refusal else ""
        if self._tally:
            self._requests[(call.rpc, code, reason)] += 1
            self._protocols[(call.protocol,)] += 1
            if call.started:
                self._seconds.observe(seconds, call.rpc)
        if call.span:
            call.span.end(code, reason, call.request_id, call.action)
        if self._logged != "off":
            self._write(call, code, reason, seconds)

    def refused(self, rpc: str, refusal: Refusal, protocol: Protocol = GRPC) -> None:
        """A call is refused before it is read; `rpc` is its name, or OTHER_RPC."""
        self.end(Call(rpc, protocol=protocol), "", refusal)

    def unknown(self, protocol: Protocol = GRPC) -> None:
        """Somebody called what there is not."""
        self.end(Call(OTHER_RPC, protocol=protocol), UNIMPLEMENTED, None)

    def _write(self, call: Call, code: str, reason: str, seconds: float) -> None:
        if self._logged == "refused" and code == OK:
            return
        known = {"request_id": call.request_id, "tenant": call.tenant, "reason": reason, "action": call.action}
        said = {name: word for name, word in known.items() if word}
        log.info("call", rpc=call.rpc, protocol=call.protocol, code=code, milliseconds=round(seconds * 1e3, 3), **said)

    # --- listings --------------------------------------------------------------------------------

    def times_this(self, call: Call | None) -> bool:
        """Whether the stages of a listing of this call are to be timed."""
        if self.decisions and self.decisions.times_this():
            return True
        return call is not None and call.span is not None and call.span.recording

    def batch(self, listings: int) -> None:
        """Count a batch."""
        if self._tally:
            self._batches.observe(listings)

    def items_refused(self, refusals: Iterable[Refusal]) -> None:
        """Count items that got an error of their own."""
        if self._tally:
            for refusal in refusals:
                self._items[(str(refusal.reason),)] += 1

    def answered(self, call: Call | None, decision: Decision, timings: Timings, *, timed: bool, repeated: bool) -> None:
        """Count a listing that is answered; `timed` if its stages are in `timings`."""
        if call:
            call.action = decision.action
        if self.decisions is None:
            return
        if repeated:
            self.decisions.repeated()
            return
        self.decisions.decided(decision)
        if timed:
            self.decisions.timed(decision, timings)
