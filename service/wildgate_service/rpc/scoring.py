"""ScoringService: score, record, answer, in that order: an answered decision is in the store."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING

from msgspec import Struct
from uuid_utils import uuid7
from wildgate.v1 import scoring_pb2

from wildgate_service import wire
from wildgate_service.gathering import Gathering
from wildgate_service.pipeline import Timings, score_listing
from wildgate_service.record import make_record
from wildgate_service.rpc import RESTRICTED, Caller, Serving, parse, refuse
from wildgate_service.sampling import drawn
from wildgate_service.status import Refusal, missing, overloaded, to_item_error, too_long, too_many
from wildgate_service.types import Decision, DecisionRecord, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from wildgate.v1 import types_pb2

    from wildgate_service.types import Recorded

MAX_ITEMS = 256
MAX_CORRELATION_ID = 256
# A batch lets other calls in after so long, for so many turns of the event loop: a call needs several from its arrival to its answer.
SLICE_SECONDS = 0.002
TURNS_FOR_OTHERS = 12


class _Wanted(Struct, frozen=True):
    """What the caller wants to see of a decision, and may."""

    explain: wire.Explain
    unit: wire.SpanUnit
    restricted: bool
    score_detail: wire.ScoreDetail


class _Scored(Struct, frozen=True):
    """A listing with its decision; `record` is None when nothing is recorded."""

    listing: Listing
    request_id: str
    decision: Decision
    record: DecisionRecord | None
    timings: Timings
    timed: bool


class Scoring:
    """Answers `ScoreListing` and `BatchScoreListings`."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._observer = serving.observer
        self._admission = serving.admission
        self._gathering = Gathering()
        self._admission.waited = self._waited
        self._slice = asyncio.Lock()  # of all batches one at a time, so that together they leave others the same room
        self._default = wire.Explain[serving.settings.explain_default.upper()]

    def _waited(self) -> float:
        """Seconds that the first in line has waited; 0 for a line as short as gRPC lets wait, since a hiccup alone refuses nobody."""
        return self._gathering.waited if self._gathering.waiting > self._serving.settings.max_waiting else 0.0

    async def score_listing(self, payload: bytes, caller: Caller) -> bytes:
        """Score, record and answer one listing."""
        with self._held(1, caller):
            scored, wanted = await self._gathering.run(partial(self._score_request, payload, caller))
            answer = await self._answer(scored, caller, wanted)
        if caller.call and caller.call.span:
            caller.call.span.add_stages(scored.timings)
        return scoring_pb2.ScoreListingResponse(decision=answer).SerializeToString()

    def _score_request(self, payload: bytes, caller: Caller) -> tuple[_Scored, _Wanted]:
        _check_awaited(caller)
        request = parse(scoring_pb2.ScoreListingRequest, payload)
        wanted = self._wanted(request, caller)
        return self._score(request, caller, wanted), wanted

    async def batch_score_listings(self, payload: bytes, caller: Caller) -> bytes:
        """Score up to 256 listings; all that can be scored go to the writer together."""
        request = parse(scoring_pb2.BatchScoreListingsRequest, payload)
        if len(request.items) > MAX_ITEMS:
            raise too_many("items", len(request.items), MAX_ITEMS)
        wanted = self._wanted(request, caller)
        self._charge(len(request.items), caller)
        if self._observer:
            self._observer.batch(len(request.items))
        with self._held(len(request.items), caller):
            scored = await self._score_items(request.items, caller, wanted)
            answers = await asyncio.gather(*(self._answer_item(each, caller, wanted) for each in scored))
        if self._observer:
            self._observer.items_refused(each for each in answers if isinstance(each, Refusal))
        response = scoring_pb2.BatchScoreListingsResponse(results=map(_result, request.items, answers))
        return response.SerializeToString()

    def _charge(self, listings: int, caller: Caller) -> None:
        """Raise Refusal if the tenant is over its limit; single calls were charged before they were read."""
        limiter = self._serving.limiter
        if limiter and listings and (refusal := limiter.refusal(caller.tenant, listings)):
            raise refusal

    def _held(self, listings: int, caller: Caller) -> AbstractContextManager[None]:
        writer = self._serving.writer
        return self._admission.hold(listings, caller.deadline, writer.waiting_seconds if writer else 0.0)

    def _wanted(
        self,
        request: scoring_pb2.ScoreListingRequest | scoring_pb2.BatchScoreListingsRequest,
        caller: Caller,
    ) -> _Wanted:
        return _Wanted(
            wire.to_explain(request.explain, self._default, caller.explain_cap),
            wire.to_span_unit(request.span_unit),
            RESTRICTED in caller.scopes,
            caller.score_detail,
        )

    def _score(
        self,
        request: scoring_pb2.ScoreListingRequest | scoring_pb2.BatchItem,
        caller: Caller,
        wanted: _Wanted,
    ) -> _Scored:
        if not request.HasField("listing"):
            raise missing("listing")
        request_id = wire.to_uuid(request.request_id, "request_id") or str(uuid7())
        call = caller.call
        if call:
            call.request_id = request_id
        listing = wire.to_listing(request.listing)
        timings: Timings = []
        timed = wanted.explain is wire.Explain.FULL or (self._observer is not None and self._observer.times_this(call))
        decision = score_listing(
            self._serving.engine,
            listing,
            tenant=caller.tenant,
            timings=timings if timed else None,
            deadline=caller.deadline,
            hurry=self._admission.hurried,
        )
        if self._serving.secrets is None:
            return _Scored(listing, request_id, decision, None, timings, timed)
        key = self._serving.secrets.tenant_key(caller.tenant)
        record = _make_record(drawn(decision, request_id, key), listing, request_id, caller.tenant, key)
        return _Scored(listing, request_id, record.decision, record, timings, timed)

    async def _record(self, scored: _Scored) -> Recorded | None:
        if self._serving.writer is None or scored.record is None:
            return None
        start = perf_counter_ns()
        recorded = await self._serving.writer.record(scored.record)
        scored.timings.append(("record", perf_counter_ns() - start))
        return recorded

    async def _answer(self, scored: _Scored, caller: Caller, wanted: _Wanted) -> types_pb2.Decision:
        """Record and answer; what nobody waits for any more is not recorded. Raises Refusal or StoreError."""
        _check_awaited(caller)
        recorded = await self._record(scored)
        if self._observer:
            repeated = recorded is not None and recorded.repeated
            self._observer.answered(caller.call, scored.decision, scored.timings, timed=scored.timed, repeated=repeated)
        return _render(scored, recorded, wanted)

    # --- items of a batch, each with its own error -----------------------------------------------

    async def _score_items(self, items: Iterable[scoring_pb2.BatchItem], caller: Caller, wanted: _Wanted) -> list[_Scored | Refusal]:
        scored: list[_Scored | Refusal] = []
        rest = iter(items)
        while True:
            async with self._slice:
                _check_awaited(caller)
                scores = self._score_slice(rest, caller, wanted)
                if not scores:
                    return scored
                scored += scores
                for _ in range(TURNS_FOR_OTHERS):
                    await asyncio.sleep(0)

    def _score_slice(self, rest: Iterator[scoring_pb2.BatchItem], caller: Caller, wanted: _Wanted) -> list[_Scored | Refusal]:
        """Score what can be scored in one go; nothing if nothing is left."""
        scored: list[_Scored | Refusal] = []
        start = time.monotonic()
        for item in rest:
            scored.append(self._score_item(item, caller, wanted))
            if (now := time.monotonic()) > start + SLICE_SECONDS:
                self._admission.scored(len(scored), now - start)
                break
        return scored

    def _score_item(self, item: scoring_pb2.BatchItem, caller: Caller, wanted: _Wanted) -> _Scored | Refusal:
        if len(item.correlation_id) > MAX_CORRELATION_ID:
            return too_long("correlation_id", len(item.correlation_id), MAX_CORRELATION_ID)
        try:
            return self._score(item, caller, wanted)
        except Exception as error:  # noqa: BLE001  (a defect in one must not fail the others)
            return refuse(error, "scoring_failed", caller.call)

    async def _answer_item(self, scored: _Scored | Refusal, caller: Caller, wanted: _Wanted) -> types_pb2.Decision | Refusal:
        if isinstance(scored, Refusal):
            return scored
        try:
            return await self._answer(scored, caller, wanted)
        except Exception as error:  # noqa: BLE001  (likewise)
            return refuse(error, "answering_failed", caller.call)


def _make_record(decision: Decision, listing: Listing, request_id: str, tenant: str, tenant_key: bytes) -> DecisionRecord:
    return make_record(
        decision,
        listing,
        tenant=tenant,
        decision_id=str(uuid7()),
        request_id=request_id,
        decided_time=datetime.now(UTC),
        tenant_key=tenant_key,
    )


def _check_awaited(caller: Caller) -> None:
    """Raise Refusal if the caller's deadline has passed: it is gone, and reads nothing."""
    if caller.deadline is not None and caller.deadline <= time.monotonic():
        raise overloaded()


def _result(item: scoring_pb2.BatchItem, answer: types_pb2.Decision | Refusal) -> scoring_pb2.BatchResult:
    result = scoring_pb2.BatchResult(correlation_id=item.correlation_id)
    if isinstance(answer, Refusal):
        result.error.CopyFrom(to_item_error(answer))
    else:
        result.decision.CopyFrom(answer)
    return result


def _render(scored: _Scored, recorded: Recorded | None, wanted: _Wanted) -> types_pb2.Decision:
    """Make the answer; a repeat shows what was recorded first, for its text is the same. What waits in the spool has no receipt yet."""
    decision = recorded.record.decision if recorded else scored.decision
    message = wire.from_decision(
        decision,
        scored.listing,
        explain=wanted.explain,
        unit=wanted.unit,
        restricted=wanted.restricted,
        score_detail=wanted.score_detail,
        timings=scored.timings,
    )
    message.request_id = scored.request_id
    if recorded:
        message.decision_id = recorded.record.decision_id
        if recorded.receipt:
            message.receipt.CopyFrom(wire.from_receipt(recorded.receipt))
    return message
