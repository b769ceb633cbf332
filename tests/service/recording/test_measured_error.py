"""Precision, recall and accuracy from what moderators found."""

from __future__ import annotations

import pytest
from wildgate_service.measured_error import Counted, ErrorFacts, Judged, measure_error
from wildgate_service.outcomes import Means, OutcomeKind
from wildgate_service.record import Facets
from wildgate_service.types import Action

from .conftest import NOON

DAY = NOON.date()


def facets(asked=Action.ALLOW, language="en", groups=(), rate=0.01, *, sampled=False):
    return Facets("listing", "SG", language, asked, asked, False, groups, (), "1", "1", "1", (), sampled, rate)


STOPPED = facets(Action.REVIEW, groups=("elephant",))
LOOKED = facets(sampled=True)


def facts(*, stopped=(80, 20), looks=(2, 98), decisions=(200, 10_000), group="elephant", **more):
    """Of 200 stopped 80 + 20 were judged, of 10,000 allowed 2 + 98 were looked at."""
    return ErrorFacts(
        decisions=(Counted(STOPPED, decisions[0]), Counted(LOOKED, sum(looks)), Counted(facets(), decisions[1] - sum(looks))),
        stopped=(Judged(STOPPED, True, "", stopped[0]), Judged(STOPPED, False, "", stopped[1])),
        looks=(Judged(LOOKED, True, group, looks[0]), Judged(LOOKED, False, "", looks[1])),
        **more,
    )


def of(estimates, measure, dimension="total", value=""):
    (found,) = [each for each in estimates.estimates if (each.measure, each.dimension, each.value) == (measure, dimension, value)]
    return found


def test_precision_is_the_share_of_offers_among_what_was_judged():
    """80 of 100, which stand for 200; a finite population narrows the interval."""
    made = of(measure_error(facts()), "precision")
    assert (made.estimate, made.judged, made.offers, made.listings) == (0.8, 100, 80, 200)
    assert 0.71 < made.lower < 0.8 < made.upper < 0.87


def test_each_look_stands_for_all_of_its_stratum():
    """2 missed of 100 looked at are 200 of 10,000, beside 160 that were stopped."""
    made = of(measure_error(facts()), "recall")
    assert made.estimate == pytest.approx(160 / 360)
    assert made.lower < 160 / 360 < made.upper


def test_accuracy_counts_both_errors():
    """40 wrong stops and 200 misses of 10,200."""
    assert of(measure_error(facts()), "accuracy").estimate == pytest.approx(1 - 240 / 10_200)


def test_where_all_were_judged_nothing_is_left_to_chance():
    """Neither interval has any width."""
    made = measure_error(facts(stopped=(160, 40), looks=(40, 9_960)))
    recall, precision = of(made, "recall"), of(made, "precision")
    assert (recall.lower, recall.upper) == pytest.approx((0.8, 0.8))
    assert (precision.lower, precision.upper) == pytest.approx((0.8, 0.8))


def test_looks_that_find_nothing_leave_a_lower_end():
    """All may have been found, but nobody can say so."""
    made = of(measure_error(facts(looks=(0, 100))), "recall")
    assert (made.estimate, made.offers, made.upper) == (1.0, 0, 1.0)
    assert made.lower < 0.35


@pytest.mark.parametrize("thin", [{"stopped": (8, 2)}, {"looks": (1, 9)}])
def test_too_few_judgments_say_nothing(thin):
    """Blank is not zero."""
    made = of(measure_error(facts(**thin)), "recall")
    assert (made.estimate, made.lower, made.upper) == (None, None, None)


def test_a_miss_whose_group_nobody_says_may_be_of_any():
    """So it lowers what is sure of each, and no group's estimate."""
    said, silent = (of(measure_error(facts(group=group)), "recall", "taxon_group", "elephant") for group in ("parrot", ""))
    assert (said.estimate, silent.estimate, silent.offers) == (1.0, 1.0, 0)
    assert silent.lower < said.lower


def test_a_group_is_found_by_moderators_alone_too():
    """A miss of a group that no decision named has an estimate of its own, though nothing was stopped."""
    made = of(measure_error(facts(group="parrot")), "recall", "taxon_group", "parrot")
    assert (made.estimate, made.offers) == (None, 2)


def test_different_rates_weigh_differently():
    """A miss drawn at 1 in 10 stands for ten, one drawn at 1 in 100 for a hundred."""
    named = facets(rate=0.1, groups=("elephant",), sampled=True)
    more = facts(looks=(1, 99))
    made = measure_error(
        ErrorFacts(
            decisions=(*more.decisions, Counted(named, 1_000)),
            stopped=more.stopped,
            looks=(*more.looks, Judged(named, True, "elephant", 1), Judged(named, False, "", 99)),
        )
    )
    assert of(made, "recall").estimate == pytest.approx(160 / (160 + 100 + 10))


def test_what_could_not_be_drawn_is_no_part_of_recall():
    """A month before sampling began says nothing of it, neither of misses nor of what was found."""
    before = (Counted(facets(rate=0.0), 50_000), Counted(facets(Action.BLOCK, rate=0.0), 900))
    asked = facts()
    made = measure_error(ErrorFacts(decisions=(*asked.decisions, *before), stopped=asked.stopped, looks=asked.looks))
    assert (made.allowed, made.covered) == (60_000, 10_000)
    assert of(made, "recall").estimate == pytest.approx(160 / 360)


def test_languages_of_few_looks_are_weighed_with_others():
    """Three looks in Swahili do not make a miss stand for a thousand."""
    swahili = facets(language="sw", sampled=True)
    more = facts()
    made = measure_error(
        ErrorFacts(
            decisions=(*more.decisions, Counted(swahili, 300)),
            stopped=more.stopped,
            looks=(*more.looks, Judged(swahili, False, "", 3)),
        )
    )
    assert of(made, "recall").estimate == pytest.approx(160 / (160 + 2 * 10_300 / 103))


# --- from the store ------------------------------------------------------------------------------

K = OutcomeKind
BY_MODERATOR = {"means": Means.MODERATOR}


@pytest.fixture
def measured(store, samples):
    """Records decisions and what followed each, hour by hour; returns the facts of error."""

    def make(*stories, asked=Action.ALLOW, sampled=True):
        for steps in stories:
            record = samples.record(decision=samples.decision(asked, sampled=sampled, sampling_rate=0.5))
            store.append([record])
            store.append_outcomes(
                [
                    samples.outcome(kind, decision_id=record.decision_id, hours=hour, **fields)
                    for hour, (kind, fields) in enumerate(steps, 1)
                ]
            )
        return store.report_facts(DAY, DAY).error

    return make


def told(judged):
    return sorted((each.offer, each.group, each.decisions) for each in judged)


def test_looks_are_what_moderators_said_of_drawn_listings(measured):
    """Published was right, removed a miss of the group they name; software says nothing."""
    facts = measured(
        [(K.PUBLISHED, BY_MODERATOR)],
        [(K.REMOVED, {**BY_MODERATOR, "taxon_group": "parrot"})],
        [(K.PUBLISHED, {"means": Means.AUTOMATED})],
    )
    assert told(facts.looks) == [(False, "", 1), (True, "parrot", 1)]


def test_what_was_not_drawn_is_no_look(measured):
    """However often moderators remove it."""
    assert measured([(K.REMOVED, BY_MODERATOR)], sampled=False).looks == ()


def test_a_notice_is_counted_apart(measured):
    """What was removed after it is no look, and what was looked at before it stays what the look said."""
    notice = (K.NOTICE_RECEIVED, {})
    after = [notice, (K.NOTICE_UPHELD, BY_MODERATOR), (K.REMOVED, BY_MODERATOR)]
    facts = measured(after, [(K.PUBLISHED, BY_MODERATOR), *after])
    assert (told(facts.looks), facts.noticed_first, facts.notices_upheld) == ([(False, "", 1)], 1, 2)


def test_a_complaint_with_success_puts_a_look_right(measured):
    """Removed by a look, reinstated: it was no offer."""
    story = [(K.REMOVED, BY_MODERATOR), (K.COMPLAINT_RECEIVED, {}), (K.COMPLAINT_UPHELD, BY_MODERATOR), (K.REINSTATED, BY_MODERATOR)]
    assert told(measured(story).looks) == [(False, "", 1)]


def test_who_complains_is_no_sample(measured):
    """A refusal that was only judged because of a complaint is left out; one that was looked at is in."""
    complaint = [(K.REMOVED, {"means": Means.AUTOMATED}), (K.COMPLAINT_RECEIVED, {}), (K.COMPLAINT_UPHELD, BY_MODERATOR)]
    looked = [(K.REMOVED, {"means": Means.AUTOMATED}), (K.CONFIRMED, BY_MODERATOR)]
    assert told(measured(complaint, looked, asked=Action.BLOCK, sampled=False).stopped) == [(True, "", 1)]
