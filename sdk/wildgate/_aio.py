"""The asynchronous client: the same methods as `Client`, awaited."""

# ruff: noqa: ASYNC109, ASYNC110 deadlines travel with the call; a remote service is polled

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from types import TracebackType
from typing import NoReturn, Self, TypeVar, Unpack

import grpc
import grpc.aio

from wildgate import _convert
from wildgate._calls import (
    Calls,
    Deadline,
    OutcomeBatch,
    Probe,
    error_from_rpc,
    only_outcome,
    read_outcomes,
    report_request,
)
from wildgate._config import (
    DEFAULT_TIMEOUT,
    READ_TIMEOUT,
    READY_TIMEOUT,
    OnUnavailable,
    make_settings,
)
from wildgate._connection import (
    BATCH,
    HEALTH,
    LEXICON,
    OUTCOMES,
    REPORT,
    SCORE,
    AioConnection,
    Method,
    connect_aio,
)
from wildgate._errors import (
    WildgateError,
    WildgateInternalError,
    WildgateUnavailableError,
    WildgateUsageError,
)
from wildgate._outcomes import Outcome, OutcomeDetails, OutcomeKind, OutcomeResult
from wildgate._stats import Stats
from wildgate._types import BatchResult, Decision, Explain, LexiconInfo, Listing, SpanUnit, TransparencyReport
from wildgate.v1 import lexicon_pb2

Request = TypeVar("Request")
Response = TypeVar("Response")


class AsyncClient:
    """Asks a Wildgate service from one event loop.

    Made while a loop runs, it belongs to that loop and starts connecting; made before, at import
    say, it does so at its first call. It cannot be used from another loop, so not after a fork.
    """

    def __init__(
        self,
        target: str = "",
        *,
        on_unavailable: OnUnavailable,
        api_key: str | None = None,
        insecure: bool = False,
        root_certificates: bytes | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        explain: Explain | str | None = None,
        span_unit: SpanUnit | str = SpanUnit.CODE_POINT,
        on_degraded: Callable[[Decision], None] | None = None,
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        """Set up the client; raise WildgateConfigurationError for what is wrong or unsafe.

        Args:
            target: Name of the service, such as `dns:///wildgate:50051`.
            on_unavailable: What a listing gets when the service is unreachable, too slow or
                overloaded: "allow", "review" or "block" make a degraded decision, "raise" raises
                WildgateUnavailableError. Other failures are always raised.
            api_key: Sent as `authorization: Bearer …`; refused in plaintext, except to loopback.
            insecure: Plaintext instead of TLS.
            root_certificates: PEM of the authorities to trust instead of the system's.
            credentials: For mutual TLS, instead of `root_certificates`.
            timeout: Seconds that `score` may take in all: checks, connecting, both attempts.
            explain: How much explanation to ask for; None: what the API key allows.
            span_unit: What spans are counted in.
            on_degraded: Called with each decision that the client made itself.
            channel: A channel made by the caller, for tests, instead of `target` and its security;
                it stays the caller's to close.

        """
        settings = make_settings(
            target,
            on_unavailable=on_unavailable,
            api_key=api_key,
            insecure=insecure,
            root_certificates=root_certificates,
            credentials=credentials,
            timeout=timeout,
            explain=explain,
            span_unit=span_unit,
            on_degraded=on_degraded,
            own_channel=channel is None,
        )
        self._settings = settings
        self._calls = Calls(settings)
        self._unusable = ""
        self._given = channel
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: AioConnection | None = None
        if _in_loop():
            self._bind()

    @property
    def stats(self) -> Stats:
        """Counters since this client was made."""
        return self._calls.stats

    async def score(
        self,
        listing: Listing,
        *,
        timeout: float | None = None,
        explain: Explain | str | None = None,
        request_id: object = None,
    ) -> Decision:
        """Score one listing within `timeout` seconds, in all.

        `request_id` (a UUID; by default a new one) makes a repeat of the call get the same answer.
        What happens when nothing answers is `on_unavailable`'s to say; every other failure raises
        a WildgateError.
        """
        with self._calls.counted():
            call = self._calls.score(listing, timeout, explain, request_id)
            try:
                response = await self._send(SCORE, call.request, call.deadline, call.request_id)
            except WildgateUnavailableError as error:
                return self._calls.degrade(error, call.request_id, call.listing_id)
            return self._calls.decision(response)

    async def score_batch(
        self,
        listings: Iterable[Listing],
        *,
        timeout: float | None = None,
        explain: Explain | str | None = None,
        request_ids: Sequence[object] | None = None,
    ) -> list[BatchResult]:
        """Score many listings; return one result for each, in their order.

        They travel in requests of up to 256, within `timeout` seconds in all (by default 2 per
        request). A listing that is too long or broken gets its own error; listings that nothing
        answered get what `on_unavailable` says, with "raise" as the error of their results. Only
        what concerns the whole batch, such as a bad API key, is raised.
        """
        with self._calls.counted():
            batch = self._calls.batch(listings, timeout, explain, request_ids)
            for request in batch.requests():
                try:
                    response = await self._send(BATCH, request, batch.deadline)
                except WildgateUnavailableError as error:
                    batch.unanswered(request, error)
                else:
                    batch.answered(request, response)
            return batch.results()

    async def report_outcome(
        self,
        decision_or_request_id: Decision | str,
        applied: OutcomeKind | str,
        *,
        timeout: float | None = None,
        **details: Unpack[OutcomeDetails],
    ) -> OutcomeResult:
        """Report what the platform did about a listing, or heard about it.

        Takes 2 seconds at most unless `timeout` says otherwise, and raises a WildgateError on any
        failure: `on_unavailable` is about listings alone. Repeating it with the same `outcome_id`
        is safe, and `corrects` puts an earlier one right. For a degraded decision it also says what the client answered, and why.
        """
        outcome = Outcome.of(decision_or_request_id, applied, details)
        return only_outcome(await self.report_outcomes([outcome], timeout=timeout))

    async def report_outcomes(self, outcomes: Iterable[Outcome], *, timeout: float | None = None) -> list[OutcomeResult]:
        """Report many outcomes; return one result for each, with its own error if it has one.

        They travel in requests of up to 256, within `timeout` seconds in all (by default 2 per
        request). A failed request is raised; send the same outcomes again, none is counted twice.
        """
        with self._calls.counted():
            batch = OutcomeBatch(outcomes, timeout)
            results: list[OutcomeResult] = []
            for request in batch.requests():
                response = await self._send(OUTCOMES, request, batch.deadline)
                results += read_outcomes(request, response)
            return results

    async def transparency_report(self, start: date | str, end: date | str, *, timeout: float = READ_TIMEOUT) -> TransparencyReport:
        """Return the report of the days from `start` to `end`, both included (UTC)."""
        with self._calls.counted():
            request, deadline = report_request(start, end), Deadline.after(timeout)
            response = await self._send(REPORT, request, deadline)
            return _convert.report_from_proto(response.report)

    async def lexicon(self, *, timeout: float = READ_TIMEOUT) -> LexiconInfo:
        """Return versions and counts of the lexicons that the service runs on."""
        with self._calls.counted():
            request, deadline = lexicon_pb2.GetLexiconRequest(), Deadline.after(timeout)
            return _convert.lexicon_from_proto(await self._send(LEXICON, request, deadline))

    async def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Return once the service answers that it is serving (grpc.health.v1).

        Raises WildgateDeadlineExceededError with the last obstacle, such as a refused connection or
        a certificate that is not trusted, and at once for what waiting cannot mend, such as a bad
        API key.
        """
        probe = Probe(self._settings.target, timeout)
        while not await self._is_serving(probe):
            await asyncio.sleep(probe.pause())

    async def close(self) -> None:
        """End the connection; calls in flight fail. Closing twice is fine."""
        self._unusable = self._unusable or "the client is closed"
        connection, self._connection = self._connection, None
        if connection is not None and self._given is None:
            await connection.channel.close()

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        await self.close()

    def __repr__(self) -> str:
        """Show the target and the policy, never the key."""
        policy = self._settings.on_unavailable
        return f"AsyncClient({self._settings.target!r}, on_unavailable={policy!r})"

    async def _is_serving(self, probe: Probe) -> bool:
        deadline = Deadline.after(probe.remaining())
        try:
            return probe.serving(await self._send(HEALTH, b"", deadline))
        except WildgateUsageError:
            raise
        except WildgateError as error:
            return probe.failed(error)

    async def _send(
        self,
        method: Method[Request, Response],
        request: Request,
        deadline: Deadline,
        request_id: str | None = None,
    ) -> Response:
        connection = self._connected()
        with self._calls.span(method) as metadata:
            try:
                response: Response | None = await connection.call(method)(request, timeout=deadline.remaining(), metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if self._unusable:
                    self._refuse(error)
                raise error_from_rpc(error, request_id) from error
            except asyncio.CancelledError as error:
                # Closing a channel cancels its calls; only a cancelled task may look cancelled.
                if self._unusable and not _is_cancelled():
                    self._refuse(error)
                raise
            except grpc.aio.UsageError as error:
                self._refuse(error)
            if response is None:  # how grpc.aio says that it could not read the answer
                message = "the answer is not a message of this service"
                raise WildgateInternalError(message, reason="INTERNAL", request_id=request_id)
            return response

    def _connected(self) -> AioConnection:
        if self._unusable:
            self._refuse(None)
        if self._loop is None:
            self._bind()
        elif self._loop is not asyncio.get_running_loop():
            message = "this AsyncClient belongs to another event loop; make one in each loop, and after a fork in the child"
            raise WildgateUsageError(message, reason="UNUSABLE")
        if self._connection is None:
            self._refuse(None)
        return self._connection

    def _bind(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connect_aio(self._settings) if self._given is None else AioConnection(self._given)

    def _refuse(self, cause: BaseException | None) -> NoReturn:
        message = self._unusable or "the channel is closed"
        raise WildgateUsageError(message, reason="UNUSABLE") from cause


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
