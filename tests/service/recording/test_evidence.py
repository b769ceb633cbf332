"""An investigator's bundle: made from the store, verified without it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from wildgate_service.cli.evidence import command
from wildgate_service.evidence import EvidenceError, verify_bundle
from wildgate_service.outcomes import Means
from wildgate_service.store import open_store
from wildgate_service.types import Action, Listing

POSTED = datetime(2026, 3, 9, 8, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
def filled(fresh_url, samples):
    """A store in whose middle a listing was checked twice; the URL and the receipts of all."""
    url = fresh_url()
    tusk = Listing(id="tusk-7", title="Old elephant  tusk", market="SG", seller_ref="bob", posted_time=POSTED)
    with open_store(url) as store:
        receipts = []
        for group in ([None] * 4, [None, tusk, None], [None] * 2, [tusk], [None] * 3):
            records = [samples.record(Action.BLOCK if each else Action.ALLOW, listing=each) for each in group]
            receipts += [result.receipt for result in store.append(records)]
            store.append_outcomes(
                [
                    samples.outcome(decision_id=record.decision_id, means=Means.AUTOMATED)
                    for record, each in zip(records, group, strict=True)
                    if each
                ]
            )
    return url, receipts


def export(url, file, *arguments):
    return CliRunner().invoke(command, ["export", "--store", url, "--output", str(file), *arguments])


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def verified_alone(files, folder):
    """What the script in the bundle says of these files; status and output."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    run = subprocess.run([sys.executable, "-I", str(folder / "verify.py")], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
def bundle(filled, tmp_path):
    """The bundle of the listing, as bytes."""
    file = tmp_path / "evidence.zip"
    assert export(filled[0], file, "--listing", "tusk-7").exit_code == 0
    return file.read_bytes()


def test_the_bundle_holds_every_check_of_the_listing(bundle):
    """And nothing of others, with what followed."""
    files = unzipped(bundle)
    records = json.loads(files["records.json"])
    outcomes = json.loads(files["outcomes.json"])
    assert [(each["position"], each["record"]["listing_id"]) for each in records] == [(6, "tusk-7"), (10, "tusk-7")]
    assert [[outcome["kind"] for outcome in each["outcomes"]] for each in outcomes] == [["removed"], ["removed"]]


def test_the_bundle_says_what_matched_and_not_the_text(bundle):
    """The text was not kept; the words that matched, versions and times were."""
    record = json.loads(unzipped(bundle)["records.json"])[0]["record"]
    assert (record["decision"]["matches"][0]["surface"], record["posted_time"]) == ("Elephant  tusk", "2026-03-09T08:30:00.123456Z")
    assert b"bob" not in b"".join(unzipped(bundle).values())


def test_the_bundle_is_verified_without_the_store(bundle):
    """By Wildgate."""
    assert [position for (_, position), _ in verify_bundle(bundle).records] == [6, 10]


def test_the_bundle_is_verified_by_its_own_script(bundle, tmp_path):
    """With nothing but Python."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    status, said = verified_alone(unzipped(bundle), folder)
    assert (status, said.count("as committed; it stands before")) == (0, 2)


def test_a_proof_reaches_what_was_published(filled, tmp_path):
    """The first receipt at or after each record."""
    url, receipts = filled
    kept = tmp_path / "kept.jsonl"
    lines = [json.dumps({"log_id": each.log_id, "position": each.position, "chain_hash": each.chain_hash}) for each in receipts[6:12:5]]
    kept.write_text("\n".join(lines), encoding="utf-8")
    file = tmp_path / "evidence.zip"
    result = export(url, file, "--listing", "tusk-7", "--receipts", str(kept))
    assert "2 of them proven to what was published before" in result.stdout
    assert [reached.receipt for _, reached in verify_bundle(file.read_bytes()).records] == [receipts[6], receipts[11]]


def test_a_forged_receipt_is_not_reached(filled, tmp_path):
    """Then the export itself proves nothing, and says so when it is verified."""
    url, receipts = filled
    kept = tmp_path / "kept.jsonl"
    kept.write_text(json.dumps({"log_id": receipts[0].log_id, "position": 8, "chain_hash": "00" * 32}), encoding="utf-8")
    file = tmp_path / "evidence.zip"
    export(url, file, "--listing", "tusk-7", "--receipts", str(kept))
    with pytest.raises(EvidenceError, match="record 6 does not lead to its checkpoint"):
        verify_bundle(file.read_bytes())


def test_an_erased_record_is_proven_by_its_position(filled, tmp_path):
    """What it said is gone; that it was there is not."""
    url, _ = filled
    with open_store(url) as store:
        store.erase([6])
    file, folder = tmp_path / "evidence.zip", tmp_path / "unpacked"
    folder.mkdir()
    assert export(url, file, "--position", "6").exit_code == 0
    assert verify_bundle(file.read_bytes()).erased == 1
    assert "Record 6: erased; its commitment stands before" in verified_alone(unzipped(file.read_bytes()), folder)[1]


def test_records_of_another_tenant_are_not_exported(filled, tmp_path):
    """By listing and by position."""
    url, _ = filled
    results = [export(url, tmp_path / "x.zip", "--tenant", "other", *which) for which in (("--listing", "tusk-7"), ("--position", "6"))]
    assert [isinstance(result.exception, EvidenceError) for result in results] == [True, True]


def test_every_altered_file_is_found_by_both(bundle, tmp_path):
    """A byte of each, at several places; the script is no weaker than Wildgate."""
    files = unzipped(bundle)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name in ("README.txt", "records.json", "outcomes.json", "proof.json", "manifest.json"):
        content = files[name]
        for at in (len(content) // 7, len(content) // 2, len(content) - 40):
            altered = {**files, name: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]}
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                for each, value in altered.items():
                    archive.writestr(each, value)
            with pytest.raises(EvidenceError):
                verify_bundle(packed.getvalue())
            assert verified_alone(altered, folder)[0] == 1, (name, at)


def resigned(files, key):
    """The bundle with a manifest that fits it, as somebody with the key could make it."""
    from wildgate_service import evidence  # noqa: PLC0415

    digests = {name: evidence.hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"}
    manifest = {"files": digests, "public_key": key.public_key, "signature": key.sign(evidence._signed_text(digests))}
    return evidence._zipped({**files, "manifest.json": json.dumps(manifest).encode()})


def test_who_holds_the_key_cannot_say_something_else_of_a_record(bundle, tmp_path):
    """What is shown must be what was committed, and what was committed must lead to the checkpoint."""
    from wildgate_service.checkpoints import load_signing_key  # noqa: PLC0415

    key = load_signing_key(tmp_path / "another.pem")
    files = unzipped(bundle)
    shown = files | {"records.json": files["records.json"].replace(b'"block"', b'"allow"')}
    with pytest.raises(EvidenceError, match="says something else of record 6"):
        verify_bundle(resigned(shown, key))
    proof = json.loads(files["proof.json"])
    proof["records"][0]["previous"] = "11" * 32
    with pytest.raises(EvidenceError, match="record 6 does not lead to its checkpoint"):
        verify_bundle(resigned(files | {"proof.json": json.dumps(proof).encode()}, key))


def test_the_command_verifies_and_refuses(bundle, tmp_path):
    """Exit status 0, and 1 for another key or a damaged file."""
    file = tmp_path / "given.zip"
    file.write_bytes(bundle)
    statuses = [CliRunner().invoke(command, ["verify", str(file), *more]).exit_code for more in ([], ["--key", "00" * 32])]
    file.write_bytes(bundle[:-30])
    assert [*statuses, CliRunner().invoke(command, ["verify", str(file)]).exit_code] == [0, 1, 1]


def test_bundles_of_equal_content_are_equal():
    """Zips carry no time of their own."""
    from wildgate_service.evidence import _zipped  # noqa: PLC0415

    assert _zipped({"a": b"1"}) == _zipped({"a": b"1"})
