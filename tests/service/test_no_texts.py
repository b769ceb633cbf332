"""Nothing that a call said comes out anywhere but in its answer: not in logs, metrics, traces or errors, whatever goes wrong."""

from __future__ import annotations

import os
import urllib.request
from contextlib import suppress
from uuid import uuid4

import grpc
import pytest
from wildgate.v1 import lexicon_pb2, scoring_pb2, transparency_pb2, types_pb2

MARK = "zqxmark"
CRASH = f"{MARK} makes a stage fail"
# What the service runs before it begins: a stage that fails with the listing's own text in its exception.
FAILING_STAGE = f"""
from wildgate_service import pipeline

decide = pipeline.decide

def failing(listing, *arguments, **options):
    if {CRASH!r} in listing.title:
        raise ValueError(listing.title, listing.seller_ref)
    return decide(listing, *arguments, **options)

pipeline.decide = failing
"""


def listing(title="elephant tusk", **fields):
    """A listing that is marked wherever a text may stand."""
    marked = {
        "listing_id": f"{MARK}-id",
        "description": f"{MARK} 象牙 ivory for sale",
        "attributes": [types_pb2.Attribute(name=f"{MARK} name", value=f"{MARK} value")],
        "category": f"{MARK} category",
        "language": f"{MARK}-language",
        "seller_ref": f"{MARK}-seller",
    }
    return types_pb2.Listing(title=f"{title} {MARK}", **(marked | fields))


def score(title="elephant tusk", **fields):
    """A request to score it."""
    return scoring_pb2.ScoreListingRequest(listing=listing(title, **fields))


class Caller:
    """Calls everything, rightly and wrongly; keeps what errors say."""

    def __init__(self, stubs, key):
        self._stubs = stubs
        self._metadata = (("authorization", f"Bearer {key}"), ("x-note", f"{MARK} metadata"))
        self.errors = []

    def call(self, method, request):
        """Make a call; None if it fails."""
        try:
            return method(request, metadata=self._metadata, timeout=30)
        except grpc.RpcError as error:
            self.errors.append(f"{error.details()} {error.trailing_metadata()}")
            return None

    def call_all(self):
        """Every RPC, with all kinds of input."""
        scoring, transparency, lexicon = self._stubs.scoring, self._stubs.transparency, self._stubs.lexicon
        answer = self.call(scoring.ScoreListing, score())
        for request in (score(CRASH), score("x" * 2_000), score(description=f"{MARK} " * 9_000), score(market=MARK * 100)):
            self.call(scoring.ScoreListing, request)
        again = str(uuid4())
        for title in ("one", "another"):
            self.call(scoring.ScoreListing, scoring_pb2.ScoreListingRequest(listing=listing(title), request_id=again))
        self.call(scoring.ScoreListing, scoring_pb2.ScoreListingRequest(listing=listing(), request_id=f"{MARK}-request"))
        items = [scoring_pb2.BatchItem(correlation_id=f"{MARK}-item", listing=listing(title)) for title in ("tusk", CRASH, "x" * 2_000)]
        self.call(scoring.BatchScoreListings, scoring_pb2.BatchScoreListingsRequest(items=items))
        marked = transparency_pb2.Outcome(
            outcome_id=f"{MARK}-outcome", kind=transparency_pb2.OUTCOME_KIND_REMOVED, reference=f"{MARK} reference", taxon_group=MARK
        )
        known = transparency_pb2.Outcome(outcome_id=str(uuid4()), kind=transparency_pb2.OUTCOME_KIND_REMOVED, reference=f"{MARK} reference")
        known.decision_id = answer.decision.decision_id if answer else str(uuid4())
        self.call(transparency.RecordOutcomes, transparency_pb2.RecordOutcomesRequest(outcomes=[marked, known]))
        for dates in ({"start_date": "2026-01-01", "end_date": "2026-01-02"}, {"start_date": MARK, "end_date": MARK}):
            self.call(transparency.GetTransparencyReport, transparency_pb2.GetTransparencyReportRequest(**dates))
        for date in ("2026-01-01", MARK):
            self.call(transparency.ExportStatementsOfReasons, transparency_pb2.ExportStatementsOfReasonsRequest(date=date, page_token=MARK))
        self.call(lexicon.GetLexicon, lexicon_pb2.GetLexiconRequest())
        self.call(lexicon.ReloadLexicon, lexicon_pb2.ReloadLexiconRequest())
        self.call(lexicon.ValidateRules, lexicon_pb2.ValidateRulesRequest(yaml=f"- {MARK}: [\n"))
        for path in ("/wildgate.v1.ScoringService/ScoreListing", f"/{MARK}/Method"):
            self.call(self._stubs.channel.unary_unary(path), b"\xff" + MARK.encode())


@pytest.fixture
def failing_stage(tmp_path, monkeypatch):
    """Services have a stage that fails by a listing's title."""
    folder = tmp_path / "failing"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAILING_STAGE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", ""))))


@pytest.fixture
def open_service(start_small, collector, failing_stage, monkeypatch):
    """A service that shows all it can."""
    del failing_stage
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    return start_small(metrics_port=0, log_calls="all", log_level="debug", otel_endpoint=collector.endpoint, otel_sample_ratio=1.0)


def make_key(run_wildgate, service):
    """A key of all scopes."""
    scopes = [part for scope in ("score", "report", "admin") for part in ("--scope", scope)]
    made = run_wildgate("keys", "create", "--tenant", "shop", *scopes, WILDGATE_STORE=service.store)
    assert made.returncode == 0, made.stderr
    service.wait_for("keys_changed")
    return made.stdout.strip()


@pytest.mark.protocols("grpc", "http")
def test_nothing_that_was_sent_comes_out(open_service, connect, run_wildgate, collector, until):
    """All RPCs with marked texts: answered, refused, failed in a stage, without a key, and without a store."""
    service = open_service
    key = make_key(run_wildgate, service)
    stubs = connect(service)
    callers = [Caller(stubs, key), Caller(stubs, f"{key[:-4]}{MARK}")]
    for caller in callers:
        caller.call_all()
    store = service.folder / "wildgate.db"
    store.rename(store.with_suffix(".away"))
    callers[0].call_all()
    until(lambda: service.events("store_failed"), "the store to fail")
    until(lambda: len(service.events("call", code="INTERNAL")) >= 2, "stages to fail")
    until(lambda: any("GetLexicon" in span.name for span in collector.spans), "traces")
    with urllib.request.urlopen(f"http://{service.events('metrics_serving')[0]['address']}/metrics", timeout=30) as answer:
        metrics = answer.read().decode()
    service.process.terminate()
    service.process.wait(60)
    shown = {
        "logs": service.log,
        "metrics": metrics,
        "traces": "\n".join(map(str, (*collector.spans, *collector.resources))),
        "errors": "\n".join(error for caller in callers for error in caller.errors),
    }
    secret = key.rpartition("_")[2]
    for place, said in shown.items():
        assert said, place
        for word in (MARK, secret, "象牙", "ivory"):
            lines = [line for line in said.splitlines() if word in line]
            assert lines == [], f"{word} in {place}"


def test_a_defect_is_logged_with_its_request(open_service, connect):
    """So that the platform's own log can be found from it, and the incident that the caller was told from the log."""
    request = score(CRASH)
    request.request_id = str(uuid4())
    with pytest.raises(grpc.RpcError) as caught:
        connect(open_service).scoring.ScoreListing(request, timeout=30)
    (event,) = open_service.events("rpc_failed")
    assert (event["request_id"], event["rpc"], event["error"]) == (request.request_id, "ScoreListing", "ValueError")
    assert event["incident"] in caught.value.details()


@pytest.mark.parametrize(("logged", "codes"), [("off", []), ("refused", ["INVALID_ARGUMENT"]), ("all", ["OK", "INVALID_ARGUMENT"])])
def test_calls_are_logged_as_the_setting_says(start_small, connect, logged, codes):
    """A line a call, with ids, code and time."""
    service = start_small(log_calls=logged)
    stubs = connect(service)
    answer = stubs.scoring.ScoreListing(score(), timeout=30)
    with suppress(grpc.RpcError):
        stubs.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(), timeout=30)
    service.process.terminate()
    service.process.wait(60)
    lines = service.events("call")
    assert [line["code"] for line in lines] == codes
    if "OK" in codes:
        said = {name: lines[0][name] for name in ("rpc", "request_id", "tenant", "action", "process")}
        known = {"rpc": "ScoreListing", "request_id": answer.decision.request_id, "tenant": "default", "process": "worker-0"}
        assert said == known | {"action": types_pb2.Action.Name(answer.decision.action).removeprefix("ACTION_").lower()}
