"""The fake service behind `wildgate.testing`."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import grpc
from google.protobuf.message import Message

from wildgate import _convert, _convert_outcomes
from wildgate._aio import AsyncClient
from wildgate._client import Client
from wildgate._connection import BATCH, HEALTH, LEXICON, OUTCOMES, REPORT, SCORE
from wildgate._errors import Code
from wildgate._ids import uuid7
from wildgate._outcomes import Outcome
from wildgate._script import SCORES, TAXA, TOLD, Rule, make_rule, read_scenario
from wildgate._status import ErrorDetails, encode_status
from wildgate._types import Action, Decision, Listing, Match, ReportCount, SpanUnit, Taxon, TransparencyReport
from wildgate.v1 import errors_pb2, lexicon_pb2, scoring_pb2, transparency_pb2, types_pb2

_UNITS: dict[int, SpanUnit] = {number: unit for unit, number in _convert.SPAN_UNITS.items()}
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"
_WORKERS = 32

Answer = Decision | Action | str | types_pb2.Decision


@dataclass(slots=True)
class _Fault:
    act: Callable[[grpc.ServicerContext], None]
    times: float


class FakeWildgate:
    """A scripted Wildgate service on 127.0.0.1; a context manager that stops when it ends.

    It allows everything, with score 0.01, until `when`, `answer`, `fail` or `delay` say otherwise,
    and keeps what it was asked: `listings`, `outcomes`, `metadata`. Like the real service it gives
    a repeated `request_id` the same answer, records an `outcome_id` once, and knows its decisions.
    """

    def __init__(self, *, port: int = 0) -> None:
        """Start serving, on a free port unless one is given."""
        self.listings: list[Listing] = []
        """Every listing that arrived, in order, batches included."""
        self.outcomes: list[Outcome] = []
        """Every outcome recorded, in order."""
        self.metadata: list[dict[str, str | bytes]] = []
        """The metadata of every call, in order."""
        self.report = _empty_report()
        """What `transparency_report` answers; set it to what a test needs."""
        self.serving = True
        """What the health check answers."""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._api_key: str | None = None
        self._clients: list[Client] = []
        self.reset()
        self._server, self.target = self._start(port)

    def when(
        self,
        text: str | re.Pattern[str],
        action: Action | str = Action.ALLOW,
        *,
        score: float | None = None,
        taxa: tuple[Taxon, ...] = TAXA,
        reason: str = TOLD,
        notice: str = "",
        delay: float = 0.0,
        fail: str = "",
        error_reason: str = "",
    ) -> None:
        """Answer `action`, with matches, for listings that hold `text` in any case, or fit a compiled pattern.

        The first rule that fits decides. `delay` are seconds before the answer; `fail` is a gRPC
        code to fail with instead, and `error_reason` the service's reason. In a batch a listing
        fails alone.
        """
        rule = make_rule(
            text, action, score=score, taxa=taxa, reason=reason, notice=notice, delay=delay, fail=fail, error_reason=error_reason
        )
        self._rules.append(rule)

    def play(self, scenario: str | Path) -> None:
        """Take over the rules of a scenario file (TOML or JSON), after those that there are."""
        self._rules.extend(read_scenario(scenario))

    def answer(self, *answers: Answer) -> None:
        """Queue answers for the next listings, before any rule.

        An answer is an action, a `Decision`, or a message of `wildgate.v1` for what no `Decision`
        can say; ids that are empty are filled in.
        """
        self._answers.extend(answers)

    def fail(
        self,
        code: str = "UNAVAILABLE",
        *,
        reason: str = "",
        message: str = "scripted failure",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        details: bytes | None = None,
        times: int | None = None,
    ) -> None:
        """Fail the next `times` attempts (None: all) with a gRPC code and a Wildgate reason.

        A client retries UNAVAILABLE once by itself, so one call may use up two. `details` replaces
        the bytes of the error details, to send nonsense.
        """
        facts = ErrorDetails(message, reason, metadata or {}, retry_after)
        encoded = encode_status(Code[code], facts) if details is None else details

        def act(context: grpc.ServicerContext) -> None:
            _abort(context, code, message, encoded)

        self._add_fault(act, times)

    def delay(self, seconds: float, *, times: int | None = None) -> None:
        """Wait before answering the next `times` attempts (None: all)."""

        def act(_: grpc.ServicerContext) -> None:
            self._stopping.wait(seconds)

        self._add_fault(act, times)

    def require_api_key(self, api_key: str) -> None:
        """Refuse calls without this key, as the real service does."""
        self._api_key = api_key

    def recover(self) -> None:
        """Forget `fail` and `delay`."""
        with self._lock:
            self._faults.clear()

    def reset(self) -> None:
        """Forget the whole script and everything recorded."""
        self._rules: list[Rule] = []
        self._answers: deque[Answer] = deque()
        self._faults: list[_Fault] = []
        self._given: dict[str, tuple[types_pb2.Listing, types_pb2.Decision]] = {}
        self._outcome_ids: set[str] = set()
        self._api_key = None
        self.serving = True
        self.report = _empty_report()
        for record in (self.listings, self.outcomes, self.metadata):
            record.clear()

    def client(self, **options: Any) -> Client:  # noqa: ANN401 those of Client
        """Return a client of this fake, closed with it.

        By default it raises when nothing answers, and waits five seconds, so that a slow machine
        fails no test; give `on_unavailable` and `timeout` to test those.
        """
        client = Client(self.target, **{**_defaults(), **options})
        self._clients.append(client)
        return client

    def async_client(self, **options: Any) -> AsyncClient:  # noqa: ANN401 those of AsyncClient
        """Return an asynchronous client of this fake; close it in its own loop."""
        return AsyncClient(self.target, **{**_defaults(), **options})

    def stop(self) -> None:
        """Stop serving; calls in flight fail."""
        for client in self._clients:
            client.close()
        self.stop_serving()

    def stop_serving(self) -> None:
        """Leave the clients open and take the service away from them."""
        self._stopping.set()
        self._server.stop(grace=None).wait()

    def __enter__(self) -> Self:
        """Return the fake, already serving."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _start(self, port: int) -> tuple[grpc.Server, str]:
        server = grpc.server(ThreadPoolExecutor(_WORKERS, thread_name_prefix="wildgate-fake"))
        server.add_generic_rpc_handlers((_Handlers(self._handlers()),))
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        return server, f"127.0.0.1:{port}"

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        return {
            SCORE.path: self._handler(scoring_pb2.ScoreListingRequest, self._score),
            BATCH.path: self._handler(scoring_pb2.BatchScoreListingsRequest, self._batch),
            OUTCOMES.path: self._handler(transparency_pb2.RecordOutcomesRequest, self._record),
            REPORT.path: self._handler(transparency_pb2.GetTransparencyReportRequest, self._report),
            LEXICON.path: self._handler(lexicon_pb2.GetLexiconRequest, self._lexicon),
            HEALTH.path: grpc.unary_unary_rpc_method_handler(self._health),
        }

    def _handler(
        self,
        request_type: type[Message],
        behavior: Callable[[Any, grpc.ServicerContext], Message],
    ) -> grpc.RpcMethodHandler[Any, Any]:
        def handle(request: Message, context: grpc.ServicerContext) -> Message:
            self._admit(context)
            return behavior(request, context)

        return grpc.unary_unary_rpc_method_handler(handle, request_type.FromString, lambda response: response.SerializeToString())

    def _admit(self, context: grpc.ServicerContext) -> None:
        metadata = {pair[0]: pair[1] for pair in context.invocation_metadata()}
        self.metadata.append(metadata)
        if self._api_key and metadata.get("authorization") != f"Bearer {self._api_key}":
            message = "the API key is not known"
            details = encode_status(Code.UNAUTHENTICATED, ErrorDetails(message, "API_KEY_INVALID"))
            _abort(context, "UNAUTHENTICATED", message, details)
        for fault in self._take_faults():
            fault.act(context)

    def _add_fault(self, act: Callable[[grpc.ServicerContext], None], times: int | None) -> None:
        with self._lock:
            self._faults.append(_Fault(act, float("inf") if times is None else times))

    def _take_faults(self) -> list[_Fault]:
        with self._lock:
            active = [fault for fault in self._faults if fault.times > 0]
            for fault in active:
                fault.times -= 1
            return active

    def _score(self, request: scoring_pb2.ScoreListingRequest, context: grpc.ServicerContext) -> scoring_pb2.ScoreListingResponse:
        failed = self._await_rule(request.listing)
        if failed is not None:
            self._note(request.listing)
            _abort(context, failed.fail, failed.reason, encode_status(Code[failed.fail], ErrorDetails(failed.reason, failed.error_reason)))
        decision = self._decide(request.listing, request.request_id, request.explain, request.span_unit)
        if decision is None:
            message = "the request_id came before with another listing"
            facts = ErrorDetails(message, "REQUEST_ID_REUSED")
            encoded = encode_status(Code.ALREADY_EXISTS, facts)
            _abort(context, "ALREADY_EXISTS", message, encoded)
        return scoring_pb2.ScoreListingResponse(decision=decision)

    def _batch(self, request: scoring_pb2.BatchScoreListingsRequest, _: grpc.ServicerContext) -> scoring_pb2.BatchScoreListingsResponse:
        response = scoring_pb2.BatchScoreListingsResponse()
        for item in request.items:
            result = response.results.add(correlation_id=item.correlation_id)
            failed = self._await_rule(item.listing)
            if failed is not None:
                self._note(item.listing)
                result.error.code = Code[failed.fail]
                result.error.reason = errors_pb2.ErrorReason.Value(f"ERROR_REASON_{failed.error_reason or 'UNSPECIFIED'}")
                continue
            decision = self._decide(item.listing, item.request_id, request.explain, request.span_unit)
            if decision is None:
                result.error.code = Code.ALREADY_EXISTS
                result.error.reason = errors_pb2.ERROR_REASON_REQUEST_ID_REUSED
            else:
                result.decision.CopyFrom(decision)
        return response

    def _record(self, request: transparency_pb2.RecordOutcomesRequest, _: grpc.ServicerContext) -> transparency_pb2.RecordOutcomesResponse:
        response = transparency_pb2.RecordOutcomesResponse()
        for outcome in request.outcomes:
            result = response.results.add(outcome_id=outcome.outcome_id)
            with self._lock:
                self._record_one(outcome, result)
        return response

    def _record_one(self, outcome: transparency_pb2.Outcome, result: transparency_pb2.OutcomeResult) -> None:
        decisions = {decision.decision_id for _, decision in self._given.values()}
        if outcome.decision_id and outcome.decision_id not in decisions:
            result.error.code = Code.NOT_FOUND
            result.error.reason = errors_pb2.ERROR_REASON_DECISION_NOT_FOUND
            result.error.message = "the decision is not known"
            return
        result.duplicate = outcome.outcome_id in self._outcome_ids
        if not result.duplicate:
            self._outcome_ids.add(outcome.outcome_id)
            self.outcomes.append(_convert_outcomes.outcome_from_proto(outcome))

    def _report(
        self, request: transparency_pb2.GetTransparencyReportRequest, _: grpc.ServicerContext
    ) -> transparency_pb2.GetTransparencyReportResponse:
        report = replace(self.report, start_date=request.start_date, end_date=request.end_date)
        return transparency_pb2.GetTransparencyReportResponse(report=_convert.report_to_proto(report))

    def _lexicon(self, _request: lexicon_pb2.GetLexiconRequest, _: grpc.ServicerContext) -> lexicon_pb2.GetLexiconResponse:
        language = lexicon_pb2.LexiconLanguage(language="en", rules=1, forms=2, sourced_forms=1)
        return lexicon_pb2.GetLexiconResponse(lexicon_version="0.0.0+fake", languages=[language])

    def _health(self, _request: bytes, _: grpc.ServicerContext) -> bytes:
        return _SERVING if self.serving else _NOT_SERVING

    def _await_rule(self, message: types_pb2.Listing) -> Rule | None:
        """Wait as long as the listing's rule says; return the rule if it fails the listing."""
        rule = self._rule_of(_convert.listing_from_proto(message))
        if rule is None or self._answers:
            return None
        self._stopping.wait(rule.delay)
        return rule if rule.fail else None

    def _rule_of(self, listing: Listing) -> Rule | None:
        return next((rule for rule in self._rules if rule.fits(listing)), None)

    def _note(self, message: types_pb2.Listing) -> None:
        with self._lock:
            self.listings.append(_convert.listing_from_proto(message))

    def _decide(self, message: types_pb2.Listing, request_id: str, explain: int, span_unit: int) -> types_pb2.Decision | None:
        """Decide once per request_id; None if it came before with another listing."""
        with self._lock:
            self.listings.append(_convert.listing_from_proto(message))
            known = self._given.get(request_id)
            if known is not None:
                return known[1] if known[0] == message else None
            decision = self._next_answer(self.listings[-1], _UNITS.get(span_unit))
            decision.request_id = request_id
            decision.listing_id = decision.listing_id or message.listing_id
            decision.decision_id = decision.decision_id or str(uuid7())
            _hide(decision, explain)
            self._given[request_id] = message, decision
            return decision

    def _next_answer(self, listing: Listing, unit: SpanUnit | None) -> types_pb2.Decision:
        with suppress(IndexError):
            return _read_answer(self._answers.popleft())
        rule = self._rule_of(listing)
        if rule is None:
            return _fake_decision(Action.ALLOW)
        matches = tuple(rule.matches_in(listing, unit or SpanUnit.CODE_POINT))
        return _fake_decision(rule.action, rule.score, matches, rule.taxa, rule.reason, rule.notice)


class _Handlers(grpc.GenericRpcHandler):
    """Finds the handler of a path; other paths are UNIMPLEMENTED."""

    def __init__(self, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        return self._handlers.get(handler_call_details.method)


def _defaults() -> dict[str, Any]:
    return {"insecure": True, "on_unavailable": "raise", "timeout": 5.0}


def _abort(context: grpc.ServicerContext, code: str, message: str, details: bytes) -> NoReturn:
    context.set_trailing_metadata((("grpc-status-details-bin", details),))
    context.abort(grpc.StatusCode[code], message)


def _read_answer(answer: Answer) -> types_pb2.Decision:
    if isinstance(answer, types_pb2.Decision):
        copied = types_pb2.Decision()
        copied.CopyFrom(answer)
        return copied
    if isinstance(answer, Decision):
        return _convert.decision_to_proto(answer)
    return _fake_decision(Action(answer))


def _fake_decision(
    action: Action,
    score: float | None = None,
    matches: tuple[Match, ...] = (),
    taxa: tuple[Taxon, ...] = (),
    reason: str = TOLD,
    notice: str = "",
) -> types_pb2.Decision:
    decision = Decision(
        action=action,
        request_id="",
        score=SCORES[action] if score is None else score,
        taxa=taxa,
        matches=matches,
        language="und",
        reason="" if action is Action.ALLOW else reason,
        notice=notice,
        lexicon_version="0.0.0+fake",
        model_version="fake",
        policy_version="fake",
    )
    return _convert.decision_to_proto(decision)


def _hide(decision: types_pb2.Decision, explain: int) -> None:
    if explain in (types_pb2.EXPLAIN_NONE, types_pb2.EXPLAIN_TAXA):
        del decision.matches[:]
    if explain == types_pb2.EXPLAIN_NONE:
        del decision.taxa[:]


def _empty_report() -> TransparencyReport:
    return TransparencyReport(
        start_date="",
        end_date="",
        total=ReportCount("", "", 0, 0, 0, 0, 0),
        counts=(),
        shares=(),
        outcomes={},
        degraded_answers={},
        median_hours_to_act=None,
        checkpoints=(),
    )
