"""API keys: who calls, what they may, and that one tenant never sees another."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from wildgate.v1 import errors_pb2, lexicon_pb2, scoring_pb2, transparency_pb2, types_pb2
from wildgate_service.auth import admit, presented_key
from wildgate_service.keys import KeyRing, create_key
from wildgate_service.secrets import load_secrets
from wildgate_service.status import Reason, Refusal
from wildgate_service.store import open_store
from wildgate_service.wire import Explain

pytestmark = pytest.mark.protocols("grpc", "http")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PEPPER = b"pepper"
OFFER = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))
HIDDEN = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="white gold tusk"))


class Kept:
    """A store of keys that is a list."""

    def __init__(self):
        self.keys = []

    def add_key(self, key):
        """As a store does."""
        self.keys.append(key)


def ring_with(**properties):
    kept = Kept()
    wanted = {"tenant": "shop", "scopes": ["score"], "created": NOW} | properties
    _, text = create_key(kept, PEPPER, **wanted)
    return KeyRing(kept.keys, PEPPER), text


@pytest.mark.parametrize(
    ("metadata", "key"),
    [
        ([("authorization", "Bearer wg_1")], "wg_1"),
        ([("user-agent", "x"), ("authorization", "bearer  wg_1 ")], "wg_1"),
        ([("authorization", "Basic wg_1")], ""),
        ([("authorization", "wg_1")], ""),
        ([("authorization-bin", b"Bearer wg_1")], ""),
        ([], ""),
    ],
)
def test_key_is_read_from_the_header(metadata, key):
    """The scheme's name has no case, and there is no other place for a key."""
    assert presented_key(metadata) == key


def test_key_becomes_tenant_scopes_and_cap():
    """All that a call may do comes from the key."""
    ring, text = ring_with(explain="taxa")
    caller = admit(ring, text, "score")
    assert (caller.tenant, caller.scopes, caller.explain_cap) == ("shop", {"score"}, Explain.TAXA)


@pytest.mark.parametrize("change", [lambda _: "", lambda key: key[:-1] + "x", lambda key: key[:-1], str.upper])
def test_wrong_key_is_refused(change):
    """Whatever is wrong with it, the answer is the same."""
    ring, text = ring_with()
    with pytest.raises(Refusal) as caught:
        admit(ring, change(text), "score")
    assert (caught.value.reason, caught.value.metadata) == (Reason.API_KEY_INVALID, {})


def test_expired_key_is_refused():
    """And does not say that it once was good."""
    ring, text = ring_with(expires=NOW + timedelta(days=1))
    with pytest.raises(Refusal) as caught:
        admit(ring, text, "score")
    assert caught.value.reason is Reason.API_KEY_INVALID


def test_scope_that_is_missing_is_named():
    """So that somebody can ask for it."""
    ring, text = ring_with()
    with pytest.raises(Refusal) as caught:
        admit(ring, text, "admin")
    assert (caught.value.reason, caught.value.metadata) == (Reason.SCOPE_MISSING, {"scope": "admin"})


# --- on a real service ---------------------------------------------------------------------------


class Keys:
    """Makes and revokes keys in a running service's store."""

    def __init__(self, service):
        self.url = service.store
        self.pepper = load_secrets(service.folder / "wildgate.secrets").pepper

    def make(self, tenant="shop", scopes=("score",), **properties):
        """Returns the key's id and the metadata that presents it."""
        with open_store(self.url) as store:
            now = datetime.now(UTC)
            key, text = create_key(store, self.pepper, tenant=tenant, scopes=scopes, created=now, **properties)
        return key.key_id, [("authorization", f"Bearer {text}")]

    def revoke(self, key_id):
        """Revoke a key that was made here."""
        with open_store(self.url) as store:
            store.revoke_key(key_id, datetime.now(UTC))


@pytest.fixture
def keyed(start_small, connect):
    """A service, its stubs, and a way to make keys that have come into force."""
    service = start_small()
    keys = Keys(service)

    def make(*arguments, **properties):
        made = keys.make(*arguments, **properties)
        service.wait_for("keys_changed", len(service.events("keys_changed")) + 1)
        return made

    return service, connect(service), keys, make


def code_of(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_first_key_closes_the_service(keyed, error_of):
    """From then on who has none is refused; nothing needs a restart."""
    _, stubs, _, make = keyed
    _, metadata = make()
    without = error_of(stubs.scoring.ScoreListing, OFFER)
    answered = stubs.scoring.ScoreListing(OFFER, metadata=metadata).decision.decision_id
    assert (without, bool(answered)) == ((grpc.StatusCode.UNAUTHENTICATED, "API_KEY_INVALID", {}), True)


def test_revoked_key_is_refused_by_every_worker(start_small, connect):
    """Two workers, many connections: none still takes it once the log says so."""
    service = start_small(workers=2)
    keys = Keys(service)
    key_id, metadata = keys.make()
    service.wait_for("keys_changed")
    keys.revoke(key_id)
    told = service.wait_for("keys_changed", 2)["workers"]
    stubs = [connect(service) for _ in range(8)]
    codes = {code_of(each.scoring.ScoreListing, OFFER, metadata=metadata) for each in stubs}
    assert (told, codes) == (2, {grpc.StatusCode.UNAUTHENTICATED})


@pytest.mark.protocols("grpc")
def test_worker_that_does_not_answer_is_not_counted_as_told(start_small):
    """The log says in how many workers a key is in force."""
    service = start_small(workers=2)
    keys = Keys(service)
    service.kill("worker-0", signal.SIGSTOP)
    keys.make()
    told = service.wait_for("keys_changed")["workers"]
    service.kill("worker-0", signal.SIGCONT)
    keys.make()
    assert (told, service.wait_for("keys_changed", 2)["workers"]) == (1, 2)


def test_service_whose_keys_are_all_revoked_stays_closed(keyed):
    """Revoking the last key must not open the door."""
    service, stubs, keys, make = keyed
    key_id, _ = make()
    keys.revoke(key_id)
    service.wait_for("keys_changed", 2)
    assert code_of(stubs.scoring.ScoreListing, OFFER) is grpc.StatusCode.UNAUTHENTICATED


def test_each_method_needs_its_scope(keyed):
    """A key that may do nothing but report: reports work, the rest does not."""
    _, stubs, _, make = keyed
    _, metadata = make("shop", ["report"])
    days = transparency_pb2.GetTransparencyReportRequest(start_date="2026-01-01", end_date="2026-01-01")
    calls = {
        stubs.scoring.ScoreListing: OFFER,
        stubs.scoring.BatchScoreListings: scoring_pb2.BatchScoreListingsRequest(),
        stubs.transparency.RecordOutcomes: transparency_pb2.RecordOutcomesRequest(),
        stubs.transparency.GetTransparencyReport: days,
        stubs.transparency.ExportStatementsOfReasons: transparency_pb2.ExportStatementsOfReasonsRequest(date="2026-01-01"),
        stubs.lexicon.GetLexicon: lexicon_pb2.GetLexiconRequest(),
        stubs.lexicon.ReloadLexicon: lexicon_pb2.ReloadLexiconRequest(),
        stubs.lexicon.ValidateRules: lexicon_pb2.ValidateRulesRequest(),
    }
    codes = [code_of(call, sent, metadata=metadata) for call, sent in calls.items()]
    denied = grpc.StatusCode.PERMISSION_DENIED
    ok = grpc.StatusCode.OK
    assert codes == [denied, denied, denied, ok, ok, denied, denied, denied]


@pytest.mark.protocols("grpc")
def test_health_needs_no_key(keyed):
    """Load balancers have none."""
    _, stubs, _, make = keyed
    make()
    asked = health_pb2.HealthCheckRequest()
    status = health_pb2_grpc.HealthStub(stubs.channel).Check(asked).status
    assert status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.protocols("grpc")
def test_reflection_needs_a_key(keyed):
    """Any key will do."""
    _, stubs, _, make = keyed
    _, metadata = make()
    reflect = reflection_pb2_grpc.ServerReflectionStub(stubs.channel).ServerReflectionInfo
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    codes = [code_of(lambda m=m: list(reflect(iter([asked]), metadata=m))) for m in ([], metadata)]
    assert codes == [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.OK]


def test_cap_of_the_key_cuts_the_explanation(keyed):
    """Asked for everything, allowed the taxa."""
    _, stubs, _, make = keyed
    _, metadata = make(explain="taxa")
    wanted = scoring_pb2.ScoreListingRequest(listing=OFFER.listing, explain=types_pb2.EXPLAIN_FULL)
    decision = stubs.scoring.ScoreListing(wanted, metadata=metadata).decision
    assert (len(decision.taxa), len(decision.matches)) == (1, 0)


@pytest.mark.parametrize(("scopes", "words"), [(["score"], ""), (["score", "lexicon.restricted"], "white gold tusk")])
def test_words_of_a_restricted_rule_are_shown_with_its_scope(keyed, scopes, words):
    """Neither the form nor what the seller wrote for it, which would tell the form to whoever tries texts."""
    _, stubs, _, make = keyed
    _, metadata = make("shop", scopes)
    (match,) = stubs.scoring.ScoreListing(HIDDEN, metadata=metadata).decision.matches
    assert (match.form, match.surface) == (words, words)


def test_one_request_id_of_two_tenants_is_two_requests(keyed):
    """(tenant, request_id) is unique, not request_id."""
    _, stubs, _, make = keyed
    (_, ours), (_, theirs) = make("ours"), make("theirs")
    wanted = scoring_pb2.ScoreListingRequest(listing=OFFER.listing, request_id=str(uuid4()))
    ids = {stubs.scoring.ScoreListing(wanted, metadata=m).decision.decision_id for m in (ours, theirs)}
    assert len(ids) == 2


def test_decision_of_another_tenant_cannot_be_found(keyed):
    """Not even its existence is told."""
    _, stubs, _, make = keyed
    (_, ours), (_, theirs) = make("ours"), make("theirs")
    decision = stubs.scoring.ScoreListing(OFFER, metadata=ours).decision
    sent = transparency_pb2.Outcome(
        outcome_id=str(uuid4()),
        decision_id=decision.decision_id,
        kind=transparency_pb2.OUTCOME_KIND_REMOVED,
    )
    wanted = transparency_pb2.RecordOutcomesRequest(outcomes=[sent])
    (result,) = stubs.transparency.RecordOutcomes(wanted, metadata=theirs).results
    assert result.error.reason == errors_pb2.ERROR_REASON_DECISION_NOT_FOUND


def test_report_counts_the_tenant_alone(keyed):
    """Another's decisions are not in it."""
    _, stubs, _, make = keyed
    (_, ours), (_, theirs) = make("ours", ["score", "report"]), make("theirs", ["score", "report"])
    stubs.scoring.ScoreListing(OFFER, metadata=ours)
    today = str(datetime.now(UTC).date())
    days = transparency_pb2.GetTransparencyReportRequest(start_date=today, end_date=today)
    made = stubs.transparency.GetTransparencyReport(days, metadata=theirs).report
    assert made.total.decisions == 0


def test_keys_can_be_required_from_the_start(start_small, connect):
    """`require_keys = "always"`: closed until the first key is made."""
    stubs = connect(start_small(require_keys="always"))
    assert code_of(stubs.scoring.ScoreListing, OFFER) is grpc.StatusCode.UNAUTHENTICATED
