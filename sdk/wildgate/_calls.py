"""What both clients send and what they make of the answers; no I/O happens here.

`Client` and `AsyncClient` only carry requests to the service and answers back, so that they cannot
differ in what a deadline, a failure or a batch means.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import grpc

from wildgate import _convert, _convert_outcomes
from wildgate._config import BATCH_TIMEOUT, OUTCOME_TIMEOUT, Metadata, Settings
from wildgate._connection import Method
from wildgate._errors import (
    WildgateDeadlineExceededError,
    WildgateError,
    WildgateInternalError,
    WildgateInvalidRequestError,
    WildgateUnavailableError,
    WildgateUnimplementedError,
    make_error,
)
from wildgate._ids import uuid7
from wildgate._limits import MAX_BATCH, check_id, check_listing, check_outcome
from wildgate._outcomes import Outcome, OutcomeResult
from wildgate._stats import DegradedLog, Stats
from wildgate._status import decode_status
from wildgate._tracing import client_span, find_tracer
from wildgate._types import Action, BatchResult, Decision, Explain, Listing, SpanUnit, read_enum
from wildgate.v1 import scoring_pb2, transparency_pb2

_logger = logging.getLogger("wildgate")
_DAY = 86_400.0
# Under the 4 MiB that gRPC servers take by default.
_MAX_BATCH_BYTES = 3 * 1024 * 1024
_SERVING = b"\x08\x01"
_PROBE_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which everything must be over: checks, connecting and all attempts."""

    ends: float
    """On the monotonic clock, in seconds."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Start the clock; zero or less is already over, so that a spent budget may be passed."""
        if not isinstance(seconds, int | float) or math.isnan(seconds):
            message = f"timeout must be a number of seconds, not {seconds!r}"
            raise WildgateInvalidRequestError(message, reason="FIELD_INVALID", metadata={"field": "timeout"})
        return cls(time.monotonic() + min(seconds, _DAY))

    def remaining(self) -> float:
        """Return the seconds left; raise WildgateDeadlineExceededError if there are none."""
        left = self.ends - time.monotonic()
        if left <= 0:
            message = "the deadline passed before the request could be sent"
            raise WildgateDeadlineExceededError(message, reason="DEADLINE_EXCEEDED")
        return left


@dataclass(frozen=True, slots=True)
class ScoreCall:
    """One listing on its way."""

    request: scoring_pb2.ScoreListingRequest
    deadline: Deadline
    listing_id: str
    request_id: str


class Calls:
    """Makes requests and reads answers for one client, and counts both."""

    def __init__(self, settings: Settings) -> None:
        """Start counting from zero."""
        self.settings = settings
        self.stats = Stats()
        self._log = DegradedLog()
        self._tracer = find_tracer()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a call and, if it fails, the error."""
        self.stats.count_call()
        try:
            yield
        except WildgateError as error:
            self.stats.count_error(error.reason)
            raise

    def span(self, method: Method[Any, Any]) -> AbstractContextManager[Metadata]:
        """Trace one RPC, if the caller traces, and yield its metadata."""
        return client_span(self._tracer, method.path, self.settings.metadata)

    def renew_locks(self) -> None:
        """Make the counters usable in a child of a fork."""
        self.stats.renew_lock()
        self._log.renew_lock()

    def score(
        self,
        listing: Listing,
        timeout: float | None,
        explain: Explain | str | None,
        request_id: object,
    ) -> ScoreCall:
        """Check a listing and make its request; the clock starts first."""
        deadline = Deadline.after(self.settings.timeout if timeout is None else timeout)
        check_listing(listing)
        chosen = str(uuid7()) if request_id is None else check_id("request_id", request_id)
        request = scoring_pb2.ScoreListingRequest(
            request_id=chosen,
            listing=_convert.listing_to_proto(listing),
            explain=self._explain(explain),
            span_unit=_convert.SPAN_UNITS[self.settings.span_unit],
        )
        return ScoreCall(request, deadline, listing.id, chosen)

    def batch(
        self,
        listings: Iterable[Listing],
        timeout: float | None,
        explain: Explain | str | None,
        request_ids: Sequence[object] | None,
    ) -> Batch:
        """Start a batch."""
        deadline = None if timeout is None else Deadline.after(timeout)
        items = list(listings)
        if request_ids is not None and len(request_ids) != len(items):
            message = f"{len(items)} listings came with {len(request_ids)} request_ids"
            raise WildgateInvalidRequestError(message, reason="FIELD_INVALID", metadata={"field": "request_ids"})
        if deadline is None:
            deadline = Deadline.after(BATCH_TIMEOUT * max(1, math.ceil(len(items) / MAX_BATCH)))
        return Batch(self, items, deadline, self._explain(explain), request_ids)

    def decision(self, response: scoring_pb2.ScoreListingResponse) -> Decision:
        """Read the answer to one listing."""
        if not response.HasField("decision"):
            message = "the service answered without a decision"
            raise WildgateInternalError(message, reason="INTERNAL")
        self.stats.count_decision()
        return _convert.decision_from_proto(response.decision, self.settings.span_unit)

    def degrade(self, error: WildgateUnavailableError, request_id: str, listing_id: str) -> Decision:
        """Decide without the service as `on_unavailable` says, or raise the error."""
        error.request_id = request_id
        if self.settings.on_unavailable == "raise":
            raise error
        decision = Decision(
            action=Action(self.settings.on_unavailable),
            request_id=request_id,
            listing_id=listing_id,
            degraded=True,
            degraded_reasons=(error.why,),
            span_unit=self.settings.span_unit,
        )
        self.stats.count_degraded(error.why)
        self._log.add(error.why, decision.action)
        self._tell(decision)
        return decision

    def _tell(self, decision: Decision) -> None:
        if self.settings.on_degraded is None:
            return
        try:
            self.settings.on_degraded(decision)
        except Exception:  # a broken hook must not break the answer it was told of
            _logger.exception("wildgate.on_degraded_failed request_id=%s", decision.request_id)

    def _explain(self, explain: Explain | str | None) -> Any:  # noqa: ANN401 an enum of protobuf
        chosen = self.settings.explain if explain is None else explain
        return None if chosen is None else _convert.EXPLAINS[read_enum(Explain, chosen, "explain")]


class Batch:
    """Listings on their way in chunks, and their results as they come in."""

    def __init__(
        self,
        calls: Calls,
        listings: list[Listing],
        deadline: Deadline,
        explain: Any,  # noqa: ANN401 an enum of protobuf
        request_ids: Sequence[object] | None,
    ) -> None:
        """Keep what to send; nothing is checked before `requests`."""
        self.deadline = deadline
        self._calls = calls
        self._listings = listings
        self._explain = explain
        self._request_ids = request_ids
        self._results: dict[int, BatchResult] = {}

    def requests(self) -> Iterator[scoring_pb2.BatchScoreListingsRequest]:
        """Yield the requests to send, one after the other."""
        chunk: list[scoring_pb2.BatchItem] = []
        size = 0
        for item in self._items():
            if len(chunk) == MAX_BATCH or (chunk and size + item.ByteSize() > _MAX_BATCH_BYTES):
                yield self._request(chunk)
                chunk, size = [], 0
            chunk.append(item)
            size += item.ByteSize()
        if chunk:
            yield self._request(chunk)

    def answered(
        self,
        request: scoring_pb2.BatchScoreListingsRequest,
        response: scoring_pb2.BatchScoreListingsResponse,
    ) -> None:
        """Take the answer to a request; an item without one gets an error."""
        answers = {result.correlation_id: result for result in response.results}
        for item in request.items:
            self._keep(item, self._read(item, answers.get(item.correlation_id)))

    def unanswered(self, request: scoring_pb2.BatchScoreListingsRequest, error: WildgateUnavailableError) -> None:
        """Take the failure of a request: its items are decided by `on_unavailable`."""
        for item in request.items:
            self._keep(item, type(error)(error.message, reason=error.reason))

    def results(self) -> list[BatchResult]:
        """Return one result per listing, in their order."""
        return [self._results[index] for index in range(len(self._listings))]

    def _items(self) -> Iterator[scoring_pb2.BatchItem]:
        for index, listing in enumerate(self._listings):
            try:
                yield self._item(index, listing)
            except WildgateInvalidRequestError as error:
                self._fail(index, error)

    def _item(self, index: int, listing: Listing) -> scoring_pb2.BatchItem:
        check_listing(listing)
        given = uuid7() if self._request_ids is None else self._request_ids[index]
        return scoring_pb2.BatchItem(
            correlation_id=str(index),
            request_id=check_id("request_id", given),
            listing=_convert.listing_to_proto(listing),
        )

    def _request(self, chunk: list[scoring_pb2.BatchItem]) -> scoring_pb2.BatchScoreListingsRequest:
        span_unit: SpanUnit = self._calls.settings.span_unit
        return scoring_pb2.BatchScoreListingsRequest(items=chunk, explain=self._explain, span_unit=_convert.SPAN_UNITS[span_unit])

    def _read(self, item: scoring_pb2.BatchItem, answer: scoring_pb2.BatchResult | None) -> Decision | WildgateError:
        if answer is not None and answer.HasField("decision"):
            self._calls.stats.count_decision()
            return _convert.decision_from_proto(answer.decision, self._calls.settings.span_unit)
        if answer is not None and answer.HasField("error"):
            return _convert.item_error(answer.error, item.request_id)
        message = "the service gave no result for this listing"
        return WildgateInternalError(message, reason="INTERNAL", request_id=item.request_id)

    def _keep(self, item: scoring_pb2.BatchItem, result: Decision | WildgateError) -> None:
        index = int(item.correlation_id)
        if isinstance(result, WildgateUnavailableError):
            try:
                listing_id = item.listing.listing_id
                result = self._calls.degrade(result, item.request_id, listing_id)
            except WildgateUnavailableError as error:
                result = error
        if isinstance(result, WildgateError):
            self._fail(index, result)
        else:
            self._results[index] = BatchResult(index, result)

    def _fail(self, index: int, error: WildgateError) -> None:
        self._calls.stats.count_error(error.reason)
        self._results[index] = BatchResult(index, error=error)


class Probe:
    """Asks over and over whether the service is serving, until a deadline."""

    def __init__(self, target: str, timeout: float) -> None:
        """Start the clock."""
        self._target = target
        self._timeout = timeout
        self._deadline = Deadline.after(timeout)
        self._last = "no answer"

    def remaining(self) -> float:
        """Return the seconds left for the next check; raise with the last answer if none are."""
        try:
            return self._deadline.remaining()
        except WildgateDeadlineExceededError as error:
            message = f"{self._target} was not ready within {self._timeout} s: {self._last}"
            raise WildgateDeadlineExceededError(message, reason=error.reason) from None

    def serving(self, answer: bytes) -> bool:
        """Read an answer of grpc.health.v1; fields that are new to this version are ignored."""
        self._last = "it answers that it is not serving"
        return answer.startswith(_SERVING)

    def failed(self, error: WildgateError) -> bool:
        """Take a failed check: True if the service answers all the same, raise if it never will."""
        if isinstance(error, WildgateUnimplementedError):
            return True
        if not isinstance(error, WildgateUnavailableError):
            raise error
        self._last = error.message
        return False

    def pause(self) -> float:
        """Return the seconds to wait before the next check."""
        return min(_PROBE_PAUSE, max(0.0, self._deadline.ends - time.monotonic()))


class OutcomeBatch:
    """Outcomes on their way in chunks."""

    def __init__(self, outcomes: Iterable[Outcome], timeout: float | None) -> None:
        """Check all outcomes before any is sent."""
        self._outcomes = list(outcomes)
        chunks = max(1, math.ceil(len(self._outcomes) / MAX_BATCH))
        self.deadline = Deadline.after(OUTCOME_TIMEOUT * chunks if timeout is None else timeout)
        for outcome in self._outcomes:
            check_outcome(outcome)

    def requests(self) -> Iterator[transparency_pb2.RecordOutcomesRequest]:
        """Yield the requests to send, one after the other."""
        for start in range(0, len(self._outcomes), MAX_BATCH):
            chunk = self._outcomes[start : start + MAX_BATCH]
            yield transparency_pb2.RecordOutcomesRequest(outcomes=[_convert_outcomes.outcome_to_proto(outcome) for outcome in chunk])


def read_outcomes(
    request: transparency_pb2.RecordOutcomesRequest,
    response: transparency_pb2.RecordOutcomesResponse,
) -> list[OutcomeResult]:
    """Read one result per outcome; raise if the service lost any."""
    if len(response.results) != len(request.outcomes):
        message = f"{len(request.outcomes)} outcomes got {len(response.results)} results"
        raise WildgateInternalError(message, reason="INTERNAL")
    return [_convert_outcomes.outcome_result(result) for result in response.results]


def only_outcome(results: list[OutcomeResult]) -> OutcomeResult:
    """Return the only result, or raise its error."""
    (result,) = results
    if result.error is not None:
        raise result.error
    return result


def report_request(start: date | str, end: date | str) -> transparency_pb2.GetTransparencyReportRequest:
    """Make the request of a report."""
    return transparency_pb2.GetTransparencyReportRequest(start_date=_day("start", start), end_date=_day("end", end))


def error_from_rpc(error: grpc.RpcError, request_id: str | None = None) -> WildgateError:
    """Turn a failed RPC into one of our errors, whatever its trailers hold."""
    number: int = error.code().value[0]
    trailers: Any = error.trailing_metadata() or ()
    details = None
    for key, value in trailers:
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            details = decode_status(value)
    return make_error(number, error.details() or "", details, request_id)


def _day(name: str, value: date | str) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        message = f"{name} must be a date, or a day such as 2026-11-22, not {value!r}"
        raise WildgateInvalidRequestError(message, reason="FIELD_INVALID", metadata={"field": f"{name}_date"}) from None
