"""ASGI: what is served where, and a clear answer to everything that is no call; never a traceback or an exception's text."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import structlog
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from msgspec import Struct

from wildgate_service.http.body import Body, Room
from wildgate_service.http.calls import Calls
from wildgate_service.http.errors import error_body
from wildgate_service.monitoring.calls import HTTP
from wildgate_service.reception import Reception
from wildgate_service.rpc import Rpc, Serving
from wildgate_service.rpc.health import HEALTH, Health

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wildgate_service.http.body import Event, Receive

    Send = Callable[[Event], Awaitable[None]]
    Headers = list[tuple[bytes, bytes]]

log = structlog.get_logger()

JSON = b"application/json"
TYPES = frozenset({JSON, b"application/proto"})
CLOSE = (b"connection", b"close")
COMMON: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
OPENAPI = "/openapi.json"
ALIVE = "/healthz"


class Page(Struct, frozen=True):
    """An answer that is no RPC's."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


NO_RPC = Page(
    404,
    error_body(Code.UNIMPLEMENTED, "there is no such RPC; POST to /wildgate.v1.ScoringService/ScoreListing, or see /openapi.json for all"),
)
NO_POST = Page(405, error_body(Code.UNIMPLEMENTED, "RPCs are called by POST"), ((b"allow", b"POST"),))
NO_GET = Page(405, error_body(Code.UNIMPLEMENTED, "this page is read by GET"), ((b"allow", b"GET, HEAD"),))
NO_TYPE = Page(
    415,
    error_body(Code.UNIMPLEMENTED, "the content type must be application/json or application/proto"),
    ((b"accept-post", b"application/json, application/proto"),),
)
BAD_HEADER = Page(400, error_body(Code.INVALID_ARGUMENT, "a header holds what is not ASCII; encode it"))
NO_CALLS = frozenset({NO_RPC, NO_POST, NO_GET, NO_TYPE, BAD_HEADER})


class Application:
    """The ASGI application of one worker."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc]) -> None:
        self._serving = serving
        self._reception = Reception(serving, rpcs, HTTP)
        self._health = Health(serving, rpcs)
        check = Rpc(HEALTH, "Check", "", self._health.check)
        most = serving.settings.max_message_bytes
        self._room = Room(most)
        self._calls = Calls(self._reception, (*rpcs, check), most, without_key=[check.path])
        self._paths = frozenset(rpc.path for rpc in (*rpcs, check))
        self._pages = {ALIVE: self._alive} | ({OPENAPI: _openapi} if serving.settings.reflection else {})

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """As ASGI asks for it: one request."""
        body = Body(receive, self._room)
        answer = _Answering(send, body, scope, self._serving)
        try:
            page = self._page(scope)
            if page is None:
                await self._call(scope, body, answer)
            else:
                if page in NO_CALLS:
                    self._reception.unknown()
                await answer.page(page)
        finally:
            body.leave()

    def _page(self, scope: Event) -> Page | None:
        """What is answered to a request that is no call; None for a call."""
        path, method = scope["path"], scope["method"]
        if path in self._pages:
            return self._pages[path]() if method in {"GET", "HEAD"} else NO_GET
        if path not in self._paths:
            return NO_RPC
        if method != "POST":
            return NO_POST
        if not all(name.isascii() and value.isascii() for name, value in scope["headers"]):
            return BAD_HEADER
        return None if _content_type(scope["headers"]) in TYPES else NO_TYPE

    async def _call(self, scope: Event, body: Body, answer: _Answering) -> None:
        try:
            with suppress(ConnectError):  # which has been answered, or there is nobody left to answer
                await self._calls(scope, body.receive, answer)
        except Exception as error:  # noqa: BLE001  (a defect of ours or of a library: none of its words may leave)
            await self._defect(error, answer)

    async def _defect(self, error: Exception, answer: _Answering) -> None:
        incident = secrets.token_hex(8)
        log.error("http_failed", exc_info=error, incident=incident)
        words = f"a defect of the service, logged as incident {incident}; report that number"
        await answer.page(Page(500, error_body(Code.INTERNAL, words)))

    def _alive(self) -> Page:
        serves = self._health.serving
        return Page(200 if serves else 503, json.dumps({"status": "SERVING" if serves else "NOT_SERVING"}).encode())


class _Answering:
    """ASGI's `send` for one request. What ends the connection is said before it ends."""

    def __init__(self, send: Send, body: Body, scope: Event, serving: Serving) -> None:
        self._send = send
        self._body = body
        self._scope = scope
        self._serving = serving
        self._started = False
        self._head: Event | None = None

    async def __call__(self, event: Any) -> None:  # noqa: ANN401  (any of ASGI's events)
        """Keeps the head until the body is there, whose length it tells: nothing that is answered here is a stream."""
        if event["type"] == "http.response.start":
            self._head = event
            return
        await self._body.discard()
        head, self._head = self._head, None
        if head:
            length = (b"content-length", str(len(event.get("body", b""))).encode())
            await self._send(head | {"headers": [*head["headers"], length, *COMMON, *self._ending()]})
        self._started = True
        if self._scope["method"] == "HEAD":
            event = event | {"body": b""}
        await self._send(event)

    def _ending(self) -> Headers:
        """Said where the connection is not to be used again: the service ends, or does not want to read the rest of a body."""
        return [CLOSE] if self._serving.draining or not self._body.done else []

    async def page(self, page: Page) -> None:
        """Answer it, unless something was answered already."""
        if self._started:
            return
        await self({"type": "http.response.start", "status": page.status, "headers": [(b"content-type", JSON), *page.headers]})
        await self({"type": "http.response.body", "body": page.body})


def _openapi() -> Page:
    """The description of the whole, which is a file of the package: `tools/make_openapi.py`."""
    return Page(200, files("wildgate_service.http").joinpath("openapi.json").read_bytes())


def _content_type(headers: Headers) -> bytes:
    found = next((value for name, value in headers if name == b"content-type"), b"")
    return found.partition(b";")[0].strip().lower()
