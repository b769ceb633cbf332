"""No tenant reads, changes or learns of another's records: for every RPC that the contract declares.

One service, two tenants. "ours" has a history; "theirs" knows all its ids, as an insider might, and tries them.
"""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest
from wildgate import v1
from wildgate.v1 import lexicon_pb2, lexicon_pb2_grpc, scoring_pb2, scoring_pb2_grpc, transparency_pb2, transparency_pb2_grpc, types_pb2
from wildgate_service.store import open_store

pytestmark = pytest.mark.protocols("grpc", "http")

OFFER = types_pb2.Listing(listing_id="42", title="elephant tusk", seller_ref="seller-1")
OTHER = types_pb2.Listing(listing_id="43", title="an old chair", seller_ref="seller-2")
HIDDEN = types_pb2.Listing(listing_id="44", title="white gold tusk")
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
TESTED: set[str] = set()


def about(*rpcs):
    """Mark a test as being about these RPCs."""
    TESTED.update(f"wildgate.v1.{rpc}" for rpc in rpcs)
    return lambda test: test


def declared():
    """Every RPC of every file of the contract."""
    modules = (
        importlib.import_module(f"wildgate.v1.{each.name}") for each in pkgutil.iter_modules(v1.__path__) if each.name.endswith("_pb2")
    )
    services = [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]
    return {f"{service.full_name}/{method.name}" for service in services for method in service.methods}


class Tenant:
    """A tenant's stubs, which present its key."""

    def __init__(self, channel, metadata):
        self._metadata = metadata
        self._scoring = scoring_pb2_grpc.ScoringServiceStub(channel)
        self._transparency = transparency_pb2_grpc.TransparencyServiceStub(channel)
        self.lexicon = lexicon_pb2_grpc.LexiconServiceStub(channel)

    def call(self, method, request):
        """The answer, or (code, details) of the error."""
        try:
            return method(request, metadata=self._metadata)
        except grpc.RpcError as error:
            return error.code(), error.details()

    def score(self, listing=OFFER, **fields):
        """A decision, or the error."""
        answer = self.call(self._scoring.ScoreListing, scoring_pb2.ScoreListingRequest(listing=listing, **fields))
        return answer.decision if isinstance(answer, scoring_pb2.ScoreListingResponse) else answer

    def batch(self, *items):
        """Results of (listing, request_id)."""
        sent = [scoring_pb2.BatchItem(listing=listing, request_id=request_id) for listing, request_id in items]
        return self.call(self._scoring.BatchScoreListings, scoring_pb2.BatchScoreListingsRequest(items=sent)).results

    def record(self, **fields):
        """The result of one outcome."""
        kind = fields.pop("kind", transparency_pb2.OUTCOME_KIND_REMOVED)
        sent = transparency_pb2.Outcome(outcome_id=fields.pop("outcome_id", str(uuid4())), kind=kind, **fields)
        sent.occurred_time.FromDatetime(YESTERDAY)
        return self.call(self._transparency.RecordOutcomes, transparency_pb2.RecordOutcomesRequest(outcomes=[sent])).results[0]

    def report(self):
        """All numbers of yesterday and today, without where the log stands."""
        days = {"start_date": YESTERDAY.date().isoformat(), "end_date": datetime.now(UTC).date().isoformat()}
        report = self.call(self._transparency.GetTransparencyReport, transparency_pb2.GetTransparencyReportRequest(**days)).report
        report.ClearField("checkpoints")
        return report

    def statements(self, **fields):
        """Yesterday's statements."""
        wanted = transparency_pb2.ExportStatementsOfReasonsRequest(date=YESTERDAY.date().isoformat(), **fields)
        return self.call(self._transparency.ExportStatementsOfReasons, wanted)


def without_ids(decision):
    """What is left of an answer that says what was decided."""
    kept = types_pb2.Decision()
    kept.CopyFrom(decision)
    for field in ("request_id", "decision_id", "receipt"):
        kept.ClearField(field)
    return kept


class World:
    """A service, what we did there, and them."""

    def __init__(self, service, admin, channel):
        self.service = service
        self._admin = admin
        self._channel = channel
        self.ours = self.tenant("ours")
        self.theirs = self.tenant("theirs")
        self.request_id, self.outcome_id = str(uuid4()), str(uuid4())
        self.decision = self.ours.score(OFFER, request_id=self.request_id)
        self.removed = self.ours.record(outcome_id=self.outcome_id, decision_id=self.decision.decision_id)

    def tenant(self, name, *scopes):
        """A tenant with a key of its own."""
        return Tenant(self._channel, self._admin.key(name, ["score", "report", *scopes]))

    def rows(self, tenant):
        """All that the store holds of a tenant, table by table."""
        with open_store(self.service.store, read_only=True) as store:
            tables = ("decisions", "outcomes", "daily_counts")
            return {table: list(store._database.execute(f"SELECT * FROM {table} WHERE tenant = ?", (tenant,))) for table in tables}  # noqa: S608


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_service, make_small_lexicon, make_admin):
    """One for all tests here; each leaves our history as it was."""
    folder = tmp_path_factory.mktemp("isolation")
    with (
        make_service(folder, lexicons=str(make_small_lexicon(folder / "lexicons")), bad_keys_per_minute=0) as service,
        service.channel() as channel,
    ):
        yield World(service, make_admin(service), channel)


@pytest.fixture(autouse=True)
def _history_stays(world):
    """Whatever a test does as somebody else, what is kept of us does not change."""
    before, report = world.rows("ours"), world.ours.report()
    yield
    assert (world.rows("ours"), world.ours.report()) == (before, report)


def test_every_rpc_of_the_contract_is_tested_here():
    """Who adds one says here what of it a tenant can see of another."""
    assert declared() == TESTED


def test_history_is_what_the_others_try_to_reach(world):
    """Else the tests below would show nothing."""
    rows = {table: len(rows) for table, rows in world.rows("ours").items()}
    counted = (world.ours.report().total.decisions, world.ours.report().total.stopped, len(world.ours.statements().statements))
    assert (rows, counted) == ({"decisions": 1, "outcomes": 1, "daily_counts": 1}, (1, 1, 1))


# --- scoring -------------------------------------------------------------------------------------


@about("ScoringService/ScoreListing")
def test_request_id_of_another_tenant_is_as_good_as_a_new_one(world):
    """No recorded answer, and no other words than to an id that is new."""
    taken, fresh = (world.theirs.score(OFFER, request_id=each) for each in (world.request_id, str(uuid4())))
    assert without_ids(taken) == without_ids(fresh)
    assert taken.decision_id not in {world.decision.decision_id, fresh.decision_id}


def test_request_id_of_another_tenant_with_another_listing_is_no_conflict(world):
    """Which would tell that it was used."""
    theirs = world.tenant("theirs-again").score(OTHER, request_id=world.request_id)
    assert (theirs.listing_id, theirs.request_id) == ("43", world.request_id)


def test_words_of_restricted_rules_are_nowhere_in_an_answer_without_their_scope(world):
    """Whatever explanation is asked for: not in matches, evidence, reason or notice."""
    explained = world.tenant("curious").score(HIDDEN, explain=types_pb2.EXPLAIN_FULL)
    told = world.tenant("analyst", "lexicon.restricted").score(HIDDEN, explain=types_pb2.EXPLAIN_FULL)
    answers = [b"white gold" in each.SerializeToString() for each in (explained, told)]
    assert answers == [False, True]


@about("ScoringService/BatchScoreListings")
def test_request_ids_of_another_tenant_in_a_batch_are_new_ones(world):
    """An item with ours, with another listing, and one with an id of nobody get the same."""
    results = world.tenant("batches").batch((OTHER, world.request_id), (OTHER, str(uuid4())))
    decisions = [result.decision for result in results]
    assert without_ids(decisions[0]) == without_ids(decisions[1])
    assert world.decision.decision_id not in {each.decision_id for each in decisions}


# --- outcomes ------------------------------------------------------------------------------------


@about("TransparencyService/RecordOutcomes")
def test_decision_of_another_tenant_is_as_unknown_as_one_of_nobody(world):
    """The same code, reason, words and metadata."""
    foreign, unknown = (world.theirs.record(decision_id=each) for each in (world.decision.decision_id, str(uuid4())))
    assert (foreign.error, foreign.error.code) == (unknown.error, grpc.StatusCode.NOT_FOUND.value[0])


def test_outcome_id_of_another_tenant_is_no_duplicate(world):
    """It would tell that it was used, and keep theirs from being recorded."""
    results = [world.theirs.record(outcome_id=world.outcome_id, request_id=str(uuid4())) for _ in range(2)]
    assert [result.duplicate for result in results] == [False, True]


def test_correction_of_another_tenants_outcome_corrects_nothing(world):
    """It is kept as one of an outcome that has not come, as with an id of nobody; our report stays (see above)."""
    foreign, unknown = (world.theirs.record(request_id=str(uuid4()), corrects=each) for each in (world.outcome_id, str(uuid4())))
    assert (foreign.HasField("error"), foreign.duplicate) == (unknown.HasField("error"), unknown.duplicate) == (False, False)


def test_withdrawal_of_another_tenants_outcome_withdraws_nothing(world):
    """Likewise."""
    withdrawn = transparency_pb2.OUTCOME_KIND_WITHDRAWN
    foreign, unknown = (
        world.theirs.record(kind=withdrawn, request_id=request, corrects=each)
        for each, request in ((world.outcome_id, world.request_id), (str(uuid4()), str(uuid4())))
    )
    assert foreign.HasField("error") == unknown.HasField("error")


def test_outcome_of_another_tenants_request_is_tied_to_no_decision(world):
    """Whether or not the id was used: a client may have answered itself."""
    tenant = world.tenant("answered-itself")
    fields = {"degraded_action": types_pb2.ACTION_REVIEW, "degraded_reason": "unavailable"}
    results = [tenant.record(request_id=each, **fields) for each in (world.request_id, str(uuid4()))]
    decided = [row[2] for row in world.rows("answered-itself")["outcomes"]]
    assert ([result.HasField("error") for result in results], decided) == ([False, False], ["", ""])


# --- reports -------------------------------------------------------------------------------------


@about("TransparencyService/GetTransparencyReport")
def test_report_of_a_tenant_that_did_nothing_is_empty(world):
    """Not a number in it comes from us."""
    report = world.tenant("idle").report()
    counted = {(each.dimension, each.decisions, each.stopped) for each in (report.total, *report.counts)}
    assert (counted, dict(report.outcomes), dict(report.degraded_answers)) == ({("total", 0, 0), ("day", 0, 0)}, {}, {})


@about("TransparencyService/ExportStatementsOfReasons")
def test_statements_of_a_tenant_that_did_nothing_are_none(world):
    """From whatever page: a token is a place in one's own."""
    tenant = world.tenant("idle-too")
    pages = [tenant.statements(page_token=token) for token in ("", "0", "1", "999999999999")]
    assert [(len(page.statements), page.next_page_token) for page in pages] == [(0, "")] * 4


@pytest.mark.parametrize("token", ["-1", "1e3", "٣", "9" * 5_000, "'; --"])
def test_page_token_that_the_service_did_not_make_is_refused(world, token):
    """And is no defect."""
    code, _ = world.theirs.statements(page_token=token)
    assert code is grpc.StatusCode.INVALID_ARGUMENT


# --- lexicons ------------------------------------------------------------------------------------


@about("LexiconService/GetLexicon")
def test_lexicon_is_the_same_for_all_and_holds_no_word(world):
    """Versions and counts."""
    ours, theirs = (each.call(each.lexicon.GetLexicon, lexicon_pb2.GetLexiconRequest()) for each in (world.ours, world.theirs))
    assert (ours, b"tusk" in ours.SerializeToString()) == (theirs, False)


@about("LexiconService/ReloadLexicon")
def test_reload_needs_the_operators_scope_and_tells_nothing_of_tenants(world):
    """It is the service's, not a tenant's: whoever has the scope acts for all."""
    operator = world.tenant("operator", "admin")
    denied = world.theirs.call(world.theirs.lexicon.ReloadLexicon, lexicon_pb2.ReloadLexiconRequest())
    answer = operator.call(operator.lexicon.ReloadLexicon, lexicon_pb2.ReloadLexiconRequest())
    assert (denied[0], answer.workers_serving) == (grpc.StatusCode.PERMISSION_DENIED, 1)


@about("LexiconService/ValidateRules")
def test_rules_that_one_checks_are_served_to_nobody(world):
    """Linted and forgotten."""
    operator = world.tenant("author", "admin")
    text = "- id: en-x\n  entries:\n  - form: velvet comet\n"
    checked = operator.call(operator.lexicon.ValidateRules, lexicon_pb2.ValidateRulesRequest(yaml=text))
    found = operator.score(types_pb2.Listing(title="velvet comet"), explain=types_pb2.EXPLAIN_FULL)
    denied = world.theirs.call(world.theirs.lexicon.ValidateRules, lexicon_pb2.ValidateRulesRequest(yaml=text))
    assert (bool(checked.findings), len(found.matches), denied[0]) == (True, 0, grpc.StatusCode.PERMISSION_DENIED)


# --- how much of the score is seen ---------------------------------------------------------------


@pytest.mark.parametrize(("detail", "scores"), [("tenths", {number / 10 for number in range(11)}), ("action", {0.0, 0.5, 1.0})])
def test_key_shows_as_much_of_the_score_as_it_says(world, detail, scores):
    """In single answers and batches; the record has it whole."""
    tenant = Tenant(world._channel, world._admin.key("probed", explain="none", score=detail))
    shown = [tenant.score(listing).score for listing in (OFFER, OTHER)]
    batched = [result.decision.score for result in tenant.batch((OFFER, str(uuid4())), (OTHER, str(uuid4())))]
    assert (set(shown) <= scores, batched) == (True, shown)
    assert world.ours.score(OFFER, request_id=world.request_id).score not in scores
