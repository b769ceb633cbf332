"""Real services on one PostgreSQL: through the SDK, several at once, and while the server is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import sleep
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from wildgate import Client, Decision, Listing, WildgateAuthenticationError, WildgateError
from wildgate_service.cli.evidence import command as evidence
from wildgate_service.store import open_store

if TYPE_CHECKING:
    from tests.service.recording.postgres import Server

pytestmark = [pytest.mark.postgres, pytest.mark.real_server]

TUSK = "Genuine elephant ivory tusk for sale, ship worldwide"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL server of their own, for it is killed."""
    from tests.service.recording.postgres import Server  # noqa: PLC0415  (needs psycopg)

    made = Server()
    made.make()
    yield made
    made.close()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> str:
    """A cache that all share, so that lexicons are compiled once."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def replicas(server, tmp_path, start_service, compiled) -> Callable[[int], tuple[str, list[Client]]]:
    """Start so many services on one database, with the same secrets; its URL and a client for each."""

    def start(count: int) -> tuple[str, list[Client]]:
        url = server.fresh_url()
        services = [start_service(store=url, cache=compiled, secrets_file=str(tmp_path / "wildgate.secrets")) for _ in range(count)]
        return url, [Client(each.target, insecure=True, on_unavailable="raise") for each in services]

    return start


def sent(client: Client, name: str, number: int) -> list[Decision]:
    """The answered ones of so many listings; those that failed are the caller's to send again."""
    answered = []
    for each in range(number):
        try:
            answered.append(client.score(Listing(id=f"{name}-{each}", title=TUSK if each % 5 == 0 else "wooden chair"), timeout=10))
        except WildgateError:
            sleep(0.05)
    return answered


def recorded(url: str) -> set[str]:
    """The ids of all decisions in the store, after it was verified."""
    with open_store(url, read_only=True) as store:
        assert store.verify().problem == ""
        rows = store._database.execute("SELECT decision_id FROM decisions")
        return {decision_id for (decision_id,) in rows}


def test_a_service_does_all_that_it_does_on_a_file(replicas, tmp_path, monkeypatch):
    """Score, repeat, outcome, report, evidence."""
    url, (client,) = replicas(1)
    decision = client.score(Listing(id="tusk", title=TUSK), timeout=30)
    client.report_outcome(decision, applied="removed")
    today = datetime.now(UTC).date().isoformat()
    report = client.transparency_report(today, today)
    assert (report.total.decisions, report.total.stopped) == (1, 1)
    assert [(each.log_id, each.position) for each in report.checkpoints] == [(decision.receipt.log_id, 1)]
    monkeypatch.setenv("WILDGATE_SECRETS_FILE", str(tmp_path / "wildgate.secrets"))
    file = str(tmp_path / "bundle.zip")
    assert CliRunner().invoke(evidence, ["export", "--store", url, "--listing", "tusk", "--output", file]).exit_code == 0
    assert CliRunner().invoke(evidence, ["verify", file]).exit_code == 0
    assert recorded(url) == {decision.decision_id}


def test_two_replicas_record_at_once_what_they_answer(replicas):
    """Each in its log; all of it is there, once."""
    url, clients = replicas(2)
    with ThreadPoolExecutor(8) as threads:
        parts = list(threads.map(lambda n: sent(clients[n % 2], str(n), 25), range(8)))
    answered = [decision for part in parts for decision in part]
    assert len(answered) == 200
    assert {decision.decision_id for decision in answered} == recorded(url)
    assert len({decision.receipt.log_id for decision in answered}) == 2


def test_a_server_killed_under_load_loses_and_doubles_nothing(replicas, server):
    """Three times, as by a crash: what was answered is recorded, and calls succeed again by themselves."""
    url, clients = replicas(2)
    done = threading.Event()

    def load(number: int) -> list[Decision]:
        answered, turn = [], 0
        while not done.is_set():
            answered += sent(clients[number % 2], f"{number}-{turn}", 5)
            turn += 1
        return answered + sent(clients[number % 2], f"{number}-after", 5)

    with ThreadPoolExecutor(4) as threads:
        parts = [threads.submit(load, number) for number in range(4)]
        try:
            for _ in range(3):
                sleep(1.5)
                server.stop("immediate")
                sleep(0.3)
                server.start()
            sleep(1.5)
        finally:
            done.set()
        answered = [decision for part in parts for decision in part.result()]
    ids = [decision.decision_id for decision in answered]
    assert len(ids) == len(set(ids)) > 100
    assert set(ids) <= recorded(url)
    assert sum("-after-" in decision.listing_id for decision in answered) == 20


def test_a_tenant_whose_secret_is_elsewhere_is_not_let_in_until_it_is_here(server, tmp_path, start_service, compiled, run_wildgate, until):
    """A secret made on the spot would hash its sellers otherwise than the other replicas do."""
    url, own, elsewhere = server.fresh_url(), tmp_path / "own.secrets", tmp_path / "elsewhere.secrets"
    first = run_wildgate("keys", "create", "--tenant", "shop", "--store", url, WILDGATE_SECRETS_FILE=str(elsewhere)).stdout.strip()
    own.write_bytes(elsewhere.read_bytes())
    own.chmod(0o600)
    service = start_service(store=url, cache=compiled, secrets_file=str(own))
    key = run_wildgate("keys", "create", "--tenant", "forum", "--store", url, WILDGATE_SECRETS_FILE=str(elsewhere)).stdout.strip()
    service.wait_for("secrets_missing", tenants=["forum"])
    with Client(service.target, api_key=first, insecure=True, on_unavailable="raise") as shop:
        assert shop.score(Listing(id="1", title=TUSK), timeout=30).decision_id
    with Client(service.target, api_key=key, insecure=True, on_unavailable="raise") as forum:
        with pytest.raises(WildgateAuthenticationError):
            forum.score(Listing(id="1", title=TUSK), timeout=30)
        own.write_bytes(elsewhere.read_bytes())
        until(lambda: answers(forum), "the tenant's key to be in force")


def answers(client: Client) -> bool:
    try:
        return bool(client.score(Listing(id="1", title=TUSK), timeout=30).decision_id)
    except WildgateAuthenticationError:
        return False
