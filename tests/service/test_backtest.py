"""Two policies held against each other: every listing scored once and decided twice, counted, and drawn to be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wildgate_service import backtest as module
from wildgate_service import pipeline
from wildgate_service.backtest import Compared, Job, Tally, backtest
from wildgate_service.backtest_shown import as_page, as_text
from wildgate_service.policy import checked, load_policy

OFFER = "Elephant ivory bangle for sale, DM me for price"
PLAIN = "Blue bicycle, 28 inch"
LENIENT = 'version = "1.0.0"\n[thresholds]\nreview = 1.01\nblock = 1.01\n'
STRICT = 'version = "2.0.0"\n[thresholds]\nreview = 0.4\nblock = 0.5\n'
TRIAL = 'version = "3.0.0"\n[thresholds]\nreview = 0.4\nblock = 0.5\n[tenants.shop]\nshadow = true\n'
SHIPS = f"the policy that ships {load_policy(module.default_policy()).version}"


@pytest.fixture
def policy(tmp_path):
    """Write a policy; returns its file."""

    def write(text: str, name: str = "mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def run(tmp_path, monkeypatch, engine):
    """Compare two policies on rows."""
    monkeypatch.setattr(module, "local_engine", lambda *_: engine)

    def on(rows, before=None, after=None, *, show=5, seed=0, **job):
        source = tmp_path / "in.jsonl"
        source.write_bytes(b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows))
        return backtest(source, "jsonl", Job(None, None, before, after, **job), workers=1, show=show, seed=seed)

    return on


def moves(found) -> dict[tuple[str, str], int]:
    return {(each.before, each.after): each.listings for each in found.moves}


# --- what is counted -----------------------------------------------------------------------------


def test_actions_before_and_after_are_counted(run, policy):
    """Those that stay, too."""
    found = run([{"title": OFFER}, {"title": PLAIN}, {"title": OFFER}], None, policy(LENIENT))
    assert (found.listings, found.changed) == (3, 2)
    assert moves(found) == {("block", "review"): 2, ("allow", "allow"): 1}
    assert (found.before, found.after) == (SHIPS, "mine.toml 1.0.0")


def test_what_changes_is_counted_by_language_group_and_rule(run, policy):
    """A listing counts once in each row that it belongs to."""
    found = run([{"title": "象牙手镯 出售 加微信"}, {"title": OFFER}, {"title": PLAIN}], None, policy(LENIENT))
    assert {(each.value, each.listings) for each in found.by_language} == {("en", 1), ("zh", 1)}
    assert [(each.value, each.before, each.after, each.listings) for each in found.by_group] == [("elephant", "block", "review", 2)]
    assert {each.value.partition("-")[0] for each in found.by_rule} >= {"zh", "en"}


def test_each_listing_is_scored_once(run, policy, monkeypatch):
    """However many policies decide on it."""
    scored = []
    monkeypatch.setattr(pipeline, "normalize", lambda listing: scored.append(listing) or normalize(listing))
    run([{"title": OFFER}, {"title": PLAIN}], policy(STRICT), policy(LENIENT, "other.toml"))
    assert [listing.title for listing in scored] == [OFFER, PLAIN]


normalize = pipeline.normalize


def test_the_market_of_a_listing_is_its_own_else_the_one_given(run, policy):
    """A goldfinch is on a list in Germany and on none in Singapore."""
    after = policy(STRICT + '[markets.DE]\nblock = 1.01\n[markets.SG]\nunlisted = "review"\n')
    title = "Live goldfinch Carduelis carduelis for sale, no papers, DM me"
    found = run([{"title": title, "market": "DE"}, {"title": title}], None, after, market="SG")
    assert moves(found) == {("block", "review"): 1, ("allow", "review"): 1}


def test_the_day_of_posting_is_heeded(run, policy):
    """The shortfin mako has been on CITES since 2019."""
    rows = [{"title": "Isurus oxyrinchus fins for sale, 5 kg", "posted_time": day} for day in ("2015-03-01", "2024-03-01T10:00:00Z")]
    found = run(rows, None, policy(STRICT + "[groups.shark_ray]\nreview = 1.01\nblock = 1.01\n"), market="SG")
    assert [each.line for sample in found.to_read.values() for each in sample] == [2]


# --- shadow --------------------------------------------------------------------------------------


def test_out_of_shadow_shows_what_would_have_been_stopped(run, policy):
    """For the tenant that is in it, and for nobody else."""
    trial = policy(TRIAL)
    assert moves(run([{"title": OFFER}], trial, trial, live=True, tenant="shop")) == {("allow", "block"): 1}
    assert moves(run([{"title": OFFER}], trial, trial, live=True, tenant="other")) == {("block", "block"): 1}


# --- labels --------------------------------------------------------------------------------------


def test_labels_give_precision_and_recall_before_and_after(run, policy):
    """Of what is stopped and of what is refused; a listing without a label counts in neither."""
    rows = [
        {"title": OFFER, "label": True},
        {"title": OFFER, "label": "offer"},
        {"title": OFFER, "expected": "benign"},
        {"title": PLAIN, "expected": "block"},
        {"title": PLAIN, "label": 0},
        {"title": OFFER},
    ]
    found = run(rows, None, policy(LENIENT))
    before, after = found.quality
    assert (found.labeled, before.side, after.side) == (5, "before", "after")
    counts = [(share.count, share.total) for share in (before.stopped_precision, before.stopped_recall, before.refused_precision)]
    assert counts == [(2, 3), (2, 3), (2, 3)]
    assert [(share.count, share.total) for share in (after.stopped_recall, after.refused_precision, after.refused_recall)] == [
        (2, 3),
        (0, 0),
        (0, 3),
    ]
    assert 0 < before.stopped_precision.lower < 2 / 3 < before.stopped_precision.upper < 1


def test_a_label_that_says_nothing_fails_its_line(run, policy):
    """It is not taken for either."""
    found = run([{"title": OFFER, "label": "perhaps"}], None, policy(LENIENT))
    assert found.failures[0].error.startswith("label 'perhaps' is none of true, 1, yes, offer, block, review, false,")


# --- what is to be read --------------------------------------------------------------------------


def tally(show: int, seed: int, lines) -> list[int]:
    """Lines drawn of one kind of change."""
    running = Tally(show, seed)
    for line in lines:
        running.add(Compared(line, "allow", "block", text=f"text {line}"))
    return [each.line for each in running.result("a", "b", "").to_read["allow → block"]]


def test_the_same_seed_draws_the_same_texts_in_whatever_order():
    """In the order of the file; another seed draws others."""
    drawn = tally(5, 1, range(1, 1001))
    assert (len(drawn), drawn) == (5, sorted(drawn))
    assert tally(5, 1, reversed(range(1, 1001))) == drawn
    assert tally(5, 2, range(1, 1001)) != drawn


def test_few_texts_are_all_to_be_read_and_none_if_none_are_wanted():
    """Of each kind of change apart."""
    running = Tally(3, 0)
    for line, move in enumerate([("allow", "block"), ("review", "allow"), ("block", "block"), ("allow", "block")], 1):
        running.add(Compared(line, *move))
    read = running.result("a", "b", "").to_read
    assert {move: [each.line for each in sample] for move, sample in read.items()} == {"allow → block": [1, 4], "review → allow": [2]}
    assert Tally(0, 0).result("a", "b", "").to_read == {}


def test_a_text_to_read_comes_with_score_rules_and_reason(run, policy):
    """The reason is that of the policy after."""
    (each,) = run([{"id": "x", "title": OFFER, "description": "38 g"}], None, policy(LENIENT)).to_read["block → review"]
    assert (each.id, each.text, each.groups, each.score > 0.9) == ("x", f"{OFFER} | 38 g", ("elephant",), True)
    assert each.reason.startswith("May offer elephant (“Elephant ivory”)")


# --- bad lines -----------------------------------------------------------------------------------


def test_bad_lines_are_named_and_the_rest_goes_on(run, policy):
    """As `wildgate score` names them; the first twenty."""
    found = run([b"oops\n", {"id": "a"}, {"title": PLAIN}, *[b"[]\n"] * 30], None, policy(LENIENT))
    assert (found.listings, found.failed, len(found.failures)) == (1, 32, 20)
    assert [(each.line, each.id, each.error[:26]) for each in found.failures[:2]] == [
        (1, None, "not a listing: JSON is mal"),
        (2, "a", "the listing has no text: t"),
    ]


# --- shown ---------------------------------------------------------------------------------------


def test_text_shows_moves_tables_shares_and_texts(run, policy):
    """As a reader would see them."""
    text = as_text(run([{"id": "x", "title": OFFER, "label": 1}, {"title": PLAIN}, b"oops\n"], None, policy(LENIENT)))
    lines = text.splitlines()
    assert lines[:3] == [f"before: {SHIPS}", "after:  mine.toml 1.0.0", "2 listings, 1 get another action (50.0%)"]
    assert "     block                     0           1           0" in lines
    assert "           1  block → review   elephant" in lines
    assert "Of the offers, refused 100.0% [21, 100] 1 of 1 0.0% [0, 79] 0 of 1" in [" ".join(line.split()) for line in lines]
    assert "block → review: 1 of 1 to read" in lines
    assert lines[-1].startswith("    line 3: not a listing: JSON is malformed")


def test_the_page_escapes_what_sellers_wrote(run, policy):
    """It needs nothing but itself, and runs nothing."""
    page = as_page(run([{"id": "<b>", "title": f"<script>alert(1)</script> {OFFER}"}], None, policy(LENIENT)))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<dd>&lt;b&gt;</dd>" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_a_file_without_listings_is_shown_too(run, policy):
    """Nothing is divided by nothing."""
    found = run([], None, policy(LENIENT))
    assert "0 listings, 0 get another action (–)" in as_text(found)
    assert "of <strong>0</strong> listings" in as_page(found)


# --- the command ---------------------------------------------------------------------------------

ROWS = [{"id": f"r{number}", "title": OFFER if number % 3 else PLAIN, "label": "offer" if number % 3 else "benign"} for number in range(20)]


@pytest.fixture
def wildgate(tmp_path, run_wildgate, lexicons, policy):
    """Run `wildgate backtest` on rows with the small lexicon."""
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS), encoding="utf-8")
    policy(LENIENT, "lenient.toml")
    policy(STRICT, "strict.toml")

    def call(*options: str):
        cache = {"WILDGATE_CACHE": str(tmp_path / "cache")}
        return run_wildgate("backtest", "--input", "in.jsonl", "--lexicons", str(lexicons), *options, **cache)

    return call


def test_backtest_prints_what_changes(wildgate):
    """Before and after as they were given."""
    done = wildgate("--a", "strict.toml", "--b", "lenient.toml", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["before"], found["after"], found["listings"]) == (0, "strict.toml 2.0.0", "lenient.toml 1.0.0", 20)


def test_one_policy_alone_is_held_against_the_one_that_ships(wildgate):
    """It is the one after."""
    lines = wildgate("--a", "lenient.toml").stdout.splitlines()
    assert lines[:2] == [f"before: {SHIPS}", "after:  lenient.toml 1.0.0"]


@pytest.mark.slow
def test_two_processes_find_what_one_finds(wildgate):
    """To the last text."""
    options = ("--a", "strict.toml", "--b", "lenient.toml", "--show", "3", "--format", "json")
    assert wildgate(*options, "--workers", "2").stdout == wildgate(*options).stdout


def test_csv_is_read_as_score_reads_it(wildgate, tmp_path):
    """With a column of labels."""
    (tmp_path / "in.csv").write_text("id,title,label\n1,elephant tusk for sale,1\n2,blue bicycle,0\n", encoding="utf-8")
    done = wildgate("--input", "in.csv", "--a", "lenient.toml", "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["labeled"]) == (0, 2)


def test_a_page_is_written_to_a_file(wildgate, tmp_path):
    """Whose name is printed."""
    done = wildgate("--a", "lenient.toml", "--format", "html", "--output", "page.html")
    assert (done.returncode, done.stdout) == (0, "page.html\n")
    assert "<!DOCTYPE html>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_line_that_fails_ends_with_1(wildgate, tmp_path):
    """The rest is counted."""
    (tmp_path / "in.jsonl").write_text('oops\n{"title": "blue bicycle"}\n', encoding="utf-8")
    done = wildgate("--a", "lenient.toml", "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["failed"], json.loads(done.stdout)["listings"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --a POLICY"),
        (("--live",), "--live needs --a and no --b"),
        (("--a", "strict.toml", "--b", "lenient.toml", "--live"), "--live needs --a and no --b"),
        (("--a", "nowhere.toml"), "'nowhere.toml' does not exist"),
        (("--a", "strict.toml", "--market", "Singapore"), "market 'Singapore' is not an ISO 3166-1 code"),
        (("--a", "strict.toml", "--output", "in.jsonl"), "--output is the input file"),
        (("--a", "in.jsonl"), "policy in.jsonl: line 1: not TOML"),
    ],
)
def test_a_usage_error_ends_with_2(wildgate, options, said):
    """On stderr, without a traceback."""
    done = wildgate(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


# --- the example ---------------------------------------------------------------------------------

EXAMPLE = Path(__file__).parents[2] / "demo" / "backtest"


def test_the_example_policy_has_nothing_wrong_and_nothing_to_look_at():
    """It is what people copy."""
    assert checked((EXAMPLE / "mine.toml").read_text(encoding="utf-8"))[1] == []


def test_the_example_changes_something_in_each_way_that_it_speaks_of(run):
    """A group, a market in shadow, and what is on no list there."""
    rows = [line + b"\n" for line in (EXAMPLE / "listings.jsonl").read_bytes().splitlines()]
    found = run(rows, None, EXAMPLE / "mine.toml")
    assert (found.failed, found.labeled) == (0, found.listings)
    read = [each for sample in found.to_read.values() for each in sample]
    assert any(each.in_shadow for each in read)
    assert any("no list in force" in each.reason for each in read)
