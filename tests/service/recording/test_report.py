"""From what was recorded to the numbers of the public report."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from wildgate_service.cli.report import command
from wildgate_service.outcomes import Means, OutcomeKind
from wildgate_service.report import make_report, make_share
from wildgate_service.store import open_store
from wildgate_service.types import Action, Taxon

DAY = date(2026, 3, 10)
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def report_of(store):
    """The report of what is in the store."""

    def make(start=DAY, end=DAY, *, tenant=None):
        facts = store.report_facts(start, end, tenant=tenant)
        return make_report(facts, tenant=tenant or "", start=start, end=end, generated_time=NOW)

    return make


def counts(report, dimension):
    """Of each value: decisions, held, refused, stopped."""
    return {
        count.value: (count.decisions, count.reviewed, count.blocked, count.stopped)
        for count in report.counts
        if count.dimension == dimension
    }


def share(report, name):
    (found,) = [share for share in report.shares if share.name == name]
    return found.count, found.total


def test_decisions_are_counted_by_action(store, samples, report_of):
    """In all."""
    actions = [Action.ALLOW] * 3 + [Action.REVIEW] * 2 + [Action.BLOCK]
    store.append([samples.record(action) for action in actions])
    total = report_of().total
    assert (total.decisions, total.allowed, total.reviewed, total.blocked) == (6, 3, 2, 1)


def test_decisions_are_counted_under_every_dimension(store, samples, report_of):
    """Language, market, kind, versions, group and list."""
    store.append([samples.record(Action.BLOCK), samples.record()])
    report = report_of()
    dimensions = [
        "language", "market", "content_kind", "lexicon_version", "model_version",
        "policy_version", "taxon_group", "appendix",
    ]  # fmt: skip
    assert {name: counts(report, name) for name in dimensions} == {
        "language": {"en": (2, 0, 1, 0)},
        "market": {"SG": (2, 0, 1, 0)},
        "content_kind": {"listing": (2, 0, 1, 0)},
        "lexicon_version": {"1.2.3": (2, 0, 1, 0)},
        "model_version": {"2026.1": (2, 0, 1, 0)},
        "policy_version": {"1.0.0": (2, 0, 1, 0)},
        "taxon_group": {"elephant": (1, 0, 1, 0)},
        "appendix": {"I": (1, 0, 1, 0)},
    }


def test_a_decision_about_two_groups_counts_under_both(store, samples, report_of):
    """But once in the total."""
    taxa = (Taxon("elephant", "A", "I"), Taxon("rhino", "B", "I"))
    store.append([samples.record(decision=samples.decision(Action.BLOCK, taxa=taxa))])
    report = report_of()
    assert (set(counts(report, "taxon_group")), report.total.decisions) == (
        {"elephant", "rhino"},
        1,
    )


def test_days_are_utc_and_half_open(store, samples, report_of):
    """Midnight belongs to the day that begins; the last microsecond to the one that ends."""
    midnight = datetime(2026, 3, 10, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    times = [
        midnight - tick,
        midnight,
        midnight + timedelta(days=1) - tick,
        midnight + timedelta(days=1),
    ]
    store.append([samples.record(decided_time=time) for time in times])
    assert report_of().total.decisions == 2


def test_a_day_without_decisions_counts_zero(report_of):
    """So that a gap is seen."""
    days = counts(report_of(DAY, DAY + timedelta(days=2)), "day")
    assert days == {f"2026-03-{day}": (0, 0, 0, 0) for day in (10, 11, 12)}


def test_records_that_arrive_out_of_order_are_counted_on_their_day(store, samples, report_of):
    """An import brings an old day after a new one, with ids in no order."""
    yesterday = samples.noon - timedelta(days=1)
    store.append([samples.record(decision_id="m")])
    store.append([samples.record(decision_id="z", decided_time=yesterday)])
    store.append([samples.record(decision_id="a", decided_time=yesterday)])
    days = counts(report_of(DAY - timedelta(days=1), DAY), "day")
    assert [days[day][0] for day in ("2026-03-09", "2026-03-10")] == [2, 1]


def test_a_tenant_sees_its_own_alone(store, samples, report_of):
    """Without one, all are counted."""
    store.append([samples.record(), samples.record(tenant="other"), samples.record(tenant="other")])
    assert [report_of(tenant=name).total.decisions for name in ("acme", "other", None)] == [1, 2, 3]


# --- outcomes ------------------------------------------------------------------------------------


@pytest.fixture
def follow(store, samples):
    """Records a decision and what followed: pairs of kind and means, an hour apart."""

    def make(action, *steps, **fields):
        record = samples.record(action, **fields)
        store.append([record])
        store.append_outcomes(
            [samples.outcome(kind, means=means, hours=hour, decision_id=record.decision_id) for hour, (kind, means) in enumerate(steps, 1)]
        )

    return make


REMOVED = (OutcomeKind.REMOVED, Means.MODERATOR)
REMOVED_BY_SOFTWARE = (OutcomeKind.REMOVED, Means.AUTOMATED)
PUBLISHED = (OutcomeKind.PUBLISHED, Means.MODERATOR)
REINSTATED = (OutcomeKind.REINSTATED, Means.MODERATOR)
NOTICE = (OutcomeKind.NOTICE_RECEIVED, Means.UNKNOWN)


def test_stopped_listings_are_counted_once_by_the_means_of_the_first_removal(follow, report_of):
    """Whatever the answer to the check had been."""
    follow(Action.BLOCK, REMOVED_BY_SOFTWARE, REMOVED)
    follow(Action.ALLOW, REMOVED)
    report = report_of()
    assert (report.total.stopped, counts(report, "means")) == (
        2,
        {"automated": (1, 0, 1, 1), "moderator": (1, 0, 0, 1)},
    )


def test_precision_is_of_what_a_moderator_judged(follow, report_of):
    """What no person looked at is no sample; what was published after review was wrong."""
    follow(Action.REVIEW, REMOVED)
    follow(Action.REVIEW, PUBLISHED)
    follow(Action.BLOCK, REMOVED_BY_SOFTWARE)
    follow(Action.ALLOW, REMOVED)
    assert share(report_of(), "precision") == (1, 2)


def test_a_moderators_last_word_counts(follow, report_of):
    """Removed and put back is wrong; a complaint rejected is right."""
    follow(Action.BLOCK, REMOVED, REINSTATED)
    follow(Action.BLOCK, REMOVED_BY_SOFTWARE, (OutcomeKind.COMPLAINT_REJECTED, Means.MODERATOR))
    assert share(report_of(), "precision") == (1, 2)


def test_recall_is_of_what_others_gave_notice_of_and_was_taken_down(follow, report_of):
    """A notice without consequence proves nothing."""
    follow(Action.BLOCK, NOTICE, REMOVED)
    follow(Action.ALLOW, NOTICE, REMOVED)
    follow(Action.ALLOW, NOTICE)
    assert share(report_of(), "recall_of_notices") == (1, 2)


def test_reversals_are_of_what_was_stopped(follow, report_of):
    """Once, whether reinstated, complained of with success, or both."""
    follow(Action.BLOCK, REMOVED, (OutcomeKind.COMPLAINT_UPHELD, Means.MODERATOR), REINSTATED)
    follow(Action.BLOCK, REMOVED)
    follow(Action.REVIEW, REINSTATED)
    assert share(report_of(), "reversal_rate") == (1, 2)


def test_the_median_time_runs_to_the_first_removal(follow, report_of):
    """1, 2 and 3 hours."""
    follow(Action.BLOCK, REMOVED, REMOVED)
    follow(Action.REVIEW, PUBLISHED, REMOVED)
    follow(Action.REVIEW, PUBLISHED, PUBLISHED, REMOVED)
    assert report_of().median_hours_to_act == 2


def test_nothing_to_measure_is_said(report_of):
    """An empty store has no median, no checkpoint, and shares of nothing."""
    report = report_of()
    assert (report.median_hours_to_act, report.checkpoints) == (None, ())
    assert {(share.count, share.total) for share in report.shares} == {(0, 0)}


def test_outcomes_are_counted_by_kind_on_the_day_they_occurred(follow, report_of):
    """Also of decisions of other days."""
    follow(Action.BLOCK, REMOVED, REINSTATED)
    follow(Action.BLOCK, REMOVED, decided_time=NOW - timedelta(days=300))
    assert report_of().outcomes == {"removed": 2, "reinstated": 1}


def test_answers_that_clients_gave_themselves_are_counted_by_reason(store, samples, report_of):
    """Once a request, however many outcomes tell of it."""
    store.append_outcomes(
        [
            samples.outcome(request_id=request, degraded_reason=reason)
            for request, reason in [
                ("1", "unavailable"),
                ("1", "unavailable"),
                ("2", "deadline_exceeded"),
            ]
        ]
    )
    assert report_of().degraded_answers == {"unavailable": 1, "deadline_exceeded": 1}


def test_what_a_trial_would_have_done_is_counted_apart(store, samples, report_of):
    """In shadow everything is published, and counts so."""
    trial = samples.decision(shadow_action=Action.BLOCK, shadow=True)
    store.append([samples.record(decision=trial), samples.record(Action.BLOCK)])
    report = report_of()
    assert (counts(report, "shadow_action"), report.total.blocked) == ({"block": (1, 0, 0, 0)}, 1)


def test_the_report_carries_the_checkpoint_of_the_log(store, samples, report_of):
    """Which a reader can keep."""
    (recorded,) = store.append([samples.record()])
    assert report_of().checkpoints == (recorded.receipt,)


@pytest.mark.parametrize(
    ("count", "total", "lower", "upper"),
    [(9, 10, 0.596, 0.982), (0, 100, 0.0, 0.037), (100, 100, 0.963, 1.0), (0, 0, 0.0, 1.0)],
)
def test_shares_have_wilson_intervals(count, total, lower, upper):
    """Published values."""
    made = make_share("x", count, total)
    assert (round(made.lower, 3), round(made.upper, 3)) == (lower, upper)


# --- the command ---------------------------------------------------------------------------------


def run(url, output, *arguments):
    days = ["--from", "2026-03-01", "--to", "2026-03-31"]
    return CliRunner().invoke(command, [*days, "--store", url, "--output", str(output), *arguments])


@pytest.mark.parametrize(("form", "beside"), [("html", ["html", "json", "csv"]), ("json", ["json"]), ("csv", ["csv"])])
def test_the_command_writes_files_and_prints_their_names(store, samples, url, tmp_path, form, beside):
    """Into a folder made for them; a page with its data beside it."""
    store.append([samples.record()])
    result = run(url, tmp_path / "new" / "folder", "--format", form)
    files = [tmp_path / "new" / "folder" / f"wildgate-report-2026-03-01-2026-03-31.{each}" for each in beside]
    assert (result.stdout.split(), all(file.stat().st_size > 0 for file in files)) == ([str(file) for file in files], True)


@pytest.mark.parametrize("days", [("2026-13-01", "2026-03-31"), ("2026-04-01", "2026-03-31")])
def test_days_that_cannot_be_are_refused(url, tmp_path, days):
    """As a usage error."""
    arguments = ["--from", days[0], "--to", days[1], "--store", url, "--output", str(tmp_path)]
    assert CliRunner().invoke(command, arguments).exit_code == 2


def test_what_is_missing_is_named(url):
    """All at once."""
    result = CliRunner().invoke(command, ["--from", "2026-03-01", "--store", url])
    assert (result.exit_code, "--to, --output is missing" in result.stderr) == (2, True)


def test_reporting_does_not_change_the_store(url, samples, tmp_path):
    """It is opened for reading, while others may write."""
    with open_store(url) as store:
        store.append([samples.record()])
        assert run(url, tmp_path).exit_code == 0
        assert store.append([samples.record()])[0].receipt.position == 2


def test_an_outcome_that_came_before_its_decision_counts(store, samples, report_of):
    """It names the request, which was recorded late."""
    record = samples.record(Action.BLOCK)
    store.append_outcomes([samples.outcome(request_id=record.request_id, means=Means.MODERATOR)])
    store.append([record])
    report = report_of(tenant="acme")
    assert (report.total.stopped, share(report, "precision")) == (1, (1, 1))


def test_an_outcome_of_another_tenants_request_does_not_count(store, samples, report_of):
    """Two tenants may use the same request_id."""
    record = samples.record(Action.BLOCK)
    store.append_outcomes([samples.outcome(tenant="other", request_id=record.request_id)])
    store.append([record])
    assert report_of().total.stopped == 0


@pytest.mark.parametrize(("first", "last", "confirmed"), [("removed", "reinstated", 0), ("reinstated", "removed", 1)])
def test_of_words_of_one_time_the_one_recorded_last_counts(store, samples, report_of, first, last, confirmed):
    """Platforms that know days only give all outcomes of a day one time."""
    record = samples.record(Action.BLOCK)
    store.append([record])
    words = [
        samples.outcome(
            OutcomeKind(kind),
            decision_id=record.decision_id,
            means=Means.MODERATOR,
            recorded_time=samples.noon + timedelta(hours=2, microseconds=tick),
        )
        for tick, kind in enumerate((first, last))
    ]
    store.append_outcomes(words[::-1])
    assert share(report_of(), "precision") == (confirmed, 1)


def test_a_report_may_end_on_the_last_day_there_is(store, samples, report_of):
    """Who wants all up to now and later says 9999-12-31."""
    store.append([samples.record(decided_time=datetime(9999, 12, 31, tzinfo=UTC))])
    assert report_of(date(9999, 12, 1), date(9999, 12, 31)).total.decisions == 1
