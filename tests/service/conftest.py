"""A small lexicon for tests of the service, which are not about words, and stubs of a channel."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import grpc
import numpy as np
import pytest
import yaml
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from wildgate.v1 import lexicon_pb2_grpc, scoring_pb2_grpc, transparency_pb2_grpc

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
def start_small(start_service, lexicons):
    """Start a service on the small lexicon."""
    return lambda **settings: start_service(lexicons=str(lexicons), **settings)


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory, make_service):
    """A service that tests may share which change no setting, lexicon or key of it."""
    folder = tmp_path_factory.mktemp("shared-service")
    lexicons = write_lexicon(folder / "lexicons")
    with make_service(folder, lexicons=str(lexicons), max_message_bytes=4 << 20, metrics_port=0) as service:
        yield service


@pytest.fixture(scope="session")
def shared(shared_service):
    """Stubs of the shared service."""
    with shared_service.channel() as channel:
        yield Stubs(channel)


@pytest.fixture
def connect():
    """Open connections to services; all are closed after the test."""
    channels = []

    def to(service):
        channels.append(service.channel())
        return Stubs(channels[-1])

    yield to
    for channel in channels:
        channel.close()


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


@pytest.fixture
def invented_data(tmp_path):
    """A folder of data sets of the real form with invented rows."""
    folder = tmp_path / "data"
    letters = np.random.default_rng(0).integers(97, 123, (60, 4, 5)).astype(np.uint8)
    nouns = [" ".join(bytes(word).decode() for word in row) for row in letters]
    rows = [f"{n}\t{n % 2}\t{'horn ' * (n % 2)}{noun}\tnobody" for n, noun in enumerate(nouns)]
    folder.mkdir()
    leather = ["id\tlabel\ttitle", *(row.rpartition("\t")[0] for row in rows)]
    (folder / "leather_titles.tsv").write_text("\n".join(leather), encoding="utf-8")
    tweets = "\n".join(["id\tlabel\ttext\tuser_description", *rows])
    (folder / "ivory_tweets.tsv.gz").write_bytes(gzip.compress(tweets.encode()))
    negatives = [f"neg-{n:06}\ten\tlisting_title\tshop\t{noun}" for n, noun in enumerate(nouns)]
    text = "\n".join(["id\tlang\tsource_kind\tplatform\ttext", *negatives])
    (folder / "negatives.tsv.gz").write_bytes(gzip.compress(text.encode()))
    return folder
