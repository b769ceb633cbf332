"""ScoringService: score, record, answer; in that order, so that an answered decision is in the store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import perf_counter_ns
from typing import TYPE_CHECKING

from msgspec import Struct
from uuid_utils import uuid7

from wildgate.v1 import scoring_pb2
from wildgate_service import wire
from wildgate_service.pipeline import check_listing, score_listing
from wildgate_service.record import make_record
from wildgate_service.rpc import RESTRICTED, Caller, Serving, parse, refuse
from wildgate_service.status import missing, to_item_error, too_long, too_many

if TYPE_CHECKING:
    from wildgate.v1 import types_pb2
    from wildgate_service.types import Decision, DecisionRecord, Listing, Recorded

MAX_ITEMS = 256
MAX_CORRELATION_ID = 256
# A batch lets other calls in after so long.
SLICE_NANOSECONDS = 2_000_000

Timings = list[tuple[str, int]]


class _Wanted(Struct, frozen=True):
    """What the caller wants to see of a decision, and may."""

    explain: wire.Explain
    unit: wire.SpanUnit
    restricted: bool


class _Scored(Struct, frozen=True):
    """A listing with its decision; `record` is None when nothing is recorded."""

    listing: Listing
    request_id: str
    decision: Decision
    record: DecisionRecord | None
    timings: Timings


class Scoring:
    """Answers `ScoreListing` and `BatchScoreListings`."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._default = wire.Explain[serving.settings.explain_default.upper()]

    async def score_listing(self, payload: bytes, caller: Caller) -> bytes:
        """Score, record and answer one listing."""
        request = parse(scoring_pb2.ScoreListingRequest, payload)
        wanted = self._wanted(request, caller)
        scored = self._score(request, caller, wanted)
        answer = _render(scored, await self._record(scored), wanted)
        return scoring_pb2.ScoreListingResponse(decision=answer).SerializeToString()

    async def batch_score_listings(self, payload: bytes, caller: Caller) -> bytes:
        """Score up to 256 listings; all that can be scored go to the writer together."""
        request = parse(scoring_pb2.BatchScoreListingsRequest, payload)
        if len(request.items) > MAX_ITEMS:
            raise too_many("items", len(request.items), MAX_ITEMS)
        wanted = self._wanted(request, caller)
        outcomes = await self._score_all(request.items, caller, wanted)
        recorded = await asyncio.gather(*map(self._record_or_error, outcomes))
        response = scoring_pb2.BatchScoreListingsResponse()
        for item, scored, record in zip(request.items, outcomes, recorded, strict=True):
            response.results.append(_result(item.correlation_id, scored, record, wanted))
        return response.SerializeToString()

    def _wanted(
        self,
        request: scoring_pb2.ScoreListingRequest | scoring_pb2.BatchScoreListingsRequest,
        caller: Caller,
    ) -> _Wanted:
        cap = wire.Explain[caller.explain_cap.upper()]
        return _Wanted(
            wire.to_explain(request.explain, self._default, cap),
            wire.to_span_unit(request.span_unit),
            RESTRICTED in caller.scopes,
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
        listing = wire.to_listing(request.listing)
        check_listing(listing)
        timings: Timings = []
        decision = score_listing(
            self._serving.engine,
            listing,
            tenant=caller.tenant,
            timings=timings if wanted.explain is wire.Explain.FULL else None,
        )
        record = self._make_record(decision, listing, request_id, caller.tenant)
        return _Scored(listing, request_id, decision, record, timings)

    def _make_record(
        self, decision: Decision, listing: Listing, request_id: str, tenant: str
    ) -> DecisionRecord | None:
        if self._serving.writer is None:
            return None
        return make_record(
            decision,
            listing,
            tenant=tenant,
            decision_id=str(uuid7()),
            request_id=request_id,
            decided_time=datetime.now(UTC),
            tenant_key=self._serving.secrets.tenant_key(tenant),
        )

    async def _record(self, scored: _Scored) -> Recorded | None:
        if self._serving.writer is None or scored.record is None:
            return None
        start = perf_counter_ns()
        recorded = await self._serving.writer.record(scored.record)
        scored.timings.append(("record", perf_counter_ns() - start))
        return recorded

    async def _record_or_error(self, scored: _Scored | Exception) -> Recorded | Exception | None:
        if isinstance(scored, Exception):
            return scored
        try:
            return await self._record(scored)
        except Exception as error:  # noqa: BLE001  (each item has its own error)
            return error

    async def _score_all(
        self, items: list[scoring_pb2.BatchItem], caller: Caller, wanted: _Wanted
    ) -> list[_Scored | Exception]:
        scored: list[_Scored | Exception] = []
        slice_end = perf_counter_ns() + SLICE_NANOSECONDS
        for item in items:
            scored.append(self._score_or_error(item, caller, wanted))
            if perf_counter_ns() > slice_end:
                await asyncio.sleep(0)
                slice_end = perf_counter_ns() + SLICE_NANOSECONDS
        return scored

    def _score_or_error(
        self, item: scoring_pb2.BatchItem, caller: Caller, wanted: _Wanted
    ) -> _Scored | Exception:
        try:
            if len(item.correlation_id) > MAX_CORRELATION_ID:
                raise too_long("correlation_id", len(item.correlation_id), MAX_CORRELATION_ID)
            return self._score(item, caller, wanted)
        except Exception as error:  # noqa: BLE001  (each item has its own error)
            return error


def _result(
    correlation_id: str,
    scored: _Scored | Exception,
    recorded: Recorded | Exception | None,
    wanted: _Wanted,
) -> scoring_pb2.BatchResult:
    try:
        if isinstance(scored, Exception):
            raise scored
        if isinstance(recorded, Exception):
            raise recorded
        answer = _render(scored, recorded, wanted)
    except Exception as error:  # noqa: BLE001  (each item has its own error)
        refusal = refuse(error, "batch_item_failed")
        return scoring_pb2.BatchResult(correlation_id=correlation_id, error=to_item_error(refusal))
    return scoring_pb2.BatchResult(correlation_id=correlation_id, decision=answer)


def _render(scored: _Scored, recorded: Recorded | None, wanted: _Wanted) -> types_pb2.Decision:
    """The answer; of a repeat, what was recorded the first time, for the text is the same."""
    decision = recorded.record.decision if recorded and recorded.repeated else scored.decision
    message = wire.from_decision(
        decision,
        scored.listing,
        explain=wanted.explain,
        unit=wanted.unit,
        restricted=wanted.restricted,
        timings=scored.timings,
    )
    message.request_id = scored.request_id
    if recorded:
        message.decision_id = recorded.record.decision_id
        message.receipt.CopyFrom(wire.from_receipt(recorded.receipt))
    return message
