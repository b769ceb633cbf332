"""What keys, limits and TLS cost: requests/s, latency and CPU of the service with and without them, and of calls that they refuse.

Usage: python benchmarks/load/security.py [--rounds N] [--seconds S] [--output FILE]

Three services, each in one process on one core with its writer, all the while: open, with keys, and with keys over TLS. Each round asks
all of them in every way (order shuffled), with 32 calls in flight on 16 connections that are kept, by h2load on the other core. Ratios
are of the same round. `connect_ms` is a new connection with its first call, by grpc's Python client, in turn; `foreign_id_ms` an outcome
of a decision that is another tenant's, in turn with one of a decision that is nobody's: they should not be told apart; `in_process_us` is
CPU per call of what stands before a call, in this process.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import grpc
from contents import CALL_SECONDS, UNARY
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from h2load import LoadError, Shot, check_installed, fire
from machine import write
from running import Server, Service
from traffic import make_requests, write_body
from uuid_utils import uuid7
from wildgate.v1 import scoring_pb2, scoring_pb2_grpc, transparency_pb2, transparency_pb2_grpc
from wildgate_service.auth import admit
from wildgate_service.keys import KeyRing, create_key
from wildgate_service.limiting.accounts import Accounts
from wildgate_service.limiting.limit import Limit, Placed, TenantLimit
from wildgate_service.limiting.limiter import Limiter
from wildgate_service.secrets import load_secrets
from wildgate_service.store import open_store

SEED = 17
CONNECTIONS, STREAMS = 16, 2
CONNECTS = 20
FOREIGN_IDS = 200
LOOP = 20_000
AMPLE = 1_000_000_000
PATIENT = {"longest_wait": 5.0, "max_waiting": 256}  # what is measured is cost: no call is to be refused for overload
BAD_KEY = f"wg_{'0' * 16}_{'0' * 64}"


@dataclass(frozen=True)
class Way:
    """How a service is asked: by the key of which tenant, and whether it refuses. `against` is the way that it is a ratio to."""

    name: str
    service: str
    tenant: str = ""
    against: str = "open"
    refused: bool = False


WAYS = (
    Way("open", "open"),
    Way("key", "key", "plain"),
    Way("key and limits", "key", "ample", "key"),
    Way("TLS and key", "tls", "plain", "key"),
    Way("TLS, key and limits", "tls", "ample"),
    Way("over the limit", "key", "narrow", refused=True),
    Way("bad key", "key", "nobody", refused=True),
)
LIMITS = (TenantLimit(tenant="ample", per_second=AMPLE, per_day=AMPLE), TenantLimit(tenant="narrow", per_second=1e-6))


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    try:
        check_installed()
        with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder, ExitStack() as stack:
            result = Bench(Path(folder), stack, chosen.seconds).run(chosen.rounds)
    except LoadError as error:
        print(f"security: {error}", file=sys.stderr)
        return 2
    for name, row in result["ways"].items():
        print(f"{name}: {row}")
    write(chosen.output, result)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="default 7")
    parser.add_argument("--seconds", type=float, default=2.0, help="of load in each way of a round (default 2)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "security.json")
    return parser.parse_args()


class Bench:
    """Services, keys and rounds."""

    def __init__(self, folder: Path, stack: ExitStack, seconds: float) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self._server_core, self._load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        self._folder = folder
        self._seconds = seconds
        self._rng = random.Random(SEED)
        self._certificate, tls = make_certificate(folder)
        self._keys: dict[tuple[str, str], str] = {}
        self._servers = {
            "open": stack.enter_context(Service("open", folder, self._server_core, **PATIENT)),
            "key": stack.enter_context(self._keyed("key")),
            "tls": stack.enter_context(self._keyed("tls", **tls)),
        }

    def _keyed(self, name: str, **settings: str) -> Service:
        """A service with keys and limits in its store."""
        service = Service(name, self._folder, self._server_core, **PATIENT, **settings)
        with open_store(f"sqlite:///{service.database}") as store:
            for tenant in ("plain", "ample", "narrow"):
                pepper = load_secrets(self._folder / "wildgate.secrets").pepper
                _, self._keys[name, tenant] = create_key(store, pepper, tenant=tenant, scopes=["score"], created=datetime.now(UTC))
            for limit in LIMITS:
                store.set_limit(limit)
        return service

    def run(self, rounds: int) -> dict[str, Any]:
        """All rounds; of each way the median of all rounds, and of its ratio to another."""
        requests = [make_requests(self._rng, number).ordinary for number in range(rounds)]
        bodies = [write_body(self._folder / f"{number}.body", request) for number, request in enumerate(requests)]
        sizes = [len(self._answer(request.SerializeToString())) for request in requests]
        rows: dict[str, list[dict[str, float]]] = {way.name: [] for way in WAYS}
        for way in WAYS:
            self._measure(way, bodies[0], sizes[0])
        for body, size in zip(bodies, sizes, strict=True):
            for way in self._rng.sample(WAYS, len(WAYS)):
                rows[way.name].append(self._measure(way, body, size))
            print({name: each[-1]["calls_per_second"] for name, each in rows.items()}, flush=True)
        return {
            "seed": SEED,
            "rounds": rounds,
            "seconds": self._seconds,
            "pinned": self._server_core is not None,
            "load_average_after": os.getloadavg()[0],
            "ways": {way.name: summary(rows[way.name], rows[way.against]) for way in WAYS},
            "connect_ms": self._connect(requests[0].SerializeToString()),
            "foreign_id_ms": self._foreign_ids(requests[0]),
            "in_process_us": in_process(),
            "rows": rows,
        }

    def _answer(self, request: bytes) -> bytes:
        with grpc.insecure_channel(self._servers["open"].target) as channel:
            answer: bytes = channel.unary_unary(UNARY)(request, timeout=CALL_SECONDS)
        return answer

    def _measure(self, way: Way, body: Path, size: int) -> dict[str, float]:
        server: Server = self._servers[way.service]
        key = self._keys.get((way.service, way.tenant), BAD_KEY)
        headers = (f"authorization: Bearer {key}",) if way.tenant else ()
        shot = Shot(server.target, UNARY, body, size, CONNECTIONS, STREAMS, headers=headers, tls=way.service == "tls", refused=way.refused)
        before = server.cpu_seconds()
        burst = fire((shot,), self._seconds, self._folder, self._load_core)
        return {
            "calls_per_second": round(burst.calls_per_second if way.refused else burst.requests_per_second, 1),
            "p50_ms": round(burst.p50, 3),
            "p99_ms": round(burst.p99, 3),
            "cpu_us_per_call": round((server.cpu_seconds() - before) * 1e6 / burst.answered, 1),
            "refused_share": round(sum(burst.refused.values()) / burst.answered, 4),
        }

    def _foreign_ids(self, request: scoring_pb2.ScoreListingRequest) -> dict[str, float]:
        """Median milliseconds of an outcome of another tenant's decision, and of nobody's."""
        taken: dict[str, list[float]] = {"another's": [], "nobody's": []}
        with grpc.insecure_channel(self._servers["key"].target) as channel:
            owner, stranger = ([("authorization", f"Bearer {self._keys['key', tenant]}")] for tenant in ("plain", "ample"))
            score = scoring_pb2_grpc.ScoringServiceStub(channel).ScoreListing
            record = transparency_pb2_grpc.TransparencyServiceStub(channel).RecordOutcomes
            for _ in range(FOREIGN_IDS):
                foreign = score(request, metadata=owner, timeout=CALL_SECONDS).decision.decision_id
                for whose, decision_id in (("another's", foreign), ("nobody's", str(uuid7()))):
                    sent = transparency_pb2.Outcome(
                        outcome_id=str(uuid7()), decision_id=decision_id, kind=transparency_pb2.OUTCOME_KIND_REMOVED
                    )
                    start = time.perf_counter()
                    record(transparency_pb2.RecordOutcomesRequest(outcomes=[sent]), metadata=stranger, timeout=CALL_SECONDS)
                    taken[whose].append((time.perf_counter() - start) * 1e3)
        return {whose: round(statistics.median(each), 3) for whose, each in taken.items()}

    def _connect(self, request: bytes) -> dict[str, float]:
        """Median milliseconds of a new connection and its first call."""
        credentials = {"key": None, "tls": grpc.ssl_channel_credentials(self._certificate)}
        taken: dict[str, list[float]] = {name: [] for name in credentials}
        for _ in range(CONNECTS):
            for name, chosen in credentials.items():
                metadata = [("authorization", f"Bearer {self._keys[name, 'plain']}")]
                start = time.perf_counter()
                with connected(self._servers[name].target, chosen) as channel:
                    channel.unary_unary(UNARY)(request, metadata=metadata, timeout=CALL_SECONDS)
                    taken[name].append((time.perf_counter() - start) * 1e3)
        return {name: round(statistics.median(each), 2) for name, each in taken.items()}


def connected(target: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    """A connection that no other channel shares."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    return grpc.secure_channel(target, credentials, options) if credentials else grpc.insecure_channel(target, options)


def summary(rows: list[dict[str, float]], against: list[dict[str, float]]) -> dict[str, float]:
    """Medians, and the medians of the ratios of the same rounds."""
    medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}

    def ratio(name: str) -> float:
        return round(statistics.median(row[name] / other[name] for row, other in zip(rows, against, strict=True)), 3)

    return {**medians, "ratio": ratio("calls_per_second"), "cpu_ratio": ratio("cpu_us_per_call"), "p99_ratio": ratio("p99_ms")}


def in_process() -> dict[str, float]:
    """Microseconds of CPU a call: finding the key, charging a limit, and asking for a tenant that has none."""
    kept = _Kept()
    _, text = create_key(kept, b"pepper", tenant="ample", scopes=["score"], created=datetime.now(UTC))
    keys = KeyRing(kept.keys, b"pepper")
    limiter = Limiter(Accounts(), {"ample": Placed(0, Limit(AMPLE, 0, AMPLE)), "narrow": Placed(1, Limit(1e-6))})
    limiter.refusal("narrow", 1)
    return {
        "key": _microseconds(lambda: admit(keys, text, "score")),
        "limit": _microseconds(lambda: limiter.refusal("ample", 1)),
        "over the limit": _microseconds(lambda: limiter.refusal("narrow", 1)),
        "no limit": _microseconds(lambda: limiter.refusal("other", 1)),
    }


class _Kept:
    """A store of keys that is a list."""

    def __init__(self) -> None:
        self.keys: list[Any] = []

    def add_key(self, key: Any) -> None:  # noqa: ANN401  (an ApiKey)
        """As a store does."""
        self.keys.append(key)


def _microseconds(call: Callable[[], object]) -> float:
    def once() -> Iterator[float]:
        for _ in range(5):
            start = time.process_time()
            for _ in range(LOOP):
                call()
            yield (time.process_time() - start) / LOOP * 1e6

    return round(min(once()), 2)


def make_certificate(folder: Path) -> tuple[bytes, dict[str, str]]:
    """A certificate of 127.0.0.1 that signs itself, and the settings that name its files."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wildgate benchmark")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem.read_bytes(), {"tls_certificate": str(pem), "tls_private_key": str(private)}


if __name__ == "__main__":
    sys.exit(main())
