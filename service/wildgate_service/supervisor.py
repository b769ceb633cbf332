"""The supervisor: the process that owns all others, and serves nothing itself.

    supervisor ── compiler   compiles the lexicons, and looks whether they change
               ├─ writer     owns the store
               └─ worker-0 … worker-N-1   share the port, each with one event loop

It loads the engine before it forks the workers, so that they share its memory; it imports no gRPC
and runs no thread, for neither survives a fork.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import structlog

from wildgate_service import log as logs
from wildgate_service.access_desk import AccessDesk
from wildgate_service.control import Broken, Compiled, Fault, ReloadEnded
from wildgate_service.cores import find_cores
from wildgate_service.errors import SettingsError, WildgateError
from wildgate_service.http import check_http
from wildgate_service.memory import return_freed_memory
from wildgate_service.model.folder import find_models
from wildgate_service.monitoring.supervisor import ServiceMonitor
from wildgate_service.monitoring.traces import check_tracing
from wildgate_service.pipeline import load_engine
from wildgate_service.port import Address, keeps_waiting_connections, reserve, resolve
from wildgate_service.reload import CompilerProcess, Result, warmed, with_lexicon
from wildgate_service.workers import Birth, Served, Workers
from wildgate_service.writer_process import WriterProcess

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from wildgate_service.pipeline import Engine
    from wildgate_service.settings import Settings

log = structlog.get_logger()

POLL_SECONDS = 1.0  # between two looks at what says who may call
ADOPT_SECONDS = 0.1  # after the answer to whoever asked for a reload


def serve(settings: Settings) -> int:
    """Run the service until SIGTERM or SIGINT; returns the exit status.

    Raises WildgateError if it cannot start.
    """
    logs.configure(settings.log_level)
    return_freed_memory()
    access = AccessDesk(settings)
    check_tracing(settings)
    check_http(settings)
    address = resolve(settings.host, settings.port)
    _refuse_plaintext(settings, address)
    with ExitStack() as taken, tempfile.TemporaryDirectory(prefix="wildgate-") as folder:
        grpc, address = reserve(address)
        sockets = {taken.enter_context(grpc)}
        http_address = None
        if settings.http_port is not None:
            http, http_address = reserve(Address(address.host, settings.http_port))
            sockets.add(taken.enter_context(http))
        asyncio.run(Supervisor(settings, address, http_address, sockets, Path(folder), access).run())
    return 0


def _refuse_plaintext(settings: Settings, address: Address) -> None:
    """Raise SettingsError where keys and listings would travel readable for others, unless that was asked for."""
    if settings.tls_certificate or address.loopback or settings.plaintext == "anywhere":
        return
    message = (
        f"refusing to listen on {address} without TLS: API keys and listings could be read on the way. Set tls_certificate and "
        'tls_private_key, or plaintext = "anywhere" where something else encrypts, or listen on 127.0.0.1'
    )
    raise SettingsError(message)


class Supervisor:
    """Starts the others, keeps them alive, and ends them in order."""

    def __init__(
        self,
        settings: Settings,
        address: Address,
        http_address: Address | None,
        sockets: set[socket.socket],
        folder: Path,
        access: AccessDesk,
    ) -> None:
        self._settings = settings
        self._access = access
        self._address = address
        self._http_address = http_address
        self._sockets = sockets
        self._monitor = ServiceMonitor(settings, sockets)
        self._monitor.listen()
        self._writer = WriterProcess(settings, folder / "writer", sockets, self._monitor.board)
        self._compiler = CompilerProcess(settings, sockets, self._on_change)
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[ReloadEnded | None]] = set()
        self._wanted: Served
        self._engine: Engine
        self._engine_from: Served
        self._broken = False
        self._workers: Workers | None = None

    async def run(self) -> None:
        """Live until a signal, or until it cannot start; then end the others."""
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.unhandled)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_on_signal)
        tasks = [asyncio.create_task(self._live()), asyncio.create_task(ending.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            tasks[0].cancel()
            await self._drain()

    async def _live(self) -> NoReturn:
        self._monitor.start()
        await self._start()
        self._monitor.serving()
        print(f"wildgate: serving on {self._address}", flush=True)  # noqa: T201  (the contract)
        if self._http_address:
            log.info("http_serving", address=str(self._http_address))
        cores = find_cores()
        asked = self._settings.workers or "auto"
        log.info(
            "serving", address=str(self._address), workers=self._settings.worker_count, asked=asked, cores=cores.affinity, quota=cores.quota
        )
        if self._settings.worker_count > 1 and not keeps_waiting_connections():
            log.info("waiting_connections_die_with_their_worker", mend="sysctl net.ipv4.tcp_migrate_req=1")
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self._workers:
                await self._access.poll(self._workers.tell)

    async def _start(self) -> None:
        self._compiler.start()
        async with self._reloading:
            compiled = await self._compiler.compile()
        if isinstance(compiled, Broken):
            raise WildgateError(compiled.fault.message)
        self._wanted = Served(compiled.lexicon, compiled.policy)
        self._access.open(self._address)
        await self._writer.start()
        self._engine = self._load_engine()
        self._workers = Workers(self._settings.worker_count, self._birth, lambda: self._engine, self.reload, self._sockets)
        await self._workers.ready()

    def _load_engine(self) -> Engine:
        settings = self._settings
        self._engine_from = self._wanted
        models = find_models(settings.models)
        lexicon, deep = Path(self._wanted.lexicon), settings.deep_encoder_path
        engine = warmed(load_engine(lexicon, settings.policy, settings.encoder_path, models, deep=deep))
        if engine.missing:
            log.warning("encoder_missing", why=engine.missing)
        _freeze()
        return engine

    def _birth(self) -> Birth:
        return Birth(
            address=str(self._address),
            http_address=self._http_address,
            settings=self._settings,
            born_with=self._engine_from,
            wanted=self._wanted,
            keys=self._access.keys,
            limits=self._access.limits,
            accounts=self._access.counts.accounts,
            attempts=self._access.counts.attempts,
            certificates=self._access.certificates.current,
            writer=self._writer.path if self._settings.recording else None,
            secrets=self._access.secrets,
            board=self._monitor.board,
        )

    async def _drain(self) -> None:
        log.info("draining")
        self._monitor.draining()
        if self._workers:
            await self._workers.drain(self._settings.drain_seconds)
        await self._compiler.stop()
        await self._writer.stop()
        await self._monitor.stop()
        log.info("ended")

    # --- reload ----------------------------------------------------------------------------------

    async def reload(self) -> ReloadEnded:
        """Serve the lexicons and policy that are on disk now, on all workers, or change nothing."""
        async with self._reloading:
            return await self._take(await self._compiler.compile())

    def _on_change(self, result: Result) -> None:
        self._keep_task(self._reload_changed(result))

    def _reload_on_signal(self) -> None:
        self._keep_task(self.reload())

    def _keep_task(self, reload: Coroutine[None, None, ReloadEnded | None]) -> None:
        task = asyncio.create_task(reload)
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_changed(self, result: Result) -> None:
        """Serve what the compiler found changed, unless it has said something newer since."""
        async with self._reloading:
            if result is not self._compiler.latest:
                return
            if isinstance(result, Compiled) and Served(result.lexicon, result.policy) == self._wanted:
                self._mended()
            else:
                await self._take(result)

    async def _take(self, result: Result) -> ReloadEnded:
        """Have all workers serve what was compiled, and load it here too, for those that are still to be forked."""
        if isinstance(result, Broken):
            self._broken = True
            self._monitor.reloaded("refused")
            return _refused(result.fault)
        self._mended()
        before, self._wanted = self._wanted, Served(result.lexicon, result.policy)
        if self._workers is None:  # there are none yet: they start with this
            return ReloadEnded(0)
        loaded = await self._workers.load(self._wanted.lexicon)
        if not loaded.serving and not self._adopt():
            self._wanted = before
        asyncio.get_running_loop().call_later(ADOPT_SECONDS, self._adopt)
        self._monitor.reloaded("partial" if loaded.failed else "served")
        log.info("reloaded", version=loaded.version, serving=loaded.serving, failed=loaded.failed)
        return ReloadEnded(0, loaded.version, loaded.serving, loaded.failed)

    def _mended(self) -> None:
        if self._broken:
            log.info("reload_mended")
        self._broken = False
        self._monitor.mended()

    def _adopt(self) -> bool:
        """Load what the workers serve; False if that fails, and then each new worker loads it itself."""
        if self._engine_from == self._wanted:
            return True
        wanted = self._wanted
        try:
            self._engine = with_lexicon(self._engine, Path(wanted.lexicon), self._settings.policy)
        except (WildgateError, OSError):
            log.exception("reload_failed")
            return False
        self._engine_from = wanted
        _freeze()
        return True


def _freeze() -> None:
    """Keep what there is out of garbage collections: one in a worker would write to, and so copy, every shared page."""
    gc.collect()
    gc.freeze()


def _refused(fault: Fault) -> ReloadEnded:
    log.error("reload_refused", file=fault.file, line=fault.line, why=fault.message)
    return ReloadEnded(0, fault=fault)
