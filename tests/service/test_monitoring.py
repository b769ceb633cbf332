"""What a service shows of itself: the numbers of all its processes, on a page for Prometheus."""

from __future__ import annotations

import re
import socket
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from wildgate.v1 import lexicon_pb2, scoring_pb2, types_pb2
from wildgate_service.monitoring.board import HALF_BYTES, Board, Place
from wildgate_service.monitoring.counts import DecisionCounts
from wildgate_service.monitoring.exposition import render
from wildgate_service.monitoring.health import PHASE, STORE, Phase, StoreState, not_ready, store_is_usable
from wildgate_service.monitoring.http import HEADER_BYTES, MOST_CONNECTIONS
from wildgate_service.monitoring.metrics import METRICS
from wildgate_service.monitoring.supervisor import certificate_expiry
from wildgate_service.monitoring.tally import Tally, bury, read
from wildgate_service.monitoring.worker import SERVICE_VERSION
from wildgate_service.monitoring.writing import WritingWatch
from wildgate_service.types import Action, Decision, Evidence, Taxon, Versions

PART = re.compile("_(bucket|sum|count)$")
DOCUMENT = Path(__file__).parents[2] / "docs" / "observability.md"


def decision(**fields):
    """A decision about nothing, with these fields."""
    plain = {
        "action": Action.ALLOW,
        "shadow_action": Action.ALLOW,
        "shadow": False,
        "score": 0.1,
        "language": "en",
        "taxa": (),
        "matches": (),
    }
    said = {"evidence": (), "reason": "", "notice": "", "versions": Versions("1", "2", "3")}
    return Decision(**(plain | said | fields))


def request(title="elephant tusk", **fields):
    """One listing to score."""
    return scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title=title, language="en"), **fields)


# --- the board ---------------------------------------------------------------------------------------------------


def test_a_place_gives_back_what_was_written_last():
    """Shorter than the one before, too."""
    place = Place()
    seen = [place.read()]
    for content in (b"long content", b"short", b""):
        place.write(content)
        seen.append(place.read())
    assert seen == [b"", b"long content", b"short", b""]


def test_a_writer_killed_in_the_midst_leaves_what_it_wrote_before():
    """The half that was begun fails its checksum, and the other is whole."""
    place = Place()
    place.write(b"whole")
    place.write(b"to be torn")
    torn = place._memory.find(b"to be torn")
    place._memory[torn : torn + 2] = b"XX"
    assert place.read() == b"whole"


def test_what_is_too_long_is_not_written():
    """The last stays."""
    place = Place()
    place.write(b"last")
    assert (place.write(bytes(HALF_BYTES)), place.read()) == (False, b"last")


def test_counts_go_on_where_a_killed_process_left_them():
    """Gauges and states do not: they were of its present."""
    place = Place()
    first = Tally("worker-0", place)
    first.counter("wildgate_requests_total")[("ScoreListing", "OK", "")] += 3
    first.histogram("wildgate_request_seconds").observe(0.003, "ScoreListing")
    first.gauge("wildgate_calls_in_flight")[("worker-0",)] = 7
    first.publish()
    bury(place)
    second = Tally("worker-0", place)
    second.counter("wildgate_requests_total")[("ScoreListing", "OK", "")] += 1
    second.histogram("wildgate_request_seconds").observe(0.003, "ScoreListing")
    second.publish()
    said = read(place)
    (row,) = said.histograms["wildgate_request_seconds"].values()
    assert (said.counters["wildgate_requests_total"], sum(row[:-1])) == ({("ScoreListing", "OK", ""): 4}, 2)
    assert "wildgate_calls_in_flight" not in said.gauges


def test_a_metric_that_is_not_in_the_table_cannot_be_counted():
    """So the table, and the document beside it, hold all there are."""
    with pytest.raises(KeyError):
        Tally("worker-0", Place()).counter("wildgate_invented_total")


# --- what is counted -----------------------------------------------------------------------------------------------


def test_a_hint_of_language_makes_no_new_series():
    """Callers may write into it what they like."""
    tally = Tally("worker-0", Place())
    counts = DecisionCounts(tally)
    for language in ("zh-Hans", "EN-us", "th", "und", "my own secret word"):
        counts.decided(decision(language=language))
    tally.publish()
    assert {labels[1] for labels in read(tally._place).counters["wildgate_decisions_total"]} == {"zh", "en", "th", "und", "other"}


def test_a_decision_is_counted_by_all_that_it_says():
    """A group once, however many taxa are of it."""
    tally = Tally("worker-0", Place())
    taxa = (Taxon("parrot", "Ara ararauna", "II"), Taxon("parrot", "Ara macao", "I"), Taxon("elephant", "Elephantidae", "I"))
    DecisionCounts(tally).decided(
        decision(
            shadow_action=Action.BLOCK,
            shadow=True,
            taxa=taxa,
            evidence=(Evidence("read_by_encoder", 0.0),),
            degraded_reasons=("encoder_missing",),
            sampled=True,
        )
    )
    tally.publish()
    counters = read(tally._place).counters
    assert counters["wildgate_taxon_decisions_total"] == {("parrot", "allow"): 1, ("elephant", "allow"): 1}
    assert counters["wildgate_shadow_decisions_total"] == {("block",): 1}
    assert counters["wildgate_tier_runs_total"] == {("screen",): 1, ("encoder",): 1}
    assert counters["wildgate_degraded_decisions_total"] == {("encoder_missing",): 1}
    assert counters["wildgate_sampled_decisions_total"] == {(): 1}


def test_one_listing_in_eight_is_timed():
    """The first, and every eighth after it."""
    counts = DecisionCounts(Tally("worker-0", Place()))
    assert [number for number in range(17) if counts.times_this()] == [0, 8, 16]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"usable": True}, "writable"),
        ({"usable": True, "spools": True, "spool_records": 5}, "writable"),
        ({"usable": False, "spools": True, "spool_records": 5}, "spooling"),
        ({"usable": False}, "failing"),
    ],
)
def test_the_writer_says_at_once_what_becomes_of_records(said, state):
    """In the state that health asks for, and as a number."""
    place = Place()
    WritingWatch(Tally("writer", place)).store(**said)
    shown = read(place)
    assert shown.states[STORE] == state
    assert [labels[0] for labels, value in shown.gauges["wildgate_store_state"].items() if value] == [state]


def test_the_writer_counts_what_is_in_the_store():
    """And not what it was asked to write in vain, which is a failure; nor when it only looks."""
    place = Place()
    watch = WritingWatch(tally := Tally("writer", place))
    watch.attempted(3, 1, 0.01, written=True)
    watch.attempted(2, 0, 1.0, written=False)
    watch.attempted(0, 0, 0.0, written=True)
    tally.publish()
    shown = read(place)
    assert shown.counters["wildgate_writer_records_total"] == {("decision",): 3, ("outcome",): 1}
    assert shown.counters["wildgate_store_failures_total"] == {(): 1}
    attempts = shown.histograms["wildgate_writer_commit_seconds"]
    assert {result: sum(row[:-1]) for (result,), row in attempts.items()} == {"written": 1, "failed": 1}


def test_the_end_of_a_certificate_is_read_from_its_file(tmp_path):
    """The first of a chain, which is the service's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "wildgate")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    until = datetime(2031, 1, 2, tzinfo=UTC)
    signed = made.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(until).sign(key, hashes.SHA256())
    file = tmp_path / "certificate.pem"
    file.write_bytes(signed.public_bytes(Encoding.PEM))
    assert certificate_expiry(file) == until.timestamp()


# --- the page ------------------------------------------------------------------------------------------------------


@pytest.fixture
def board():
    """A board of two workers."""
    return Board(2)


def families(content, content_type="text/plain"):
    """The families of a page by name."""
    parse = parse_openmetrics if "openmetrics" in content_type else parse_text
    return {each.name: each for each in parse(content.decode())}


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
def test_numbers_of_all_workers_are_added_up(board, accept):
    """In both formats; buckets hold all that is below their bound."""
    for number, seconds in enumerate((0.0004, 0.2)):
        tally = Tally(f"worker-{number}", board.workers[f"worker-{number}"])
        tally.counter("wildgate_requests_total")[("ScoreListing", "OK", "")] += 2
        tally.histogram("wildgate_request_seconds").observe(seconds, "ScoreListing")
        tally.gauge("wildgate_calls_in_flight")[(tally.name,)] = number
        tally.publish()
    found = families(*render(board, accept, recording=True))
    (requests,) = found["wildgate_requests"].samples
    assert (requests.labels, requests.value) == ({"rpc": "ScoreListing", "code": "OK", "reason": ""}, 4)
    buckets = {float(each.labels["le"]): each.value for each in found["wildgate_request_seconds"].samples if each.name.endswith("_bucket")}
    assert [buckets[bound] for bound in (0.00025, 0.0005, 0.1, 0.25, float("inf"))] == [0, 1, 1, 2, 2]
    assert {each.labels["worker"]: each.value for each in found["wildgate_calls_in_flight"].samples} == {"worker-0": 0, "worker-1": 1}


def test_gauges_of_a_process_that_is_silent_are_left_out(board, monkeypatch):
    """And its counters stay."""
    tally = Tally("worker-0", board.workers["worker-0"])
    tally.counter("wildgate_repeated_decisions_total")[()] += 1
    tally.gauge("wildgate_calls_in_flight")[("worker-0",)] = 1
    tally.publish()
    later = time.monotonic() + 60
    monkeypatch.setattr("wildgate_service.monitoring.exposition.time.monotonic", lambda: later)
    found = families(*render(board, "", recording=True))
    assert ([*found["wildgate_calls_in_flight"].samples], found["wildgate_repeated_decisions"].samples[0].value) == ([], 1)


# --- health --------------------------------------------------------------------------------------------------------


def say(place, name, **states):
    """Have a process say so."""
    tally = Tally(name, place)
    tally.states |= states
    tally.publish()


@pytest.fixture
def healthy(board):
    """A board on which all is well."""
    say(board.supervisor, "supervisor", **{PHASE: Phase.SERVING})
    say(board.writer, "writer", **{STORE: StoreState.WRITABLE})
    say(board.workers["worker-1"], "worker-1", **{PHASE: Phase.SERVING})
    return board


def test_a_service_with_one_worker_and_a_store_is_ready(healthy):
    """A worker that was killed and comes again takes nobody out."""
    assert not_ready(healthy, recording=True) == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda board: say(board.supervisor, "supervisor", **{PHASE: Phase.STARTING}), "starting"),
        (lambda board: say(board.supervisor, "supervisor", **{PHASE: Phase.DRAINING}), "draining"),
        (lambda board: bury(board.workers["worker-1"]), "no worker serves"),
        (lambda board: say(board.workers["worker-1"], "worker-1", **{PHASE: Phase.DRAINING}), "no worker serves"),
        (lambda board: say(board.writer, "writer", **{STORE: StoreState.FAILING}), "the store cannot be written"),
    ],
)
def test_what_is_missing_is_said(healthy, change, why):
    """One thing at a time."""
    change(healthy)
    (said,) = not_ready(healthy, recording=True)
    assert said.startswith(why)


def test_a_store_that_spools_is_usable(healthy):
    """Calls are answered, and nothing is lost."""
    say(healthy.writer, "writer", **{STORE: StoreState.SPOOLING})
    assert store_is_usable(healthy.writer)


def test_a_writer_that_is_silent_for_long_is_no_use(healthy, monkeypatch):
    """It hangs, or cannot be started."""
    later = time.monotonic() + 60
    monkeypatch.setattr("wildgate_service.monitoring.health.time.monotonic", lambda: later)
    assert not store_is_usable(healthy.writer)


def test_the_store_does_not_matter_where_nothing_is_recorded(healthy):
    """`store = none`."""
    bury(healthy.writer)
    assert not_ready(healthy, recording=False) == ()


# --- the real service ----------------------------------------------------------------------------------------------


class Page:
    """What a service answers on its port of metrics."""

    def __init__(self, service):
        self.address = service.wait_for("metrics_serving")["address"]

    def get(self, path, **headers):
        """Status and body."""
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://{self.address}{path}", headers=headers), timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def families(self):
        """A scrape."""
        return families(self.get("/metrics")[1])

    def value(self, name, **labels):
        """The sum of the series with these labels."""
        family = self.families()[name.removesuffix("_total")]
        return sum(each.value for each in family.samples if each.name == name and labels.items() <= each.labels.items())

    def connect(self):
        """A bare connection."""
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=30)


@pytest.fixture
def page(shared_service):
    """The page of a service that tests share."""
    return Page(shared_service)


@pytest.fixture
def settled(page, until):
    """The same, when it shows all calls of tests before: a worker has shown its numbers twice, and so its CPU time has changed twice."""

    def spent():
        return page.value("wildgate_process_cpu_seconds_total", process="worker-0")

    for _ in range(2):
        before = spent()
        until(lambda before=before: spent() != before, "the worker to show its numbers")
    return page


def test_every_metric_is_on_the_page(page):
    """And there is no other."""
    kinds = {each.name: each.kind for each in METRICS}
    found = {name + ("_total" if family.type == "counter" else ""): family.type for name, family in page.families().items()}
    assert found == kinds


def test_every_metric_is_in_the_document(page):
    """By name, kind and labels; in no other row is one that does not exist."""
    rows = [line.split("|")[1:4] for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `wildgate_")]
    documented = {name.strip(" `"): (kind.strip(), tuple(labels.replace("`", "").replace(",", " ").split())) for name, kind, labels in rows}
    assert documented == {each.name: (each.kind, each.labels) for each in METRICS}
    for family in page.families().values():
        for sample in family.samples:
            metric = PART.sub("", sample.name) if family.type == "histogram" else sample.name
            assert sorted(documented[metric][1]) == sorted(sample.labels.keys() - {"le"}), sample.name


def test_calls_and_decisions_are_counted(shared, settled, until):
    """By code and reason, action and language."""
    counted = [
        ("wildgate_requests_total", {"rpc": "ScoreListing", "code": "OK"}),
        ("wildgate_requests_total", {"code": "INVALID_ARGUMENT", "reason": "FIELD_MISSING"}),
        ("wildgate_decisions_total", {"action": "block", "language": "en"}),
        ("wildgate_taxon_decisions_total", {"group": "elephant", "action": "block"}),
    ]
    before = [settled.value(name, **labels) for name, labels in counted]
    for _ in range(3):
        shared.scoring.ScoreListing(request(), timeout=30)
    with pytest.raises(grpc.RpcError):
        shared.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(), timeout=30)
    wanted = [value + more for value, more in zip(before, (3, 1, 3, 3), strict=True)]
    until(lambda: [settled.value(name, **labels) for name, labels in counted] == wanted, "all calls to be counted")


def test_items_of_batches_are_counted(shared, settled, until):
    """Those with an error of their own by its reason."""
    before = settled.value("wildgate_item_errors_total", reason="FIELD_MISSING")
    items = [scoring_pb2.BatchItem(listing=types_pb2.Listing(title="elephant tusk")), scoring_pb2.BatchItem()]
    shared.scoring.BatchScoreListings(scoring_pb2.BatchScoreListingsRequest(items=items), timeout=30)
    until(lambda: settled.value("wildgate_item_errors_total", reason="FIELD_MISSING") == before + 1, "the item to be counted")


def test_a_repeat_is_no_new_decision(shared, settled, until):
    """It is counted as what it is."""
    repeated = settled.value("wildgate_repeated_decisions_total")
    again = request(request_id="01890a5d-ac96-774b-bcce-b302099a8057", title="a tusk that is asked for twice")
    for _ in range(2):
        shared.scoring.ScoreListing(again, timeout=30)
    until(lambda: settled.value("wildgate_repeated_decisions_total") == repeated + 1, "the repeat to be counted")


def test_a_method_that_nobody_has_makes_no_new_series(shared, settled, until):
    """Its name is the caller's."""
    before = settled.value("wildgate_requests_total", rpc="other", code="UNIMPLEMENTED")
    with pytest.raises(grpc.RpcError):
        shared.channel.unary_unary("/made.Up/Name")(b"", timeout=30)
    until(lambda: settled.value("wildgate_requests_total", rpc="other", code="UNIMPLEMENTED") == before + 1, "the call to be counted")
    assert b"made.Up" not in settled.get("/metrics")[1]


def test_versions_say_what_all_workers_serve(shared, page):
    """As the answers do."""
    versions = shared.scoring.ScoreListing(request(), timeout=30).decision
    (sample,) = page.families()["wildgate_versions"].samples
    said = {"lexicon": versions.lexicon_version, "model": versions.model_version, "policy": versions.policy_version}
    assert (sample.labels, sample.value) == (said | {"service": SERVICE_VERSION}, 1)


def test_other_paths_and_methods_are_refused(page):
    """With what there is."""
    assert page.get("/")[0] == 404
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(f"http://{page.address}/metrics", data=b"x", method="POST"), timeout=30)
    with caught.value as error:
        assert error.code == 405


def test_the_head_of_a_page_comes_without_it(page):
    """As probes of load balancers ask."""
    with urllib.request.urlopen(urllib.request.Request(f"http://{page.address}/livez", method="HEAD"), timeout=30) as answer:
        assert (answer.status, int(answer.headers["content-length"]) > 0, answer.read()) == (200, True, b"")


@pytest.mark.parametrize("sent", [b"\x16\x03\x01 what is this\r\n\r\n", b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 2 * HEADER_BYTES])
def test_what_is_no_request_is_refused(page, sent):
    """And closes the connection."""
    with page.connect() as connection:
        connection.sendall(sent)
        assert connection.recv(12) == b"HTTP/1.1 400"


def test_scrapers_that_say_nothing_do_not_keep_others_out_for_long(page, until):
    """Only so many are let in, and none stays."""
    silent = [page.connect() for _ in range(MOST_CONNECTIONS + 4)]
    try:
        until(lambda: _answers(page), "the page to answer again")
    finally:
        for connection in silent:
            connection.close()


def _answers(page):
    try:
        return page.get("/livez")[0] == 200
    except OSError:
        return False


def test_counts_survive_a_worker_that_is_killed(start_small, connect, until):
    """And the service says that it was started again."""
    service = start_small(metrics_port=0)
    page = Page(service)
    connect(service).scoring.ScoreListing(request(), timeout=30)
    until(lambda: page.value("wildgate_requests_total", rpc="ScoreListing") == 1, "the first call")
    service.kill("worker-0")
    service.wait_for("worker_ready", count=2)
    connect(service).scoring.ScoreListing(request(), timeout=30, wait_for_ready=True)
    until(lambda: page.value("wildgate_requests_total", rpc="ScoreListing") == 2, "the second call")
    until(lambda: page.value("wildgate_process_deaths_total", kind="worker") == 1, "the death")


def test_the_page_comes_again_when_its_process_is_killed(start_small, until):
    """On the same port, with the same numbers."""
    service = start_small(metrics_port=0)
    page = Page(service)
    started = page.value("wildgate_start_time_seconds")
    service.kill("metrics")
    service.wait_for("process_started", count=2, name="metrics")
    until(lambda: _answers(page), "the page to answer again")
    assert page.value("wildgate_start_time_seconds") == started


def test_a_port_of_metrics_that_is_taken_is_one_clear_line(run_wildgate, lexicons):
    """Before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = str(occupant.getsockname()[1])
        ended = run_wildgate("serve", "--port", "0", WILDGATE_METRICS_PORT=port, WILDGATE_LEXICONS=str(lexicons))
    assert (ended.returncode, f"cannot listen on 127.0.0.1:{port}" in ended.stderr) == (2, True)


def test_reloads_are_counted(start_small, connect, break_lexicon, until, error_of):
    """Refused ones show for as long as the files are broken."""
    service = start_small(metrics_port=0, lexicon_watch=False)
    page, stubs = Page(service), connect(service)
    stubs.lexicon.ReloadLexicon(lexicon_pb2.ReloadLexiconRequest(), timeout=60)
    broken = break_lexicon()
    error_of(stubs.lexicon.ReloadLexicon, lexicon_pb2.ReloadLexiconRequest(), timeout=60)
    until(lambda: page.value("wildgate_reload_broken") == 1, "the broken file to show")
    assert [page.value("wildgate_reloads_total", result=result) for result in ("served", "refused")] == [1, 1]
    broken.unlink()
    stubs.lexicon.ReloadLexicon(lexicon_pb2.ReloadLexiconRequest(), timeout=60)
    until(lambda: page.value("wildgate_reload_broken") == 0, "the mended file to show")
