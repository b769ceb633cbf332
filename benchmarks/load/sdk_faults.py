"""What callers of the SDK see of every fault between it and a real service, and how soon after it they are answered again.

For each fault, for `Client` and `AsyncClient`, and for each `on_unavailable`: connect, be answered, break, call in turn with the default
deadline of 50 ms, mend, call until answered. "review" makes --calls calls, the others a few. A row is as expected if every call ended as
the table `EXPECTED` says, by the policy chosen, and the client's counters say the same.

Usage: python benchmarks/load/sdk_faults.py [--calls N] [--only TEXT] [--output FILE]     exit status 1 if a row is not as expected
       python benchmarks/load/sdk_faults.py --table       the table of docs/sdk_faults.md, from the committed result
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from certificates import authority, certificate
from fault_proxy import Fault, FaultProxy
from machine import write
from name_server import NameServer
from running import Server, Service
from wildgate import AsyncClient, Client, Decision, Listing, WildgateError, WildgateUnavailableError

LISTING = Listing(id="42", title="Vintage table lamp, brass")
DEADLINE = 0.05
FEW_CALLS = 5
TRIES = 10_000
POLICIES = ("review", "allow", "block", "raise")
RECOVERY_PAUSE = 0.005
UNAVAILABLE, LATE, ANSWERED = "unavailable", "deadline_exceeded", "answered"


@dataclass
class Case:
    """A fault: what calls may end as, and how it begins and ends."""

    name: str
    expected: frozenset[str]
    target: str
    begin: Callable[[], object]
    end: Callable[[], object]
    options: dict[str, Any] = field(default_factory=lambda: {"insecure": True})
    policies: tuple[str, ...] = POLICIES


BROKEN = frozenset({UNAVAILABLE, LATE})
IN_TIME = frozenset({ANSWERED, LATE})  # late, where the machine has other work: the first row has no fault
EXPECTED = {
    Fault.NONE: IN_TIME,
    Fault.REFUSED: BROKEN,
    Fault.RESET_AT_CONNECT: BROKEN,
    Fault.RESET_IN_REQUEST: BROKEN,
    Fault.RESET_IN_RESPONSE: BROKEN,
    Fault.CUT_MID_FRAME: BROKEN,
    Fault.HALF_CLOSED: BROKEN,
    Fault.BLACK_HOLE: BROKEN,
    Fault.STUCK: BROKEN | IN_TIME,
    Fault.DRIP: BROKEN,
    Fault.GOAWAY: IN_TIME,
    Fault.GOAWAY_UNREAD: BROKEN,
    Fault.GOAWAY_CALM: BROKEN,
    Fault.BAD_HEADERS: BROKEN,
    Fault.BAD_LENGTH: BROKEN,
    Fault.BAD_MESSAGE: frozenset({"INTERNAL", LATE}),
    Fault.NOT_HTTP2: BROKEN,
}


class Caller(Protocol):
    """A client of either flavor."""

    stats: Any

    def calls(self, count: int, until_answered: bool = False, timeout: float = DEADLINE) -> list[tuple[str, float]]:  # noqa: FBT001, FBT002
        """Call in turn, at most so often; how each call ended, and its seconds."""

    def close(self) -> None:
        """End."""


class SyncCaller:
    """`Client`."""

    def __init__(self, target: str, policy: Any, options: dict[str, Any]) -> None:  # noqa: ANN401  (a literal of the SDK's)
        self._client = Client(target, on_unavailable=policy, timeout=DEADLINE, **options)
        self._policy = policy
        self.stats = self._client.stats

    def calls(self, count: int, until_answered: bool = False, timeout: float = DEADLINE) -> list[tuple[str, float]]:  # noqa: FBT001, FBT002
        """As the protocol says."""
        ends: list[tuple[str, float]] = []
        while len(ends) < count and not (until_answered and ends and ends[-1][0] == ANSWERED):
            started = time.perf_counter()
            try:
                end: Decision | WildgateError = self._client.score(LISTING, timeout=timeout)
            except WildgateError as error:
                end = error
            ends.append((named(end, self._policy), time.perf_counter() - started))
            time.sleep(RECOVERY_PAUSE)
        return ends

    def close(self) -> None:
        """End."""
        self._client.close()


class AsyncCaller:
    """`AsyncClient`, on a loop that runs while there is something to call."""

    def __init__(self, target: str, policy: Any, options: dict[str, Any]) -> None:  # noqa: ANN401  (a literal of the SDK's)
        self._runner = asyncio.Runner()
        self._client = AsyncClient(target, on_unavailable=policy, timeout=DEADLINE, **options)
        self._policy = policy
        self.stats = self._client.stats

    def calls(self, count: int, until_answered: bool = False, timeout: float = DEADLINE) -> list[tuple[str, float]]:  # noqa: FBT001, FBT002
        """As the protocol says."""
        return self._runner.run(self._calls(count, until_answered, timeout))

    async def _calls(self, count: int, until_answered: bool, timeout: float) -> list[tuple[str, float]]:  # noqa: ASYNC109, FBT001
        ends: list[tuple[str, float]] = []
        while len(ends) < count and not (until_answered and ends and ends[-1][0] == ANSWERED):
            started = time.perf_counter()
            try:
                end: Decision | WildgateError = await self._client.score(LISTING, timeout=timeout)
            except WildgateError as error:
                end = error
            ends.append((named(end, self._policy), time.perf_counter() - started))
            await asyncio.sleep(RECOVERY_PAUSE)
        return ends

    def close(self) -> None:
        """End."""
        self._runner.run(self._client.close())
        self._runner.close()


FLAVORS = {"Client": SyncCaller, "AsyncClient": AsyncCaller}


def named(end: Decision | WildgateError, policy: str) -> str:
    """`answered`, the reason of a degraded decision or of an outage raised, or what else was raised; what broke the policy says so."""
    if isinstance(end, WildgateError):
        outage = isinstance(end, WildgateUnavailableError)
        return end.reason if not outage else end.why if policy == "raise" else f"raised {end.why} against the policy {policy}"
    if end.answered:
        return ANSWERED
    return end.degraded_reasons[0] if end.action == policy else f"{end.action} against the policy {policy}"


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    if chosen.table:
        print(table(json.loads(chosen.output.read_text(encoding="utf-8"))["rows"]))
        return 0
    logging.getLogger("wildgate").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder:
        rows = [row for case in cases(Path(folder), chosen.only) for row in measured(case, chosen.calls)]
    write(chosen.output, {"deadline_ms": DEADLINE * 1000, "calls": chosen.calls, "summary": summary(rows), "rows": rows})
    return 0 if all(row["as_expected"] for row in rows) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100, help='with the policy "review" (default 100)')
    parser.add_argument("--only", default="", help="faults whose name holds this text")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the result as Markdown")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "sdk_faults.json")
    return parser.parse_args()


def cases(folder: Path, only: str) -> Iterator[Case]:
    """All faults, one after the other, each with what it needs."""
    with started(Service("service", folder, store="none")) as service:
        with FaultProxy(service.target) as proxy:
            for fault, expected in EXPECTED.items():
                yield from named_like(only, Case(fault, expected, proxy.target, by_proxy(proxy, fault), by_proxy(proxy, Fault.NONE)))
        for make in (name_changed, server_restarted):
            with make(folder, service) as case:
                yield from named_like(only, case)
    with tls_cases(folder) as some:
        for case in some:
            yield from named_like(only, case)


def named_like(only: str, case: Case) -> Iterator[Case]:
    """The case, if it was asked for."""
    if only in case.name:
        yield case


def by_proxy(proxy: FaultProxy, fault: Fault) -> Callable[[], object]:
    """What sets the fault. A connection that is stuck stays so: its client must leave it."""
    return lambda: proxy.set(fault)


@contextmanager
def started(service: Service) -> Iterator[Service]:
    """A service that serves, whatever else it does yet."""
    Server.__enter__(service)
    try:
        yield service
    finally:
        service.__exit__(None)


@contextmanager
def name_changed(_: Path, service: Service) -> Iterator[Case]:
    """Nobody answers any more at the address of a name; the fault ends when the name server gives another, where somebody does."""
    with (
        FaultProxy(service.target) as one,
        FaultProxy(service.target, host="127.0.0.2", port=one.port) as other,
        NameServer(one.host) as names,
    ):
        now, then = [one], [other]

        def begin() -> None:
            then[0].set(Fault.NONE)
            now[0].set(Fault.REFUSED)

        def end() -> None:
            now[0], then[0] = then[0], now[0]
            names.address = now[0].host

        yield Case("address behind the name changed", BROKEN, f"dns://{names.authority}/wildgate.test:{one.port}", begin, end)


@contextmanager
def server_restarted(folder: Path, service: Service) -> Iterator[Case]:
    """All its processes are killed; another is started at the port, and the fault ends when it serves."""
    others: list[Service] = [service]

    def begin() -> None:
        others[-1].process.kill()
        others[-1].process.wait()

    def end() -> None:
        others.append(Service(f"restarted-{len(others)}", folder, store="none", port=int(service.target.rpartition(":")[2])))
        Server.__enter__(others[-1])

    yield Case("server killed and restarted", BROKEN, service.target, begin, end, policies=("review",))
    for other in others[1:]:
        other.__exit__(None)


@contextmanager
def tls_cases(folder: Path) -> Iterator[list[Case]]:
    """A handshake that never goes on, and a certificate of an authority that the client does not trust."""
    ours, theirs = authority("ours"), authority("theirs")
    good, bad = certificate(folder, ours), certificate(folder, theirs)
    options = {"root_certificates": ours.pem}
    with (
        started(Service("good", folder, store="none", tls_certificate=good.certificate, tls_private_key=good.key)) as trusted,
        started(Service("bad", folder, store="none", tls_certificate=bad.certificate, tls_private_key=bad.key)) as untrusted,
        FaultProxy(trusted.target, framed=False) as proxy,
    ):

        def stall() -> None:
            proxy.set(Fault.REFUSED)
            proxy.set(Fault.BLACK_HOLE)

        def distrust() -> None:
            proxy.upstream = untrusted.target
            proxy.set(Fault.REFUSED)
            proxy.set(Fault.NONE)

        def trust() -> None:
            proxy.upstream = trusted.target
            proxy.set(Fault.NONE)

        yield [
            Case("TLS handshake stalled", BROKEN, proxy.target, stall, by_proxy(proxy, Fault.NONE), options),
            Case("certificate not trusted", BROKEN, proxy.target, distrust, trust, options),
        ]


def measured(case: Case, calls: int) -> Iterator[dict[str, Any]]:
    """A row for each flavor."""
    for flavor, make in FLAVORS.items():
        runs = [run(case, make(case.target, policy, case.options), calls if policy == "review" else FEW_CALLS) for policy in case.policies]
        row = {"fault": str(case.name), "client": flavor, "expected": sorted(case.expected), **joined(case, runs)}
        print(row, flush=True)
        yield row


@dataclass
class Run:
    """What one client saw."""

    ends: list[tuple[str, float]]
    recovery: float
    recovered: bool
    counted: bool


def run(case: Case, caller: Caller, calls: int) -> Run:
    """Be answered, break, call, mend, call until answered."""
    try:
        caller.calls(TRIES, until_answered=True, timeout=1.0)
        before = counted(caller)
        case.begin()
        ends = caller.calls(calls)
        seen, counts = Counter(end for end, _ in ends), counted(caller) - before
        case.end()
        mended = time.perf_counter()
        after = caller.calls(TRIES, until_answered=True)
        return Run(ends, time.perf_counter() - mended - RECOVERY_PAUSE, after[-1][0] == ANSWERED, seen == counts)
    finally:
        caller.close()


def counted(caller: Caller) -> Counter[str]:
    """What the client has counted, in the words of `named`."""
    stats = caller.stats
    lower = {"UNAVAILABLE": UNAVAILABLE, "DEADLINE_EXCEEDED": LATE}
    errors = {lower.get(reason, reason): count for reason, count in stats.errors.items()}
    return Counter({ANSWERED: stats.decisions}) + Counter(stats.degraded) + Counter(errors)


def joined(case: Case, runs: list[Run]) -> dict[str, Any]:
    """The runs of all policies as one row."""
    ends = [end for run in runs for end in run.ends]
    late = sorted(max(0.0, seconds - DEADLINE) * 1000 for _, seconds in ends)
    recoveries = [run.recovery * 1000 for run in runs]
    return {
        "observed": dict(Counter(end for end, _ in ends)),
        "counted": all(run.counted for run in runs),
        "excess_p50_ms": round(statistics.median(late), 2),
        "excess_p99_ms": round(late[int(len(late) * 0.99)], 2),
        "recovery_median_ms": round(statistics.median(recoveries), 1),
        "recovery_longest_ms": round(max(recoveries), 1),
        "as_expected": {end for end, _ in ends} <= case.expected and all(run.counted and run.recovered for run in runs),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown, a line for each row."""
    head = "| fault | client | expected | observed | excess p50, p99 | answered again after: median, longest |\n|---|---|---|---|---|---|"
    return "\n".join([head, *map(_line, rows)])


def _line(row: dict[str, Any]) -> str:
    expected = " or ".join(row["expected"])
    observed = ", ".join(f"{count} {end}" for end, count in row["observed"].items()) + (
        "" if row["as_expected"] else " **(not as expected)**"
    )
    excess = f"{row['excess_p50_ms']:.0f}, {row['excess_p99_ms']:.0f} ms"
    recovery = f"{row['recovery_median_ms'] / 1000:.2f}, {row['recovery_longest_ms'] / 1000:.2f} s"
    return f"| {row['fault']} | {row['client']} | {expected} | {observed} | {excess} | {recovery} |"


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All rows in one."""
    return {
        "calls": sum(sum(row["observed"].values()) for row in rows),
        "rows": len(rows),
        "as_expected": sum(row["as_expected"] for row in rows),
        "excess_p50_ms": max(row["excess_p50_ms"] for row in rows),
        "excess_p99_ms": max(row["excess_p99_ms"] for row in rows),
        "recovery_longest_ms": max(row["recovery_longest_ms"] for row in rows),
    }


if __name__ == "__main__":
    sys.exit(main())
