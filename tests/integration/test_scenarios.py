"""What every client must make of the real service: the scenarios that clients in other languages run too (scenarios.json)."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import wildgate
from wildgate import Client, Listing, WildgateError, WildgateInvalidRequestError
from wildgate_service.settings import load_settings

pytestmark = pytest.mark.slow  # two services start
SCENARIOS = json.loads((Path(__file__).parent / "scenarios.json").read_text(encoding="utf-8"))
POLICIES = ("allow", "review", "block")
UNITS = ("code_point", "utf16", "utf8")
CACHE = str(load_settings().settings.cache)  # of compiled lexicons
WAIT_SECONDS = 60


def of(part):
    """Parametrize with the scenarios of a part, by name."""
    return pytest.mark.parametrize("scenario", [pytest.param(each, id=each.get("name") or each["fault"]) for each in SCENARIOS[part]])


def written(value):
    """A value of a scenario, with what it repeats."""
    if isinstance(value, list):
        return [written(each) for each in value]
    if not isinstance(value, dict):
        return value
    times = value["times"]
    return value["repeat"] * times if isinstance(value["repeat"], str) else [value["repeat"]] * times


def listing_of(scenario):
    """The listing of a scenario."""
    return Listing(**{name: written(value) for name, value in scenario["listing"].items()})


@pytest.fixture(scope="module")
def clients(tmp_path_factory, make_service):
    """One client for each unit of spans."""
    with make_service(tmp_path_factory.mktemp("open"), cache=CACHE) as service, ExitStack() as made:
        options = {"insecure": True, "on_unavailable": "raise", "timeout": 10}
        yield {unit: made.enter_context(Client(service.target, span_unit=unit, **options)) for unit in UNITS}


@of("scored")
def test_action_and_taxon_groups(clients, scenario):
    """The decision is what the scenario says, its strongest groups first."""
    decision = clients["code_point"].score(listing_of(scenario))
    groups = [taxon.group for taxon in decision.taxa][: len(scenario["taxon_groups"])]
    assert (scenario["action"], scenario["taxon_groups"]) == (decision.action, groups)


@pytest.mark.parametrize("unit", UNITS)
@of("scored")
def test_spans(clients, scenario, unit):
    """Every match expected is there, with its span in the unit asked for."""
    decision = clients[unit].score(listing_of(scenario), explain="matches")
    found = [(each.rule_id, each.field, each.surface, [each.span.start, each.span.end]) for each in decision.matches]
    expected = [(each["rule_id"], each["field"], each["surface"], each["spans"][unit]) for each in scenario["matches"]]
    assert [each for each in expected if each not in found] == []


@of("refused")
def test_a_listing_is_refused_before_it_is_sent(scenario):
    """Nobody listens there: what is refused never gets so far."""
    with (
        Client("127.0.0.1:1", insecure=True, on_unavailable="raise") as client,
        pytest.raises(WildgateInvalidRequestError) as caught,
    ):
        client.score(listing_of(scenario))
    assert (scenario["reason"], scenario["metadata"]) == (caught.value.reason, caught.value.metadata)


@of("accepted")
def test_a_listing_at_its_limit_is_scored(clients, scenario):
    """Limits count code points."""
    assert clients["utf16"].score(listing_of(scenario)).answered


@pytest.fixture(scope="module")
def curl(tmp_path_factory, make_service):
    """Send a listing of a scenario to the HTTP port with curl, which must be installed; returns the answer."""
    with make_service(tmp_path_factory.mktemp("http"), cache=CACHE, http_port=0) as service:

        def send(scenario, unit="code_point"):
            request = {"listing": as_json(scenario), "spanUnit": f"SPAN_UNIT_{unit.upper()}"}
            headers = ["--header", "Content-Type: application/json", "--header", "Expect:"]
            address = f"http://{service.http}/wildgate.v1.ScoringService/ScoreListing"
            command = ["curl", "--silent", "--show-error", *headers, "--data-binary", "@-", address]
            return json.loads(subprocess.run(command, input=json.dumps(request).encode(), capture_output=True, check=True).stdout)

        yield send


def as_json(scenario):
    """The listing of a scenario as protobuf's JSON has it, whether a client would send it or not."""
    given = {name: written(value) for name, value in scenario["listing"].items()}
    read = {
        "content_kind": lambda value: f"CONTENT_KIND_{value.upper()}",
        "attributes": lambda pairs: [{"name": name, "value": value} for name, value in pairs],
    }
    names = {"id": "listingId", "content_kind": "contentKind", "seller_ref": "sellerRef"}
    return {names.get(name, name): read.get(name, lambda value: value)(value) for name, value in given.items()}


@pytest.mark.parametrize("unit", UNITS)
@of("scored")
def test_curl_is_answered_the_same(curl, scenario, unit):
    """Action, groups and spans."""
    decision = curl(scenario, unit)["decision"]
    groups = [taxon["group"] for taxon in decision["taxa"]][: len(scenario["taxon_groups"])]
    found = [(each["ruleId"], each["field"], each["surface"], [each["span"]["start"], each["span"]["end"]]) for each in decision["matches"]]
    expected = [(each["rule_id"], each["field"], each["surface"], each["spans"][unit]) for each in scenario["matches"]]
    assert (f"ACTION_{scenario['action'].upper()}", scenario["taxon_groups"]) == (decision["action"], groups)
    assert [each for each in expected if each not in found] == []


@of("refused")
def test_curl_is_refused_the_same(curl, scenario):
    """By the service, for curl checks nothing."""
    debug = curl(scenario)["details"][0]["debug"]
    assert debug["reason"] == scenario["reason"]


@of("accepted")
def test_curl_may_go_to_the_limit(curl, scenario):
    """Limits count code points."""
    assert curl(scenario)["decision"]["action"].startswith("ACTION_")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, make_service):
    """Targets and keys that go with each fault."""
    with make_service(tmp_path_factory.mktemp("keyed"), cache=CACHE) as service, socket.create_server(("127.0.0.1", 0)) as silent:
        keys = {tenant: key(service, tenant, scope) for tenant, scope in (("kiosk", "score"), ("office", "report"))}
        run(service, "limits", "set", "--tenant", "kiosk", "--per-day", "1")
        made = {
            "refused_connection": {"target": "127.0.0.1:1"},
            "silent_peer": {"target": f"127.0.0.1:{silent.getsockname()[1]}"},
            "over_the_limit": {"target": service.target, "api_key": keys["kiosk"]},
            "wrong_key": {"target": service.target, "api_key": "wg_0123456789abcdef_no-such-key"},
            "missing_scope": {"target": service.target, "api_key": keys["office"]},
        }
        ends = time.monotonic() + WAIT_SECONDS
        while not is_over_its_limit(made["over_the_limit"]):
            assert time.monotonic() < ends, "the key and its limit did not come into force"
            time.sleep(0.05)
        yield made


def run(service, *words):
    """Run a command with the settings of a service; returns what it printed."""
    command = [sys.executable, "-c", "from wildgate_service.cli import main; main()", *words]
    environment = os.environ | {"WILDGATE_CONFIG": str(service.config)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def key(service, tenant, scope):
    """A new API key."""
    return re.search(r"wg_\w+", run(service, "keys", "create", "--tenant", tenant, "--scope", scope)).group()


def is_over_its_limit(options):
    """Whether the key is known and its tenant over its limit."""
    try:
        return "limit_exceeded" in scored(options, "review", timeout=10).degraded_reasons
    except WildgateError:
        return False


def scored(options, policy, timeout=0.2):
    """Score a listing with a client of its own."""
    with Client(**options, insecure=True, on_unavailable=policy, timeout=timeout) as client:
        return client.score(Listing(id="42", title="Ivory bangle"))


@pytest.mark.parametrize("policy", POLICIES)
@of("faults")
def test_an_outage_is_what_the_policy_says(faulty, scenario, policy):
    """A decision without id and score, and the reason why."""
    decision = scored(faulty[scenario["fault"]], policy)
    expected = (policy, (scenario["degraded"],), None, None, "42")
    assert expected == (decision.action, decision.degraded_reasons, decision.decision_id, decision.score, decision.listing_id)


@of("faults")
def test_an_outage_is_raised_if_asked_to(faulty, scenario):
    """As the error of that kind of outage."""
    with pytest.raises(getattr(wildgate, scenario["error"])):
        scored(faulty[scenario["fault"]], "raise")


@pytest.mark.parametrize("policy", [*POLICIES, "raise"])
@of("raised")
def test_what_is_no_outage_is_raised_under_every_policy(faulty, scenario, policy):
    """A bad key is never taken for an outage."""
    with pytest.raises(getattr(wildgate, scenario["error"])) as caught:
        scored(faulty[scenario["fault"]], policy, timeout=10)
    assert scenario["reason"] == caught.value.reason
