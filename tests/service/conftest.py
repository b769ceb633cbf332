"""A small lexicon for tests of the service, which are not about words, and stubs of a channel or of the HTTP port."""

from __future__ import annotations

import gzip
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
import yaml
from connectrpc.client import ConnectClientSync
from connectrpc.compat import google_protobuf_json_codec
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from wildgate.v1 import (
    lexicon_pb2,
    lexicon_pb2_grpc,
    scoring_pb2,
    scoring_pb2_grpc,
    transparency_pb2,
    transparency_pb2_grpc,
)
from wildgate_service.model.authored import WRITTEN
from wildgate_service.model.generated import TEXTS

TAXA = "taxon,scientific_name,rank,group,common_name\nelephant,Elephantidae,family,elephant,elephants\n"
PROTECTION = "taxon,list,appendix,market,valid_from,valid_to,source,note\nelephant,CITES,I,,,,CITES,\n"


def write_lexicon(root: Path, *forms: str, version: str = "1.0.0") -> Path:
    """Write a lexicon of two rules about elephants, the second restricted."""
    rules = root / "rules" / "en"
    rules.mkdir(parents=True, exist_ok=True)
    (root / "VERSION").write_text(f"{version}\n", encoding="utf-8")
    (root / "taxa.csv").write_text(TAXA, encoding="utf-8")
    (root / "protection.csv").write_text(PROTECTION, encoding="utf-8")
    (root / "unions.csv").write_text("union,market,source\n", encoding="utf-8")
    content = [
        _rule("en-elephant-ivory", "public", ("elephant tusk", *forms)),
        _rule("en-elephant-hidden", "restricted", ("white gold tusk",)),
    ]
    (rules / "ivory.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return root


def _rule(rule_id: str, visibility: str, forms: tuple[str, ...]) -> dict[str, object]:
    return {
        "id": rule_id,
        "title": "Elephant tusks",
        "status": "test",
        "description": "Detects offers of elephant tusks.",
        "language": "en",
        "taxa": ["elephant"],
        "kind": "product",
        "level": "alone",
        "entries": [{"form": form, "gloss": f"what {form} means"} for form in forms],
        "falsepositives": [],
        "references": ["https://example.org/tusks"],
        "visibility": visibility,
        "examples": {"match": [f"{forms[0]} {n}" for n in "abc"], "no_match": list("abc")},
        "author": "tests",
        "reviewed_by": "tests",
        "date": "2026-01-01",
        "modified": "2026-01-01",
    }


class Stubs:
    """The three services over one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.scoring = scoring_pb2_grpc.ScoringServiceStub(channel)
        self.transparency = transparency_pb2_grpc.TransparencyServiceStub(channel)
        self.lexicon = lexicon_pb2_grpc.LexiconServiceStub(channel)


class HttpStubs:
    """The same over HTTP with JSON, called as gRPC's stubs are: connectrpc's own client, whose errors become those of gRPC."""

    def __init__(self, address: str) -> None:
        self._client = ConnectClientSync(f"http://{address}", codec=google_protobuf_json_codec())
        self._raw = ConnectClientSync(f"http://{address}", codec=RawCodec())
        self.channel = SimpleNamespace(unary_unary=lambda path: partial(self._call_raw, path))
        modules = {"scoring": scoring_pb2, "transparency": transparency_pb2, "lexicon": lexicon_pb2}
        for name, module in modules.items():
            (service,) = module.DESCRIPTOR.services_by_name.values()
            setattr(self, name, SimpleNamespace(**{method.name: partial(self._call, _info(method)) for method in service.methods}))

    def _call(self, method: MethodInfo, request: Message, **options: object) -> Message:
        return _executed(self._client, method, request, **options)

    def _call_raw(self, path: str, payload: bytes, **options: object) -> bytes:
        service, name = path.strip("/").split("/")
        return _executed(self._raw, _method_info(service, name, bytes, bytes), payload, **options)

    def close(self) -> None:
        """End its connections."""
        self._client.close()
        self._raw.close()


class RawCodec:
    """Bytes as they are."""

    def name(self) -> str:
        """Of the content type."""
        return "proto"

    def encode(self, message: bytes) -> bytes:
        """None."""
        return message

    def decode(self, data: bytes, message_class: type) -> bytes:
        """None."""
        del message_class
        return bytes(data)


def _executed(client, method, request, timeout=60, metadata=()):
    timeout_ms = None if timeout is None else int(timeout * 1000)
    try:
        return client.execute_unary(request=request, method=method, headers=dict(metadata), timeout_ms=timeout_ms)
    except ConnectError as error:
        raise HttpError(error) from None


class HttpError(grpc.RpcError, grpc.Call):
    """A Connect error as gRPC's clients get theirs."""

    def __init__(self, error: ConnectError) -> None:
        super().__init__(error.message)
        self._error = error

    def code(self) -> grpc.StatusCode:
        """As gRPC has it; the two spell one code in two ways."""
        name = self._error.code.name
        return grpc.StatusCode["CANCELLED" if name == "CANCELED" else name]

    def details(self) -> str:
        """Its sentence."""
        return self._error.message

    def initial_metadata(self) -> None:
        """None."""

    def trailing_metadata(self) -> list[tuple[str, bytes]]:
        """The status with its details."""
        packed = [Packed(type_url=f"type.googleapis.com/{each.type_name}", value=each.message_bytes) for each in self._error.details]
        status = status_pb2.Status(code=self.code().value[0], message=self.details(), details=packed)
        return [("grpc-status-details-bin", status.SerializeToString())]

    def is_active(self) -> bool:
        """It is over."""
        return False

    def time_remaining(self) -> None:
        """None."""

    def cancel(self) -> bool:
        """Too late."""
        return False

    def add_callback(self, callback: object) -> bool:
        """Too late."""
        del callback
        return False


def _info(method) -> MethodInfo:
    kinds = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    return _method_info(method.containing_service.full_name, method.name, *kinds)


def _method_info(service, name, request, response) -> MethodInfo:
    return MethodInfo(
        name=name,
        service_name=service,
        input=request,
        output=response,
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.UNARY,
    )


def pytest_generate_tests(metafunc):
    """Run tests marked `protocols` on each that is named, if they make calls; over HTTP those that start a service themselves are slow."""
    marker = metafunc.definition.get_closest_marker("protocols")
    if marker and "protocol" in metafunc.fixturenames:
        marks = [pytest.mark.slow] if "start_service" in metafunc.fixturenames else []
        named = [pytest.param(name, marks=marks if name == "http" else []) for name in marker.args]
        metafunc.parametrize("protocol", named, indirect=True, scope="session")


@pytest.fixture(scope="session")
def protocol(request):
    """What carries the calls of a test: grpc, unless it is marked `protocols`."""
    return getattr(request, "param", "grpc")


@pytest.fixture(scope="session")
def make_small_lexicon():
    """Write the small lexicon into a folder, for fixtures that live longer than a test."""
    return write_lexicon


@pytest.fixture
def rewrite_lexicon(lexicons):
    """Write the small lexicon anew with further forms and another version."""
    return lambda *forms, version: write_lexicon(lexicons, *forms, version=version)


@pytest.fixture
def break_lexicon(lexicons):
    """Put a rule without an id into it, at line 1 of rules/en/broken.yml; returns that file."""

    def write():
        file = lexicons / "rules" / "en" / "broken.yml"
        file.write_text("- title: no id\n", encoding="utf-8")
        return file

    return write


@pytest.fixture
def lexicons(tmp_path):
    """Folder of the small lexicon."""
    return write_lexicon(tmp_path / "lexicons")


@pytest.fixture
def start_small(start_service, lexicons, protocol):
    """Start a service on the small lexicon, with an HTTP port where that is what is tested."""
    served = {"http_port": 0} if protocol == "http" else {}
    return lambda **settings: start_service(lexicons=str(lexicons), **served, **settings)


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory, make_service):
    """A service that tests may share which change no setting, lexicon or key of it."""
    folder = tmp_path_factory.mktemp("shared-service")
    lexicons = write_lexicon(folder / "lexicons")
    with make_service(folder, lexicons=str(lexicons), max_message_bytes=4 << 20, metrics_port=0, http_port=0) as service:
        yield service


@pytest.fixture(scope="session")
def shared(shared_service, protocol):
    """Stubs of the shared service."""
    stubs, end = _connect(shared_service, protocol)
    yield stubs
    end()


def _connect(service, protocol):
    """Stubs of a connection of their own, and what ends it."""
    if protocol == "http":
        stubs = HttpStubs(service.http)
        return stubs, stubs.close
    channel = service.channel()
    return Stubs(channel), channel.close


@pytest.fixture
def connect(protocol):
    """Open connections to services; all are closed after the test."""
    with ExitStack() as ends:

        def to(service):
            stubs, end = _connect(service, protocol)
            ends.callback(end)
            return stubs

        yield to


class Collector:
    """A receiver of OpenTelemetry's traces; keeps what it is sent. While `slow` is set it holds each request until it ends."""

    def __init__(self):
        messages = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="needs the extra `otel`")
        self.spans = []
        self.resources = []
        self.slow = Event()
        self._end = Event()
        self._answer = messages.ExportTraceServiceResponse()
        handler = grpc.unary_unary_rpc_method_handler(
            self._export, messages.ExportTraceServiceRequest.FromString, messages.ExportTraceServiceResponse.SerializeToString
        )
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self._server = grpc.server(ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _export(self, request, context):
        del context
        if self.slow.is_set():
            self._end.wait(60)
        for resource in request.resource_spans:
            self.resources.append(resource.resource)
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return self._answer

    def stop(self):
        """End it."""
        self._end.set()
        self._server.stop(0)

    def named(self, name):
        """The spans of a name."""
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collector():
    """A receiver of traces."""
    made = Collector()
    yield made
    made.stop()


@pytest.fixture
def error_of():
    """Make the call and return (code, reason, metadata) of its ErrorInfo; fails if it succeeds."""

    def call(method, request, **options):
        with pytest.raises(grpc.RpcError) as caught:
            method(request, **options)
        return described(caught.value)

    return call


def described(error):
    """What an RPC's error says to machines."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    assert info.domain == "wildgate"
    return error.code(), info.reason, dict(info.metadata)


@pytest.fixture(scope="session")
def english(tmp_path_factory):
    """All that is written in English, templates and written texts: keywords of `train_heads`, for what other languages would not prove."""
    templates, written = (tmp_path_factory.mktemp(name) for name in ("templates", "written"))
    shutil.copy(TEXTS / "en.yml", templates)
    for part in ("", "ordinary", "training"):
        (written / part).mkdir(exist_ok=True)
        shutil.copy(WRITTEN / part / "en.jsonl", written / part)
    (written / "labels").mkdir()
    for path in (WRITTEN / "labels").iterdir():
        some = path.read_text(encoding="utf-8").splitlines(keepends=True)[:100]
        (written / "labels" / path.name).write_text("".join(some), encoding="utf-8")
    return {"templates": templates, "written": written}


@pytest.fixture(scope="session")
def first_encoder_alone(encoder_path, tmp_path_factory):
    """A cache with the first encoder in it, and not the deep one, whatever the user's holds."""
    cache = tmp_path_factory.mktemp("cache")
    (cache / "encoders").mkdir()
    (cache / "encoders" / encoder_path.name).symlink_to(encoder_path, target_is_directory=True)
    return cache


@pytest.fixture(scope="session")
def invented_data(tmp_path_factory):
    """A folder of data sets of the real form with invented rows."""
    folder = tmp_path_factory.mktemp("data")
    letters = np.random.default_rng(0).integers(97, 123, (60, 4, 5)).astype(np.uint8)
    nouns = [" ".join(bytes(word).decode() for word in row) for row in letters]
    rows = [f"{n}\t{n % 2}\t{'horn ' * (n % 2)}{noun}\tnobody" for n, noun in enumerate(nouns)]
    leather = ["id\tlabel\ttitle", *(row.rpartition("\t")[0] for row in rows)]
    (folder / "leather_titles.tsv").write_text("\n".join(leather), encoding="utf-8")
    tweets = "\n".join(["id\tlabel\ttext\tuser_description", *rows])
    (folder / "ivory_tweets.tsv.gz").write_bytes(gzip.compress(tweets.encode()))
    negatives = [f"neg-{n:06}\ten\tlisting_title\tshop\t{noun}" for n, noun in enumerate(nouns)]
    text = "\n".join(["id\tlang\tsource_kind\tplatform\ttext", *negatives])
    (folder / "negatives.tsv.gz").write_bytes(gzip.compress(text.encode()))
    return folder
