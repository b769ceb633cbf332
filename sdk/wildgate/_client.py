"""The synchronous client."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from threading import Lock
from types import TracebackType
from typing import NoReturn, Self, TypeVar, Unpack
from weakref import WeakSet

import grpc

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
    Connection,
    Method,
    connect,
)
from wildgate._errors import WildgateError, WildgateUnavailableError, WildgateUsageError
from wildgate._outcomes import Outcome, OutcomeDetails, OutcomeKind, OutcomeResult
from wildgate._stats import Stats
from wildgate._types import BatchResult, Decision, Explain, LexiconInfo, Listing, SpanUnit, TransparencyReport
from wildgate.v1 import lexicon_pb2

Request = TypeVar("Request")
Response = TypeVar("Response")


class Client:
    """Asks a Wildgate service; make one per process and share it between threads.

    Connecting starts in the constructor. After a fork the child connects anew at its first call.
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
        channel: grpc.Channel | None = None,
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
        self._owns_channel = channel is None
        self._unusable = ""
        self._lock = Lock()
        self._connection: Connection | None = connect(settings) if channel is None else Connection(channel)
        _clients.add(self)

    @property
    def stats(self) -> Stats:
        """Counters since this client was made."""
        return self._calls.stats

    def score(
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
                response = self._send(SCORE, call.request, call.deadline, call.request_id)
            except WildgateUnavailableError as error:
                return self._calls.degrade(error, call.request_id, call.listing_id)
            return self._calls.decision(response)

    def score_batch(
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
                    response = self._send(BATCH, request, batch.deadline)
                except WildgateUnavailableError as error:
                    batch.unanswered(request, error)
                else:
                    batch.answered(request, response)
            return batch.results()

    def report_outcome(
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
        return only_outcome(self.report_outcomes([outcome], timeout=timeout))

    def report_outcomes(self, outcomes: Iterable[Outcome], *, timeout: float | None = None) -> list[OutcomeResult]:
        """Report many outcomes; return one result for each, with its own error if it has one.

        They travel in requests of up to 256, within `timeout` seconds in all (by default 2 per
        request). A failed request is raised; send the same outcomes again, none is counted twice.
        """
        with self._calls.counted():
            batch = OutcomeBatch(outcomes, timeout)
            results: list[OutcomeResult] = []
            for request in batch.requests():
                response = self._send(OUTCOMES, request, batch.deadline)
                results += read_outcomes(request, response)
            return results

    def transparency_report(self, start: date | str, end: date | str, *, timeout: float = READ_TIMEOUT) -> TransparencyReport:
        """Return the report of the days from `start` to `end`, both included (UTC)."""
        with self._calls.counted():
            request, deadline = report_request(start, end), Deadline.after(timeout)
            response = self._send(REPORT, request, deadline)
            return _convert.report_from_proto(response.report)

    def lexicon(self, *, timeout: float = READ_TIMEOUT) -> LexiconInfo:
        """Return versions and counts of the lexicons that the service runs on."""
        with self._calls.counted():
            request, deadline = lexicon_pb2.GetLexiconRequest(), Deadline.after(timeout)
            return _convert.lexicon_from_proto(self._send(LEXICON, request, deadline))

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Return once the service answers that it is serving (grpc.health.v1).

        Raises WildgateDeadlineExceededError with the last obstacle, such as a refused connection or
        a certificate that is not trusted, and at once for what waiting cannot mend, such as a bad
        API key.
        """
        probe = Probe(self._settings.target, timeout)
        while not self._is_serving(probe):
            time.sleep(probe.pause())

    def close(self) -> None:
        """End the connection; calls in flight fail. Closing twice is fine."""
        self._unusable = self._unusable or "the client is closed"
        connection, self._connection = self._connection, None
        if connection is not None and self._owns_channel:
            connection.channel.close()

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()

    def __repr__(self) -> str:
        """Show the target and the policy, never the key."""
        policy = self._settings.on_unavailable
        return f"Client({self._settings.target!r}, on_unavailable={policy!r})"

    def _is_serving(self, probe: Probe) -> bool:
        deadline = Deadline.after(probe.remaining())
        try:
            return probe.serving(self._send(HEALTH, b"", deadline))
        except WildgateUsageError:
            raise
        except WildgateError as error:
            return probe.failed(error)

    def _send(
        self,
        method: Method[Request, Response],
        request: Request,
        deadline: Deadline,
        request_id: str | None = None,
    ) -> Response:
        call = self._connected().call(method)
        with self._calls.span(method) as metadata:
            try:
                return call(request, timeout=deadline.remaining(), metadata=metadata)
            except grpc.RpcError as error:
                if self._unusable:
                    self._refuse(error)
                raise error_from_rpc(error, request_id) from error
            except ValueError as error:  # how a channel says that it was closed meanwhile
                self._refuse(error)

    def _connected(self) -> Connection:
        connection = self._connection
        return self._reconnect() if connection is None else connection

    def _reconnect(self) -> Connection:
        with self._lock:
            if self._unusable:
                self._refuse(None)
            if self._connection is None:
                self._connection = connect(self._settings)
            return self._connection

    def _refuse(self, cause: Exception | None) -> NoReturn:
        message = self._unusable or "the channel is closed"
        raise WildgateUsageError(message, reason="UNUSABLE") from cause

    def _prepare_fork(self) -> None:
        """Let no first call be under way while the process forks."""
        connection = self._connection
        if connection is not None:
            connection.settle()

    def _leave_parent(self) -> None:
        """Drop what a fork inherited; runs in the child before anything else."""
        self._lock = Lock()
        self._calls.renew_locks()
        if self._connection is not None:
            _inherited.append(self._connection)
            self._connection = None
        if not self._owns_channel:
            self._unusable = self._unusable or "the channel given to this client does not survive a fork"
        elif not self._unusable and _fork_support_is_off():
            self._unusable = "gRPC hangs in a forked process when GRPC_ENABLE_FORK_SUPPORT=0; unset it, or start processes by spawn"


_clients: WeakSet[Client] = WeakSet()
# Never closed: their sockets are the parent's, and tearing them down in the child may hang.
_inherited: list[Connection] = []


def _fork_support_is_off() -> bool:
    return os.environ.get("GRPC_ENABLE_FORK_SUPPORT", "").lower() in {"0", "f", "false", "n", "no"}


def _prepare_forks() -> None:
    for client in list(_clients):
        client._prepare_fork()  # noqa: SLF001 the other half of the class


def _leave_parents() -> None:
    for client in list(_clients):
        client._leave_parent()  # noqa: SLF001 the other half of the class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_prepare_forks, after_in_child=_leave_parents)
