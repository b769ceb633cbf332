"""`wildgate store`: what it erases, what it leaves provable, what a backup holds; on real files, and beside a writer that records."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from wildgate_service.cli.store import command
from wildgate_service.evidence import Wanted
from wildgate_service.policy import default_policy
from wildgate_service.record import make_record
from wildgate_service.secrets import load_secrets
from wildgate_service.store import open_store, path_of
from wildgate_service.types import Action, Listing
from wildgate_service.writer import WriterClient

TITLE = "Old elephant  tusk"


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """What is tested is about files."""
    return fresh_file_url


@pytest.fixture
def secrets(url):
    return load_secrets(path_of(url).with_name("wildgate.secrets"))


@pytest.fixture
def record(secrets, samples):
    """Make a record as the service does: under the tenant's key."""

    def make(action=Action.ALLOW, *, tenant="acme", seller="bob", listing_id="42", days=0.0):
        return make_record(
            samples.decision(action),
            Listing(id=listing_id, title=TITLE, seller_ref=seller),
            tenant=tenant,
            decision_id=samples.uuid(),
            request_id=samples.uuid(),
            decided_time=datetime.now(UTC) - timedelta(days=days),
            tenant_key=secrets.tenant_key(tenant),
        )

    return make


@pytest.fixture
def run(url, monkeypatch, tmp_path):
    """Run `wildgate store` on the store; returns exit status and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WILDGATE_SECRETS_FILE", str(path_of(url).with_name("wildgate.secrets")))

    def call(*arguments):
        result = CliRunner().invoke(command, [*arguments, "--store", url], catch_exceptions=False)
        return result.exit_code, result.output

    return call


def filled(url, records):
    """Append in groups of three; the receipts."""
    with open_store(url) as store:
        return [each.receipt for start in range(0, len(records), 3) for each in store.append(records[start : start + 3])]


def kept(url, receipts):
    """Which of the records still have payloads, in a log that holds with all receipts."""
    with open_store(url, read_only=True) as store:
        result = store.verify(receipts)
        assert (result.problem, result.published) == ("", len(receipts))
        wanted = Wanted(tenant=None, listing_id="", positions=tuple(receipt.position for receipt in receipts))
        proofs, _ = store.proofs(wanted)
    return [proof.payload is not None for proof in proofs]


def test_records_of_an_age_are_erased_and_the_log_holds(url, record, run):
    """Whoever kept a receipt can still have it proven."""
    receipts = filled(url, [record(days=days) for days in (500, 401, 399, 0)])
    assert run("prune", "--older-than", "400d") == (0, "2 records erased; their commitments, counts and tombstones stay\n")
    assert kept(url, receipts) == [False, False, True, True]


def test_a_dry_run_counts_and_changes_nothing(url, record, run):
    """So that nobody erases by a typing error."""
    receipts = filled(url, [record(days=500), record()])
    assert run("prune", "--older-than", "400d", "--dry-run") == (0, "1 records would be erased\n")
    assert kept(url, receipts) == [True, True]


def test_what_was_erased_is_not_erased_again(url, record, run):
    """A daily run counts what is new."""
    filled(url, [record(days=500)])
    run("prune", "--older-than", "400d")
    assert run("prune", "--older-than", "400d")[1].startswith("0 records erased")


def test_days_differ_by_action(url, record, run):
    """Allowed listings for a month, stopped ones for longer."""
    receipts = filled(url, [record(Action.ALLOW, days=40), record(Action.BLOCK, days=40)])
    run("prune", "--older-than", "30d", "--action", "allow")
    assert kept(url, receipts) == [False, True]


def test_the_policy_says_how_long_records_are_kept(url, record, run, tmp_path, monkeypatch):
    """Run once a day by a timer; what it keeps for ever stays."""
    receipts = filled(url, [record(action, days=days) for action in (Action.ALLOW, Action.REVIEW, Action.BLOCK) for days in (10, 100)])
    policy = tmp_path / "policy.toml"
    text = default_policy().read_text(encoding="utf-8")
    policy.write_text(text.replace("allow_days = 0", "allow_days = 7").replace("review_days = 0", "review_days = 90"), encoding="utf-8")
    monkeypatch.setenv("WILDGATE_POLICY", str(policy))
    status, output = run("prune", "--by-policy")
    assert (status, output.count("2 records erased"), output.count("1 records erased")) == (0, 1, 1)
    assert kept(url, receipts) == [False, False, True, False, True, True]


def test_the_policy_that_ships_keeps_everything(url, record, run):
    """Nothing is erased that nobody said may be."""
    receipts = filled(url, [record(days=4_000)])
    assert run("prune", "--by-policy") == (0, "the policy's [retention] keeps all records\n")
    assert kept(url, receipts) == [True]


def test_a_seller_is_erased_by_the_reference_that_the_platform_sends(url, record, run):
    """Of this tenant alone; the same reference of another tenant is somebody else."""
    receipts = filled(url, [record(seller="bob"), record(seller="eve"), record(seller="bob"), record(seller="bob", tenant="other")])
    assert run("prune", "--tenant", "acme", "--seller", "bob")[1].startswith("2 records erased")
    assert kept(url, receipts) == [False, True, False, True]


def test_a_listing_is_erased(url, record, run):
    """By its id, of this tenant."""
    receipts = filled(url, [record(listing_id="1"), record(listing_id="2"), record(listing_id="1", tenant="other")])
    assert run("prune", "--tenant", "acme", "--listing", "1")[1].startswith("1 records erased")
    assert kept(url, receipts) == [False, True, True]


def test_reports_count_the_same_afterwards(url, record, run):
    """Totals are not personal."""
    filled(url, [record(Action.BLOCK, days=1), record(days=1), record()])
    today = datetime.now(UTC).date()

    def counted():
        with open_store(url, read_only=True) as store:
            return store.report_facts(today - timedelta(days=2), today), store.findings(today - timedelta(days=2), today)

    before = counted()
    run("prune", "--older-than", "0d")
    assert counted() == before


def test_nothing_of_the_text_stays_in_the_files(url, record, run):
    """Nor in what SQLite keeps beside the file: deleted cells are overwritten and the WAL is emptied."""
    filled(url, [record(Action.BLOCK, listing_id="listing-to-forget") for _ in range(7)])
    run("prune", "--tenant", "acme", "--listing", "listing-to-forget")
    path = path_of(url)
    content = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert (b"listing-to-forget" in content, b"Elephant  tusk" in content) == (False, False)


def test_destroying_a_tenants_key_leaves_hashes_that_nobody_can_tie(url, record, run, secrets):
    """The key is gone from the file, and the seller cannot be looked for any more."""
    receipts = filled(url, [record()])
    status, output = run("prune", "--tenant", "acme", "--destroy-key")
    assert (status, output.startswith("the key of tenant acme is destroyed; restart the service")) == (0, True)
    assert load_secrets(path_of(url).with_name("wildgate.secrets")).known_key("acme") is None
    assert kept(url, receipts) == [True]
    del secrets


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say what to erase"),
        (("--seller", "bob"), "need --tenant"),
        (("--older-than", "a year"), "write days, such as 400d"),
        (("--action", "allow"), "say what to erase"),
    ],
)
def test_a_request_to_erase_that_says_too_little_is_refused(url, run, arguments, message):
    """Erasing everything must be said."""
    open_store(url).close()
    status, output = run("prune", *arguments)
    assert (status, message in output) == (2, True)


async def test_erasing_beside_a_writer_that_records_fails_no_call(writer, url, record, run, samples):
    """The writer waits for a part of it at most."""
    receipts = await asyncio.to_thread(filled, url, [record(days=500) for _ in range(1200)])
    done = asyncio.Event()
    async with WriterClient(writer.path) as client:

        async def record_many():
            results = []
            while not done.is_set():
                results.append(await client.record(samples.record()))
            return results

        work = asyncio.gather(*(record_many() for _ in range(4)))
        _, output = await asyncio.to_thread(run, "prune", "--older-than", "400d")
        done.set()
        recorded = [result.receipt for results in await work for result in results]
    assert output.startswith("1,200 records erased")
    assert kept(url, [*receipts, *recorded]) == [False] * 1200 + [True] * len(recorded)


async def test_a_backup_of_a_store_in_use_can_be_put_in_its_place(writer, url, run, samples, tmp_path):
    """And what was recorded after it is said to be missing, to whoever kept a receipt."""
    copy = tmp_path / "backup.db"
    async with WriterClient(writer.path) as client:
        before = [(await client.record(samples.record())).receipt for _ in range(5)]
        work = asyncio.gather(*(client.record(samples.record()) for _ in range(300)))
        status, output = await asyncio.to_thread(run, "backup", str(copy))
        await work
        after = (await client.record(samples.record())).receipt
    writer.stop()
    path = path_of(url)
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    copy.rename(path)
    with open_store(url) as store:
        restored, missing = store.verify(before), store.verify([*before, after])
        (head,) = store.checkpoints()
        appended = store.append([samples.record()])[0].receipt.position
    assert (status, f"position {head.position:,}" in output) == (0, True)
    assert (restored.problem, restored.published) == ("", 5)
    assert (missing.problem, missing.position) == ("published, but the log ends before", after.position)
    assert appended == head.position + 1


def test_a_backup_is_for_its_owner_alone_and_replaces_nothing(url, run, record, tmp_path):
    """A second one needs a name of its own."""
    filled(url, [record()])
    copy = tmp_path / "backup.db"
    run("backup", str(copy))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with pytest.raises(Exception, match="is there already: name a new file"):
        run("backup", str(copy))
    assert [file.name for file in tmp_path.glob("backup*")] == ["backup.db"]


def test_checking_a_sound_store(url, run, record):
    """File, logs, disk."""
    filled(url, [record(), record()])
    status, output = run("check")
    assert (status, "pages and indexes: sound" in output, "logs: intact, 2 records" in output, "free disk" in output) == (
        0,
        True,
        True,
        True,
    )


def test_checking_a_damaged_store(url, run, record):
    """Is told to be restored."""
    filled(url, [record() for _ in range(300)])
    with path_of(url).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 10)
    status, output = run("check")
    assert (status, "DAMAGED" in output, "restore a backup" in output) == (1, True, True)
