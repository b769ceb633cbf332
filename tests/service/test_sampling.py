"""Which allowed listings are drawn for a moderator's look: by policy, by chance, and by nobody's guess."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from wildgate.v1 import scoring_pb2, transparency_pb2, types_pb2
from wildgate_service.pipeline import score_listing
from wildgate_service.policy import checked, default_policy, load_policy, policy_of_text
from wildgate_service.sampling import Sampling, chance_of, drawn
from wildgate_service.types import Action, Listing

KEY, OTHER = bytes(32), bytes([1]) * 32
LAYERS = Sampling(rate=0.001, markets={"EU": 0.01, "DE": 0.02}, languages={"zh": 0.03, "vi": 0.0}, groups={"elephant": 0.2, "orchid": 0.1})


@pytest.mark.parametrize(
    ("places", "language", "groups", "rate"),
    [
        ([""], "en", [], 0.001),
        (["EU", "FR"], "en", [], 0.01),
        (["EU", "DE"], "en", [], 0.02),
        (["EU", "DE"], "zh-Hant", [], 0.03),
        (["EU", "DE"], "vi", [], 0.0),
        ([""], "vi", ["orchid", "coral", "elephant"], 0.2),
        ([""], "en", ["coral"], 0.001),
    ],
)
def test_the_narrower_rate_wins(places, language, groups, rate):
    """Group over language over market over union over everything; of groups the highest."""
    assert LAYERS.rate_of(places, language, groups) == rate


def ids(count):
    return [f"00000000-0000-7000-8000-{number:012d}" for number in range(count)]


def test_chances_are_even():
    """Of 20,000 requests about 1 in 20 is under .05 (five standard deviations are 154)."""
    assert sum(chance_of(each, KEY) < 0.05 for each in ids(20_000)) == pytest.approx(1_000, abs=154)


def test_only_the_tenants_key_tells_who_is_drawn():
    """The same request always, another tenant's otherwise."""
    first, again, other = ([chance_of(each, key) < 0.5 for each in ids(200)] for key in (KEY, KEY, OTHER))
    assert first == again
    assert 60 < sum(mine != theirs for mine, theirs in zip(first, other, strict=True)) < 140


@pytest.mark.parametrize(
    ("action", "rate", "sampled"), [(Action.ALLOW, 1.0, True), (Action.ALLOW, 0.0, False), (Action.REVIEW, 1.0, False)]
)
def test_only_what_is_allowed_is_drawn(engine, action, rate, sampled):
    """Whoever is held gets a look anyhow."""
    decision = msgspec.structs.replace(score_listing(engine, Listing(title="Blue bicycle")), action=action, sampling_rate=rate)
    assert drawn(decision, ids(1)[0], KEY).sampled is sampled


def sampling_policy(text):
    return default_policy().read_text(encoding="utf-8").replace("[sampling]\nrate = 0.0\n", f"[sampling]\n{text}\n")


def test_a_decision_says_its_rate_and_the_action_stays(engine):
    """By the policy, for stopped listings too; nothing is drawn before it is recorded."""
    policy = policy_of_text(sampling_policy("rate = 0.5"), "p")
    decision = score_listing(msgspec.structs.replace(engine, policy=policy), Listing(title="Blue bicycle"))
    assert (decision.action, decision.sampling_rate, decision.sampled) == (Action.ALLOW, 0.5, False)


def test_the_policy_that_ships_draws_nothing():
    """Looks are work for people, so they begin when somebody says so."""
    assert load_policy(default_policy()).sampling.rate_of(["SG"], "en", ["elephant"]) == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rate = 1.5", "1.5 is no share between 0 and 1"),
        ("markets = { SGP = 0.1 }", "no ISO 3166-1 code"),
        ("languages = { 'zh hant' = 0.1 }", "no BCP 47 tag"),
        ("groups = { dragon = 0.1 }", "unknown taxon group"),
        ("groups = { elephant = -1 }", "-1.0 is no share"),
        ("rates = 0.1", "did you mean rate?"),
    ],
)
def test_policy_check_names_what_is_wrong(text, said):
    """With the key."""
    problems = [str(problem) for _, problem in checked(sampling_policy(text))[1] if not problem.warning]
    assert len(problems) == 1
    assert said in problems[0]
    assert problems[0].startswith("sampling.")


def test_a_report_needs_some_looks_at_least():
    """A share of three is none."""
    text = default_policy().read_text(encoding="utf-8").replace("fewest = 100", "fewest = 3")
    assert "are the fewest" in str(checked(text)[1][0][1])


def test_a_service_answers_and_records_what_was_drawn(start_small, connect, tmp_path):
    """Allowed and drawn, the same on every attempt; what is stopped is not; the report counts it, and has the policy's `fewest`."""
    policy = tmp_path / "policy.toml"
    policy.write_text(sampling_policy("rate = 1.0").replace("fewest = 100", "fewest = 70"), encoding="utf-8")
    stubs = connect(start_small(policy=str(policy)))
    asked = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="Blue bicycle"), request_id=ids(1)[0])
    answers = [stubs.scoring.ScoreListing(asked).decision for _ in range(2)]
    stopped = stubs.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))).decision
    today = datetime.now(UTC).date().isoformat()
    report = stubs.transparency.GetTransparencyReport(
        transparency_pb2.GetTransparencyReportRequest(start_date=today, end_date=today)
    ).report
    error = report.measured_error
    assert [(each.action, each.sample_for_review) for each in answers] == [(types_pb2.ACTION_ALLOW, True)] * 2
    assert (stopped.action == types_pb2.ACTION_ALLOW, stopped.sample_for_review) == (False, False)
    assert (error.covered, error.drawn, error.looked_at, error.fewest) == (1, 1, 0, 70)
    assert not error.estimates[0].HasField("estimate")
