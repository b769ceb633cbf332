"""Restricted packs: they match and count, and nobody without the scope reads their words, wherever these could leave the house."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest
from wildgate.v1 import lexicon_pb2, scoring_pb2, transparency_pb2, types_pb2
from wildgate_service.keys import create_key
from wildgate_service.secrets import load_secrets
from wildgate_service.store import open_store

HIDDEN = "moonlit comb"
TITLE = f"elephant tusk and {HIDDEN}, write me"
FULL = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title=TITLE), explain=types_pb2.EXPLAIN_FULL)
ALONE = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title=HIDDEN), explain=types_pb2.EXPLAIN_FULL)


@pytest.fixture
def pack(tmp_path, lexicons):
    """A pack of one restricted rule."""
    folder = tmp_path / "night" / "rules" / "en"
    folder.mkdir(parents=True)
    public = (lexicons / "rules" / "en" / "ivory.yml").read_text(encoding="utf-8")
    restricted = "- " + public.split("\n- ")[1]
    text = restricted.replace("en-elephant-hidden", "en-night-one").replace("white gold tusk", HIDDEN)
    (folder / "night.yml").write_text(text, encoding="utf-8")
    (tmp_path / "night" / "VERSION").write_text("2.0.1\n", encoding="utf-8")
    return tmp_path / "night"


@pytest.fixture
def with_pack(start_small, pack):
    """A service with the pack."""
    return start_small(lexicon_packs=[str(pack)])


@pytest.fixture
def two_keys(with_pack, connect):
    """Stubs, and the metadata of a key without and of one with the scope for restricted rules."""
    pepper = load_secrets(with_pack.folder / "wildgate.secrets").pepper
    scopes = ("score", "report")
    with open_store(with_pack.store) as store:
        _, plain = create_key(store, pepper, tenant="shop", scopes=scopes, created=datetime.now(UTC), explain="full")
    with_pack.wait_for("keys_changed", count=1)
    with open_store(with_pack.store) as store:
        _, scoped = create_key(
            store, pepper, tenant="shop", scopes=(*scopes, "lexicon.restricted"), created=datetime.now(UTC), explain="full"
        )
    with_pack.wait_for("keys_changed", count=2)
    return connect(with_pack), [("authorization", f"Bearer {plain}")], [("authorization", f"Bearer {scoped}")]


def test_restricted_rule_stops_a_listing(with_pack, connect):
    """By itself."""
    decision = connect(with_pack).scoring.ScoreListing(ALONE).decision
    assert ([match.rule_id for match in decision.matches], decision.action) == (["en-night-one"], types_pb2.ACTION_REVIEW)


def test_version_names_the_pack(with_pack, connect):
    """And its version, beside the public one."""
    answer = connect(with_pack).lexicon.GetLexicon(lexicon_pb2.GetLexiconRequest())
    assert answer.lexicon_version.startswith("1.0.0/night-2.0.1+")


@pytest.mark.parametrize("request_sent", [FULL, ALONE], ids=["beside a public rule", "alone"])
def test_answer_without_the_scope_has_no_word_of_it(two_keys, request_sent):
    """Neither form, gloss nor surface, nor where it stands, nor in the reason."""
    stubs, without, _ = two_keys
    decision = stubs.scoring.ScoreListing(request_sent, metadata=without).decision
    (match,) = [match for match in decision.matches if match.rule_id == "en-night-one"]
    place = (match.span.start, match.span.end)
    assert (HIDDEN in str(decision), "moonlit" in str(decision), match.gloss, place) == (False, False, "", (0, 0))


def test_answer_with_the_scope_has_them(two_keys):
    """Form, surface and place."""
    stubs, _, within = two_keys
    (match,) = stubs.scoring.ScoreListing(ALONE, metadata=within).decision.matches
    assert (match.form, match.surface, match.span.end) == (HIDDEN, HIDDEN, len(HIDDEN))


def test_repeat_by_a_key_without_the_scope_has_no_word_of_it(two_keys):
    """Though the recorded decision has them."""
    stubs, without, within = two_keys
    wanted = scoring_pb2.ScoreListingRequest(
        listing=ALONE.listing, explain=types_pb2.EXPLAIN_FULL, request_id="01890a5d-ac96-774b-bcce-b302099a8057"
    )
    stubs.scoring.ScoreListing(wanted, metadata=within)
    repeated = stubs.scoring.ScoreListing(wanted, metadata=without).decision
    assert HIDDEN not in str(repeated)


def test_batch_without_the_scope_has_no_word_of_it(two_keys):
    """As the single call."""
    stubs, without, _ = two_keys
    item = scoring_pb2.BatchItem(correlation_id="a", listing=FULL.listing)
    wanted = scoring_pb2.BatchScoreListingsRequest(items=[item], explain=types_pb2.EXPLAIN_FULL)
    answer = stubs.scoring.BatchScoreListings(wanted, metadata=without)
    assert (len(answer.results[0].decision.matches) > 1, HIDDEN in str(answer)) == (True, False)


def test_report_and_log_have_no_word_of_it(two_keys, with_pack):
    """They count."""
    stubs, without, _ = two_keys
    stubs.scoring.ScoreListing(FULL, metadata=without)
    today = str(datetime.now(UTC).date())
    days = transparency_pb2.GetTransparencyReportRequest(start_date=today, end_date=today)
    report = stubs.transparency.GetTransparencyReport(days, metadata=without)
    assert (HIDDEN in str(report), HIDDEN in with_pack.log) == (False, False)


def test_changed_pack_is_served(with_pack, connect, pack, until):
    """It is watched as the public lexicons are."""
    stubs = connect(with_pack)
    (pack / "VERSION").write_text("2.1.0\n", encoding="utf-8")
    asked = lexicon_pb2.GetLexiconRequest()
    until(lambda: stubs.lexicon.GetLexicon(asked).lexicon_version.startswith("1.0.0/night-2.1.0+"), "the new version")


def test_id_of_the_public_lexicon_in_a_pack_names_both_files(with_pack, connect, pack, error_of):
    """Ids are unique over all."""
    file = pack / "rules" / "en" / "night.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("en-night-one", "en-elephant-ivory"), encoding="utf-8")
    _, _, place = error_of(connect(with_pack).lexicon.ReloadLexicon, lexicon_pb2.ReloadLexiconRequest())
    told = with_pack.wait_for("reload_refused")["why"]
    assert (place, "stands already at rules/en/ivory.yml:" in told) == ({"file": "night/rules/en/night.yml", "line": "1"}, True)


def test_packs_come_from_a_variable_and_a_file_of_decisions_has_no_word_of_them(run_wildgate, pack, lexicons, tmp_path):
    """Such a file travels."""
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "1", "title": TITLE}), encoding="utf-8")
    variables = {"WILDGATE_LEXICONS": str(lexicons), "WILDGATE_LEXICON_PACKS": str(pack)}
    done = run_wildgate("score", "--input", "in.jsonl", "--output", "out.jsonl", **variables)
    written = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert (done.returncode, "en-night-one" in written, HIDDEN in written) == (0, True, False)


def test_score_takes_packs(run_wildgate, pack, lexicons):
    """As an option; what is explained has no word of them either."""
    done = run_wildgate("score", "--text", HIDDEN, "--pack", str(pack), "--lexicons", str(lexicons), "--explain")
    shown = json.loads(done.stdout)
    said = [line for line in done.stderr.splitlines() if line.startswith(("match", "decision"))]
    assert (shown["matches"][0]["rule_id"], HIDDEN in done.stdout, HIDDEN in str(said)) == ("en-night-one", False, False)


def test_two_packs_of_one_name_are_refused(run_wildgate, pack, tmp_path):
    """Errors and versions name a pack by its folder."""
    other = shutil.copytree(pack, tmp_path / "elsewhere" / "night")
    done = run_wildgate("serve", "--port", "0", WILDGATE_LEXICON_PACKS=f"{pack}:{other}")
    assert (done.returncode, "two folders have one name" in done.stderr) == (2, True)
