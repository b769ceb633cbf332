"""A worker process: one event loop that serves RPCs and listens to the supervisor.

Only here is gRPC imported, after the fork.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from wildgate_service import log as logs
from wildgate_service.admission import Admission
from wildgate_service.control import (
    Channel,
    Keys,
    Limits,
    Load,
    Loaded,
    Mark,
    Marked,
    Ready,
    ReloadEnded,
    ReloadWanted,
)
from wildgate_service.errors import WildgateError
from wildgate_service.keys import KeyRing
from wildgate_service.limiting.limiter import Limiter
from wildgate_service.monitoring.worker import WorkerMonitor
from wildgate_service.reload import release_beside, with_lexicon, with_lexicon_beside
from wildgate_service.rpc import ADMIN, REPORT, SCORE, Rpc, Serving
from wildgate_service.rpc.lexicon import Lexicons
from wildgate_service.rpc.scoring import Scoring
from wildgate_service.rpc.transparency import Transparency
from wildgate_service.server import Server
from wildgate_service.tls import Certificates
from wildgate_service.writer import WriterClient

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from wildgate_service.http.listener import HttpServer
    from wildgate_service.pipeline import Engine
    from wildgate_service.port import Address
    from wildgate_service.workers import Birth

log = structlog.get_logger()

SCORING = "wildgate.v1.ScoringService"
TRANSPARENCY = "wildgate.v1.TransparencyService"
LEXICON = "wildgate.v1.LexiconService"


def run_worker(name: str, birth: Birth, engines: list[Engine], control: socket.socket) -> None:
    """Be the process: serve until SIGTERM, or until the supervisor closes the pipe. The one engine is taken out of `engines`."""
    structlog.contextvars.bind_contextvars(process=name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(birth).run(name, engines, control))


class Worker:
    """Serves, and does what the supervisor says."""

    def __init__(self, birth: Birth) -> None:
        self._birth = birth
        self._monitor: WorkerMonitor
        self._channel: Channel
        self._numbers = itertools.count(1)
        self._reloads: dict[int, asyncio.Future[ReloadEnded]] = {}
        self._loads: set[asyncio.Task[None]] = set()
        self._loading = asyncio.Lock()
        self._ending = asyncio.Event()
        self._serving: Serving
        self._http: HttpServer | None = None

    async def run(self, name: str, engines: list[Engine], control: socket.socket) -> None:
        """Serve, and drain at the end."""
        self._monitor = WorkerMonitor(name, self._birth.settings, self._birth.board)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.unhandled)
        loop.add_signal_handler(signal.SIGTERM, self._ending.set)
        self._channel = await Channel.over(control)
        self._prepare(engines.pop())
        rpcs = self._rpcs()
        server = Server(self._serving, rpcs, self._birth.address)
        self._http = _http_server(self._serving, rpcs, self._birth.http_address)
        gc.collect()
        gc.freeze()  # what lives as long as the process is not walked again and again
        await server.start()
        if self._http:
            await self._http.start()
        self._channel.send(Ready())
        listening = asyncio.create_task(self._listen())
        beating = asyncio.create_task(self._serving.admission.keep_beating())
        showing = asyncio.create_task(self._monitor.keep_showing(self._serving))
        await self._ending.wait()
        await self._drain(server)
        listening.cancel()
        beating.cancel()
        showing.cancel()
        if self._serving.writer:
            self._serving.writer.close()
        await self._monitor.end(self._serving)

    async def _drain(self, server: Server) -> None:
        seconds = self._birth.settings.drain_seconds
        self._serving.draining = True
        await asyncio.gather(server.drain(seconds), *([self._http.drain(seconds)] if self._http else []))

    def _prepare(self, engine: Engine) -> None:
        birth = self._birth
        self._serving = Serving(
            settings=birth.settings,
            engine=self._wanted(engine),
            writer=WriterClient(str(birth.writer)) if birth.writer else None,
            secrets=birth.secrets,
            certificates=birth.certificates,
            attempts=birth.attempts,
            admission=Admission(birth.settings.longest_wait, birth.settings.max_in_flight),
            observer=self._monitor.observer,
            store_usable=self._monitor.store_usable,
        )
        self._set_keys(birth.keys)
        self._set_limits(birth.limits)

    def _wanted(self, engine: Engine) -> Engine:
        """The engine that is wanted, if the supervisor had an older one at the fork; what cannot be loaded is told again later."""
        birth = self._birth
        if birth.born_with == birth.wanted:
            return engine
        try:
            return with_lexicon(engine, Path(birth.wanted.lexicon), birth.settings.policy)
        except (WildgateError, OSError):
            log.exception("reload_failed")
            return engine

    def _rpcs(self) -> tuple[Rpc, ...]:
        scoring = Scoring(self._serving)
        transparency = Transparency(self._serving)
        lexicons = Lexicons(self._serving, self._reload)
        return (
            Rpc(SCORING, "ScoreListing", SCORE, scoring.score_listing, scores=True, records=True, charged=1),
            Rpc(SCORING, "BatchScoreListings", SCORE, scoring.batch_score_listings, scores=True, records=True),
            Rpc(TRANSPARENCY, "RecordOutcomes", SCORE, transparency.record_outcomes, records=True),
            Rpc(
                TRANSPARENCY,
                "GetTransparencyReport",
                REPORT,
                transparency.get_transparency_report,
            ),
            Rpc(TRANSPARENCY, "ExportStatementsOfReasons", REPORT, transparency.export_statements_of_reasons),
            Rpc(LEXICON, "GetLexicon", SCORE, lexicons.get_lexicon),
            Rpc(LEXICON, "ReloadLexicon", ADMIN, lexicons.reload_lexicon),
            Rpc(LEXICON, "ValidateRules", ADMIN, lexicons.validate_rules),
        )

    async def _reload(self) -> ReloadEnded:
        """Ask the supervisor for a reload and wait for its end."""
        number = next(self._numbers)
        ended: asyncio.Future[ReloadEnded] = asyncio.get_running_loop().create_future()
        self._reloads[number] = ended
        self._channel.send(ReloadWanted(number))
        try:
            return await ended
        finally:
            del self._reloads[number]

    async def _listen(self) -> None:
        while (message := await self._channel.receive()) is not None:
            match message:
                case Keys():
                    self._set_keys(message)
                case Limits():
                    self._set_limits(message)
                case Certificates():
                    self._serving.certificates = message
                    if self._http:
                        await self._http.renew()
                case Mark(number=number):
                    self._channel.send(Marked(number))
                case Load():
                    task = asyncio.create_task(self._swap(message))
                    self._loads.add(task)
                    task.add_done_callback(self._loads.discard)
                case ReloadEnded():
                    waiting = self._reloads.get(message.number)
                    if waiting and not waiting.done():
                        waiting.set_result(message)
                case _:
                    log.error("unexpected_message", message=type(message).__name__)
        self._ending.set()

    def _set_keys(self, message: Keys) -> None:
        pepper = self._birth.secrets.pepper if self._birth.secrets else b""
        self._serving.keys = KeyRing(message.keys, pepper) if message.required else None

    def _set_limits(self, message: Limits) -> None:
        self._serving.limiter = Limiter(self._birth.accounts, message.placed) if message.placed else None

    async def _swap(self, message: Load) -> None:
        """Load beside the loop, then swap between two calls; on failure keep what is served.

        One after the other as they were told, so that the last one stays.
        """
        async with self._loading:
            try:
                retired = [await asyncio.to_thread(self._load, Path(message.lexicon))]
            except Exception:  # whatever it is, the old one keeps serving
                log.exception("reload_failed")
                self._channel.send(Loaded(message.number, self._serving.engine.lexicon.version, failed=True))
                return
            self._serving.engine, retired[0] = retired[0], self._serving.engine
            self._channel.send(Loaded(message.number, self._serving.engine.lexicon.version))
            await asyncio.to_thread(release_beside, retired, self._serving.engine)

    def _load(self, lexicon: Path) -> Engine:
        return with_lexicon_beside(self._serving.engine, lexicon, self._birth.settings.policy)


def _http_server(serving: Serving, rpcs: Sequence[Rpc], address: Address | None) -> HttpServer | None:
    """The server of the HTTP port, if there is to be one: what it needs is an extra."""
    if address is None:
        return None
    from wildgate_service.http.listener import HttpServer  # noqa: PLC0415  (an extra)

    return HttpServer(serving, rpcs, address)
