"""What the benchmarks of speed count and say, on figures of our own: nothing here measures a time."""

import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from wildgate import Listing
from wildgate_service.types import Level

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FOLDERS = [str(BENCHMARKS), *(str(BENCHMARKS / name) for name in ("load", "speed", "quality"))]
sys.path[:0] = FOLDERS

import compare  # noqa: E402
import goals  # noqa: E402
import mixed  # noqa: E402
import peer  # noqa: E402
import picture  # noqa: E402
import soak  # noqa: E402
import tables  # noqa: E402
from asking import Asked, NoAnswerError  # noqa: E402
from checkouts import ROOT, CheckoutError, checkout  # noqa: E402
from committed import differences, figures, paired  # noqa: E402
from h2load import DATA, REFUSED, timing_script  # noqa: E402
from mix import OFFER_SHARE, Mix, is_whole  # noqa: E402
from noise import interval_of_median, outliers, verdict  # noqa: E402
from page import read_results, rendered  # noqa: E402
from peers import row_of  # noqa: E402
from ratios import ratios  # noqa: E402
from synthetic import count_of, forms_in, make_lexicons  # noqa: E402
from wildgate_service.lexicon.rules import read_rules  # noqa: E402

del sys.path[: len(FOLDERS)]

SEED = 3
MACHINE = {
    "measured": "2026-01-02T03:04:05+00:00",
    "processor": "P",
    "cores": 2,
    "load_average": 0.1,
    "python": "3.11.7",
    "packages": {"grpcio": "1"},
}


def seeded() -> random.Random:
    return random.Random(SEED)  # noqa: S311


def around(middle: float, spread: float, count: int = 20) -> list[float]:
    rng = seeded()
    return [middle * rng.uniform(1 - spread, 1 + spread) for _ in range(count)]


def test_the_interval_of_a_median_holds_it_and_is_the_same_for_the_same_seed():
    """As a bootstrap with a seed must."""
    values = around(2.0, 0.2)
    low, high = interval_of_median(values, seeded())
    assert low <= sorted(values)[10] <= high
    assert (low, high) == interval_of_median(values, seeded())


@pytest.mark.parametrize(
    ("middle", "spread", "said"),
    [(1.2, 0.02, "slower"), (0.8, 0.02, "faster"), (1.0, 0.01, "same"), (1.05, 0.3, "unclear"), (1.02, 0.03, "unclear")],
)
def test_a_verdict_needs_the_whole_interval(middle, spread, said):
    """A median beyond the tolerance is not enough."""
    assert said == verdict(around(middle, spread), SEED).said


def test_few_rounds_are_not_judged():
    """All on one side by chance."""
    assert verdict([1.2] * 7, SEED).said == "unclear"


def test_a_common_factor_is_no_outlier():
    """Another machine moves all figures; one that moves further stands out."""
    found = outliers({**{f"figure {number}": 1.4 for number in range(20)}, "slow": 2.4, "fast": 0.9})
    assert found.factor == pytest.approx(1.4)
    assert (found.slower, found.faster) == (("slow",), ("fast",))


def test_noise_widens_the_limit_of_outliers():
    """What varies by a third everywhere is not called slower for a fifth."""
    noisy = {str(number): value for number, value in enumerate(around(1.0, 0.3, 60))}
    assert outliers(noisy).slower == ()


def test_rows_are_named_by_what_they_say_of_themselves():
    """Strings and dimensions are names, other numbers figures."""
    rows = [{"script": "latin", "characters": 300, "total": 5.0, "calls": 9}, {"script": "han", "characters": 60, "total": 7.0}]
    assert figures(rows) == {"latin 300 total": 5.0, "han 60 total": 7.0}


def test_rounds_are_their_medians_and_rates_are_costs():
    """So that a ratio over 1 is always slower."""
    rows = {"unary": {"bare": [{"listings_per_second": rate, "p99_ms": 2.0} for rate in (100.0, 200.0, 900.0)]}}
    assert figures(rows) == {"unary bare listings_per_second": 1 / 200, "unary bare p99_ms": 2.0}


def test_only_figures_that_both_results_have_are_paired():
    """A scenario that is new has nothing to be compared with."""
    old = {"rows": [{"text": "a", "total": 2.0}]}
    assert paired({"rows": [{"text": "a", "total": 3.0}, {"text": "b", "total": 1.0}]}, old) == {"a total": 1.5}


def test_another_machine_and_other_packages_are_named():
    """Whoever reads a ratio must know."""
    fresh = {"machine": MACHINE | {"cores": 8, "packages": {"grpcio": "2"}}}
    assert differences(fresh, {"machine": MACHINE}) == ["cores: 2 → 8", "grpcio: 1 → 2"]


def test_cases_of_a_kind_are_judged_together_too():
    """By geometric means of each round, one for each kind that there is."""
    pairs = {f"{script}/300/{kind}": [(cost, 2 * cost)] for script, cost in (("a", 1.0), ("b", 100.0)) for kind in compare.PLANTED}
    ((before, after),) = compare.together(pairs)["all/offer"]
    assert (before, after) == pytest.approx((10.0, 20.0))


def test_this_checkout_is_its_own_folder():
    """`.` is what is here, committed or not."""
    with checkout(".", Path("/nowhere")) as root:
        assert root == ROOT


def test_a_commit_that_does_not_exist_is_refused(tmp_path):
    """With what git says."""
    with pytest.raises(CheckoutError, match="no-such-commit"), checkout("no-such-commit", tmp_path / "a"):
        pass


def answering(program: str, seconds: float = 30) -> Asked:
    return Asked((sys.executable, "-c", program), seconds=seconds)


def test_a_process_is_asked_line_by_line():
    """It introduces itself first."""
    program = "import sys\nprint('{\"name\": 1}', flush=True)\nfor line in sys.stdin: print(line, end='', flush=True)"
    with answering(program) as asked:
        assert asked.said == {"name": 1}
        assert asked.ask({"text": "a\nb"}) == {"text": "a\nb"}


@pytest.mark.parametrize("program", ["import sys; sys.exit(3)", "print('hello', flush=True)", "import time; time.sleep(60)"])
def test_a_process_that_does_not_answer_is_an_error(program):
    """Ended, talking of something else, or silent; it is not left behind."""
    with pytest.raises(NoAnswerError), answering(program, seconds=1):
        pass


def test_a_timing_script_keeps_the_rate():
    """Random gaps, each a line; the time is that of the script before what h2load adds."""
    lines = timing_script("/path", 200, 50, seeded()).splitlines()
    assert len(lines) == pytest.approx(10_000, rel=0.05)
    moments = [float(line.split("\t")[0]) for line in lines]
    assert sorted(moments) == moments


def test_errors_are_counted_by_grpc_status_and_data_in_bytes():
    """As h2load prints them."""
    output = (
        "[stream_id=1] :status: 200\n[stream_id=1] grpc-status: 8\n[stream_id=3] grpc-accept-encoding: identity\n"
        "traffic: 941B (941) total, 84B (84) headers (space savings 65.43%), 603B (603) data\n"
    )
    assert Counter({"8": 1}) == Counter(REFUSED.findall(output))
    assert DATA.findall(output) == ["603"]


def rounds(rate: float, p99: float) -> list[dict[str, float]]:
    return [
        {"listings_per_second": rate * each, "p50_ms": 1.0, "p99_ms": p99, "cpu_us_per_listing": 100.0, "writer_cpu_us_per_listing": 0.0}
        for each in (1, 2)
    ]


def test_ratios_are_taken_within_a_round():
    """Both twice as fast in the second round: the ratio stays."""
    found = ratios({"echo": rounds(1_000, 2.0), "bare": rounds(500, 3.0), "default": rounds(250, 4.0)})
    assert found["bare / echo"]["listings_per_second"] == {"median": 0.5, "least": 0.5, "greatest": 0.5}
    assert list(found) == ["bare / echo", "default / echo"]


def test_a_mix_is_the_same_for_a_seed_and_has_no_text_twice():
    """Else a memo would answer."""
    mix, same = Mix(SEED), Mix(SEED)
    made = [mix.listing() for _ in range(2_000)]
    assert made == [same.listing() for _ in made]
    assert len(made) == len({(listing.title, listing.description) for _, listing in made})


def test_a_mix_has_offers_kinds_and_sizes():
    """Offers at the share that is written down."""
    mix = Mix(SEED)
    made = [mix.listing() for _ in range(5_000)]
    assert sum(size == "offer" for size, _ in made) == pytest.approx(5_000 * OFFER_SHARE, rel=0.3)
    assert {"listing", "social_post", "cargo_booking"} == {listing.content_kind for _, listing in made}
    assert {6_000} == {len(listing.description) for size, listing in made if size == "6000"}


@pytest.mark.parametrize(("answered", "score", "whole"), [("7", 0.5, True), ("8", 0.5, False), ("7", None, False), ("7", 1.5, False)])
def test_an_answer_is_to_its_listing_and_has_a_score(answered, score, whole):
    """Anything else is wrong."""
    assert whole is is_whole(Listing(id="7", title="lamp"), answered, score)


def test_growth_is_told_by_process():
    """At the begin, in the middle, at the end, and by the hour over the second half; who was not there all the time is left out."""
    samples = [{"seconds": 360.0 * step, "store": 1.0, "pss": {"worker-0": 100.0 + step}, "rss": {"worker-0": 200.0}} for step in range(11)]
    samples[3]["pss"]["late"] = 5.0
    assert soak.growth(samples, "rss") == {"worker-0": {"begin": 200.0, "middle": 200.0, "end": 200.0, "per_hour": 0.0}}
    assert soak.growth(samples, "pss") == {"worker-0": {"begin": 100.0, "middle": 105.0, "end": 110.0, "per_hour": 10.0}}


def test_latencies_are_told_by_the_minute():
    """Of when a call was due."""
    taken = [(100.0 + second, float(second)) for second in range(90)]
    assert [(row["minute"], row["answered"], row["max_ms"]) for row in soak.by_minute(taken, 100.0)] == [(0, 60, 59.0), (1, 30, 89.0)]


def test_a_line_of_locusts_statistics_becomes_a_row():
    """The one of all together has no kind."""
    line = {"Type": "", "Name": "Aggregated", "Request Count": "10", "Failure Count": "1", "Requests/s": "2.04"}
    line |= {"50%": "5", "95%": "6", "99%": "7", "100%": "N/A"}
    row = {"call": "all", "size": "", "count": 10, "failures": 1, "per_second": 2.0, "p50_ms": 5.0, "p95_ms": 6.0, "p99_ms": 7.0}
    assert row == mixed.row_of(line)


def test_a_filter_is_asked_until_its_time_is_over():
    """At least once, so that even a slow one has a figure."""
    said = peer.answer(lambda text: text == "a", ["a", "b"], seconds=0)
    assert said["stopped"] == [True]
    assert peer.answer(lambda text: text == "a", ["a", "b"], seconds=60)["stopped"] == [True, False]


def test_what_a_filter_did_becomes_a_row():
    """Median and share."""
    row = row_of("some", 5, "offer", {"microseconds": [1.0, 2.0, 9.0], "stopped": [True, False, False]})
    assert row == {"peer": "some", "forms": 5, "text": "offer", "calls": 3, "median_us": 2.0, "stopped_share": 0.333}


def test_a_synthetic_lexicon_has_as_many_forms_as_asked_and_real_ones_among_them(tmp_path):
    """Its rules are read like any."""
    forms = make_lexicons(tmp_path / "lexicons", 2_500, SEED)
    assert forms == pytest.approx(2_500, abs=5)
    assert forms == count_of(tmp_path / "lexicons")
    synthetic = [rule for rule in read_rules(tmp_path / "lexicons") if "synthetic" in rule.id]
    assert {Level.WITH_COMPANY} == {rule.level for rule in synthetic}
    assert synthetic


def test_synthetic_forms_are_all_different():
    """However many are taken."""
    forms = forms_in("zh-Hans", seeded())
    taken = [next(forms) for _ in range(5_000)]
    assert len(taken) == len(set(taken))


SERVING = {
    "machine": MACHINE,
    "rows": {
        name: {"echo": rounds(1_000, 2.0), "bare": rounds(500, 3.0), "default": rounds(250, 4.0)}
        for name in ("unary, 1 in flight", "unary, 32 in flight", "open loop, 50% of capacity", "batch of 32, 4 in flight")
    },
}
SERVING["ratios"] = {name: ratios(servers) for name, servers in SERVING["rows"].items()}


def test_the_table_has_what_was_measured_and_nothing_else():
    """And says when and on what."""
    made = tables.table({"serving": SERVING})
    assert "| one worker, without recording, 1 / 32 in flight | 750 / 750 requests/s, p99 3.0 / 3.0 ms |" in made
    assert "at 50% of capacity, arrivals at random, recording | 1.0, 4.0 ms |" in made
    assert "Measured: `serving.json` 2026-01-02 (P, 2 cores, load 0.1)." in made
    assert "in process" not in made


def test_the_table_takes_the_place_between_its_marks():
    """What stands around it stays."""
    document = f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter"
    assert f"before\n{tables.BEGIN}\nnew\n{tables.END}\nafter" == rendered(document, tables.BEGIN, tables.END, "new")


def test_a_document_without_a_place_is_refused():
    """Rather than written without a table."""
    with pytest.raises(ValueError, match="no place"):
        rendered("nothing", tables.BEGIN, tables.END, "new")


@pytest.mark.parametrize(("made", "page"), [(tables, tables.README), (goals, goals.PAGE)], ids=["speed", "goals"])
def test_a_page_has_the_figures_of_the_results(made, page):
    """As `make lint` asks too."""
    written = page.read_text(encoding="utf-8")
    assert written == rendered(written, made.BEGIN, made.END, made.table(read_results(made.PARTS)))


def test_a_picture_has_a_curve_for_each_server():
    """By rising load."""
    assert {name: len(points) for name, points in picture.curves(SERVING).items()} == {"echo": 1, "bare": 1, "default": 1}


def test_the_same_figures_give_the_same_picture(tmp_path):
    """So that a commit of it shows a change only where there is one."""
    for name in ("one.svg", "other.svg"):
        picture.draw(picture.curves(SERVING), tmp_path / name, "P")
    assert (tmp_path / "one.svg").read_text() == (tmp_path / "other.svg").read_text()


def test_a_result_without_open_loops_gives_no_picture():
    """It says what to run."""
    with pytest.raises(SystemExit, match=re.escape("load/serving.py")):
        picture.curves({"rows": {"unary, 1 in flight": {}}})
