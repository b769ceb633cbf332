"""The RPCs: bytes in, bytes out, no transport.

Each takes a serialized request and the caller, answers a serialized response, and raises `Refusal`
or an error that `refuse` can turn into one. `server` puts them on gRPC, `http` on HTTP.
"""

from __future__ import annotations

from asyncio import Event
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog
from google.protobuf.message import DecodeError, Message
from msgspec import Struct, field

from wildgate_service.admission import Admission
from wildgate_service.keys import SCOPES, KeyRing
from wildgate_service.limiting.attempts import Attempts
from wildgate_service.limiting.limiter import Limiter
from wildgate_service.monitoring.calls import Call, Observer
from wildgate_service.pipeline import Engine
from wildgate_service.secrets import Secrets
from wildgate_service.settings import DEFAULT_TENANT, Settings
from wildgate_service.status import Reason, Refusal, invalid, refusal_of
from wildgate_service.tls import Certificates
from wildgate_service.wire import Explain, ScoreDetail
from wildgate_service.writer import WriterClient

log = structlog.get_logger()

SCORE, REPORT, ADMIN, RESTRICTED = SCOPES
ALL_SCOPES = frozenset(SCOPES)


class Caller(Struct, frozen=True):
    """Who calls: the tenant, what the key allows, how much of explanation and score it may get, until when it waits (`time.monotonic`).

    `call` is what is seen of the call, None where nobody looks.
    """

    tenant: str = DEFAULT_TENANT
    scopes: frozenset[str] = ALL_SCOPES
    explain_cap: Explain = Explain.FULL
    score_detail: ScoreDetail = ScoreDetail.EXACT
    deadline: float | None = None
    call: Call | None = None


class Serving(Struct, kw_only=True, eq=False):
    """What a worker serves with; `engine`, `keys`, `limiter`, `certificates` and `draining` change while it runs.

    `writer` and `secrets` are None when nothing is recorded, `keys` while no key is needed, `limiter` while no tenant has a limit,
    `certificates` without TLS, `observer` where nobody looks. `store_usable` says whether what is recorded can be.
    """

    settings: Settings
    engine: Engine
    writer: WriterClient | None
    secrets: Secrets | None
    admission: Admission
    keys: KeyRing | None = None
    limiter: Limiter | None = None
    certificates: Certificates | None = None
    attempts: Attempts = field(default_factory=lambda: Attempts(0))
    draining: bool = False
    in_flight: int = 0
    idle: Event = field(default_factory=Event)
    observer: Observer | None = None
    store_usable: Callable[[], bool] = lambda: True

    def leave(self) -> None:
        """A call is over; the last that a draining worker waits for sets `idle`."""
        self.in_flight -= 1
        if self.draining and not self.in_flight:
            self.idle.set()


class Rpc(Struct, frozen=True):
    """One method: its full name, the scope it needs, what answers it, whether it waits for its turn to score, and whether it records.

    `charged` is how many listings a call is known to hold before it is read; 0 leaves the charge to `answer`.
    """

    service: str
    name: str
    scope: str
    answer: Callable[[bytes, Caller], Awaitable[bytes]]
    scores: bool = False
    charged: int = 0
    records: bool = False

    @property
    def path(self) -> str:
        """As gRPC names it."""
        return f"/{self.service}/{self.name}"


def services_of(rpcs: Iterable[Rpc]) -> list[str]:
    """Their names, each once, in order."""
    return sorted({rpc.service for rpc in rpcs})


Request = TypeVar("Request", bound=Message)


def parse(kind: type[Request], payload: bytes) -> Request:
    """Read a request; raises Refusal if the bytes are none or hold text that is not UTF-8."""
    try:
        return kind.FromString(payload)
    except DecodeError as error:
        raise invalid("request") from error


def refuse(error: Exception, event: str, call: Call | None = None) -> Refusal:
    """Turn an error into a refusal; a defect is logged under its incident and the call's ids, without any text."""
    refusal = refusal_of(error)
    if refusal.reason is Reason.INTERNAL:
        log.error(event, exc_info=error, **refusal.metadata, **(call.ids if call else {}))
    return refusal
