"""TransparencyService: what the platform did, and the report of it. A tenant sees only its own."""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from wildgate.v1 import transparency_pb2

from wildgate_service.outcomes import Outcome
from wildgate_service.policy import default_policy, file_of_text, read_policy
from wildgate_service.report import make_report
from wildgate_service.rpc import Caller, Serving, parse, refuse
from wildgate_service.statements.make import make
from wildgate_service.status import Reason, Refusal, invalid, to_item_error, too_many
from wildgate_service.store import open_store
from wildgate_service.wire_transparency import from_made, from_report, to_date, to_outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.statements.make import Made
    from wildgate_service.store import OutcomeRecorded
    from wildgate_service.types import TransparencyReport

MAX_OUTCOMES = 256
MAX_STATEMENTS = 1_000
MAX_DAYS = 3_660
PAGE_TOKEN = re.compile(r"[0-9]{1,12}")


class Transparency:
    """Answers `RecordOutcomes`, `GetTransparencyReport` and `ExportStatementsOfReasons`."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def record_outcomes(self, payload: bytes, caller: Caller) -> bytes:
        """Record up to 256 outcomes; a broken one gets its own error and the rest go on."""
        request = parse(transparency_pb2.RecordOutcomesRequest, payload)
        if len(request.outcomes) > MAX_OUTCOMES:
            raise too_many("outcomes", len(request.outcomes), MAX_OUTCOMES)
        now = datetime.now(UTC)
        ticks = (now + timedelta(microseconds=tick) for tick in itertools.count())  # which keep the order of the call
        read = [_outcome_or_refusal(message, caller.tenant, tick) for message, tick in zip(request.outcomes, ticks, strict=False)]
        recorded = iter(await self._record([each for each in read if isinstance(each, Outcome)]))
        response = transparency_pb2.RecordOutcomesResponse()
        for message, each in zip(request.outcomes, read, strict=True):
            result = next(recorded) if isinstance(each, Outcome) else each
            response.results.append(_result(message.outcome_id, result))
        return response.SerializeToString()

    async def _record(self, outcomes: Sequence[Outcome]) -> Sequence[OutcomeRecorded | Exception]:
        if not outcomes:
            return ()
        if self._serving.writer is None:
            raise Refusal(Reason.STORE_UNAVAILABLE)
        return await self._serving.writer.record_outcomes(outcomes)

    async def get_transparency_report(self, payload: bytes, caller: Caller) -> bytes:
        """Build the report of a span of days; reads the store beside the loop."""
        request = parse(transparency_pb2.GetTransparencyReportRequest, payload)
        start = to_date(request.start_date, "start_date")
        end = to_date(request.end_date, "end_date")
        if end < start or (end - start).days > MAX_DAYS:
            raise invalid("end_date")
        if not self._serving.settings.recording:
            raise Refusal(Reason.STORE_UNAVAILABLE)
        report = await asyncio.to_thread(self._report, caller.tenant, start, end)
        response = transparency_pb2.GetTransparencyReportResponse(report=from_report(report))
        return response.SerializeToString()

    async def export_statements_of_reasons(self, payload: bytes, caller: Caller) -> bytes:
        """A page of the statements of a day that is over; reads the store beside the loop."""
        request = parse(transparency_pb2.ExportStatementsOfReasonsRequest, payload)
        day = to_date(request.date, "date")
        if day >= datetime.now(UTC).date():
            raise invalid("date")
        if request.page_size > MAX_STATEMENTS:
            raise too_many("page_size", request.page_size, MAX_STATEMENTS)
        if request.page_token and not PAGE_TOKEN.fullmatch(request.page_token):
            raise invalid("page_token")
        if self._serving.secrets is None:
            raise Refusal(Reason.STORE_UNAVAILABLE)
        first = int(request.page_token or 0)
        end = first + (request.page_size or MAX_STATEMENTS // 2)
        key = self._serving.secrets.tenant_key(caller.tenant)
        made = await asyncio.to_thread(self._statements, caller.tenant, key, day)
        response = transparency_pb2.ExportStatementsOfReasonsResponse(statements=map(from_made, made[first:end]))
        response.next_page_token = str(end) if end < len(made) else ""
        return response.SerializeToString()

    def _statements(self, tenant: str, tenant_key: bytes, day: date) -> list[Made]:
        file = self._serving.settings.policy or default_policy()
        rules = file_of_text(read_policy(file), str(file))
        with open_store(self._serving.settings.store, read_only=True) as store:
            facts = store.statement_facts(day, day, tenant=tenant)
        return sorted((make(each, rules, tenant_key) for each in facts), key=lambda each: each.outcome_id)

    def _report(self, tenant: str, start: date, end: date) -> TransparencyReport:
        with open_store(self._serving.settings.store, read_only=True) as store:
            facts = store.report_facts(start, end, tenant=tenant)
        fewest = self._serving.engine.policy.sampling.fewest
        return make_report(facts, tenant=tenant, start=start, end=end, generated_time=datetime.now(UTC), fewest=fewest)


def _outcome_or_refusal(message: transparency_pb2.Outcome, tenant: str, now: datetime) -> Outcome | Refusal:
    try:
        return to_outcome(message, tenant=tenant, now=now)
    except Refusal as refusal:
        return refusal


def _result(outcome_id: str, recorded: OutcomeRecorded | Exception) -> transparency_pb2.OutcomeResult:
    if isinstance(recorded, Exception):
        error = to_item_error(refuse(recorded, "outcome_failed"))
        return transparency_pb2.OutcomeResult(outcome_id=outcome_id, error=error)
    return transparency_pb2.OutcomeResult(outcome_id=outcome_id, duplicate=recorded.duplicate)
