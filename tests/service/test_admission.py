"""Who may come in, by a clock of the test's own."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from wildgate_service.admission import BEAT_SECONDS, LONGEST_ANSWER, Admission
from wildgate_service.status import Reason, Refusal

LONGEST_WAIT = 0.02


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock():
    """The clock."""
    return Clock()


@pytest.fixture
def admission(clock):
    """A door for ten listings."""
    return Admission(LONGEST_WAIT, 10, clock)


def refused(admission, listings=1, deadline=None, recording=0.0):
    """Whether a call is refused as an overload."""
    try:
        with admission.hold(listings, deadline, recording):
            return False
    except Refusal as refusal:
        return (refusal.reason, refusal.pushback_ms) == (Reason.OVERLOADED, 100)


def answer_within(admission, clock, seconds, times=100):
    """Take calls on and answer them, each in so many seconds."""
    for _ in range(times):
        with admission.hold(1, None):
            clock.now += seconds


def beat_late(admission, clock, *seconds):
    """Wake up so many seconds after each beat was due."""
    for late in seconds:
        clock.now += BEAT_SECONDS + late
        admission.beat()


def test_listings_are_counted_not_calls(admission):
    """A batch of eight beside one of three is one too many for ten."""
    with admission.hold(8, None):
        assert (refused(admission, 3), refused(admission, 2)) == (True, False)


def test_a_batch_over_the_limit_comes_in_alone(admission):
    """Else it never would."""
    assert not refused(admission, 256)


def test_what_is_answered_makes_room(admission):
    """However it ended."""
    with pytest.raises(ValueError, match="broken"), admission.hold(10, None):
        raise ValueError("broken")
    assert (admission.held, admission.open) == (0, True)


def test_the_door_is_closed_while_all_is_taken(admission):
    """Before a message is read."""
    with admission.hold(10, None):
        assert not admission.open


def test_the_door_is_closed_while_the_first_in_line_waits_for_too_long(admission):
    """What comes now would wait for longer."""
    doors = []
    for seconds in (0.0, 3_600.0, 0.0):
        admission.waited = lambda seconds=seconds: seconds
        doors.append(admission.open)
    assert doors == [True, False, True]


def test_an_expired_call_is_refused(admission, clock):
    """Nobody waits for it, though nothing else is to be done."""
    assert refused(admission, deadline=clock.now)


def test_a_call_with_too_little_time_is_refused(admission, clock):
    """Answers take ten milliseconds; one that has five left would be late, one that has fifteen not."""
    answer_within(admission, clock, 0.01)
    with admission.hold(1, None):
        assert (refused(admission, deadline=clock.now + 0.005), refused(admission, deadline=clock.now + 0.015)) == (True, False)


def test_a_call_without_deadline_has_time(admission, clock):
    """However slow answers are."""
    answer_within(admission, clock, 10)
    with admission.hold(1, None):
        assert not refused(admission)


def test_time_that_recording_takes_is_not_left(admission, clock):
    """The writer is behind by forty of the fifty milliseconds, and by sixty."""
    with admission.hold(1, None):
        deadline = clock.now + 0.05
        assert (refused(admission, 1, deadline, 0.04), refused(admission, 1, deadline, 0.06)) == (False, True)


def test_a_batch_needs_time_for_all_its_listings(admission, clock):
    """Five listings at ten milliseconds each, beside one that is held."""
    for _ in range(100):
        admission.scored(5, 0.05)
    with admission.hold(1, None):
        assert (refused(admission, 5, clock.now + 0.05), refused(admission, 5, clock.now + 0.07)) == (True, False)


def test_one_bad_time_does_not_close_the_door(admission, clock):
    """After answers that took an hour, callers with the usual deadline come in: more than a part of it is not believed."""
    answer_within(admission, clock, 3600)
    with admission.hold(1, None):
        assert not refused(admission, deadline=clock.now + LONGEST_ANSWER + 0.001)


def test_who_refuses_all_tries_again(admission, clock):
    """Callers with less time than answers took are let in again by and by, so that it is found out when answers are quick."""
    answer_within(admission, clock, 3600)
    with admission.hold(1, None):
        outcomes = [refused(admission, deadline=clock.now + 0.01) for _ in range(30)]
    assert (outcomes[0], outcomes[-1]) == (True, False)


def test_a_loop_that_stays_late_closes_the_door(admission, clock):
    """Two beats in a row."""
    beat_late(admission, clock, 0.03, 0.03)
    assert not admission.open


def test_a_loop_that_is_late_leaves_less_time(admission, clock):
    """Fifteen milliseconds late, of the twenty that the second caller has."""
    answer_within(admission, clock, 0.01)
    beat_late(admission, clock, 0.015, 0.015)
    with admission.hold(1, None):
        assert (refused(admission, deadline=clock.now + 0.05), refused(admission, deadline=clock.now + 0.02)) == (False, True)


def test_a_hiccup_does_not_close_the_door(admission, clock):
    """A reload may hold the loop up once."""
    beat_late(admission, clock, 0.0, 0.5, 0.0)
    assert (admission.open, admission.hurried) == (True, False)


def test_a_loop_that_is_late_leaves_slow_tiers_out(admission, clock):
    """From a tenth of the longest wait, while the door is still open."""
    beat_late(admission, clock, 0.012, 0.015)
    assert (admission.open, admission.hurried) == (True, True)


def test_the_door_opens_again(admission, clock):
    """One beat in time suffices."""
    beat_late(admission, clock, 0.5, 0.5, 0.0)
    assert admission.open


def test_pending_room_is_counted_while_it_is_held(admission):
    """Several calls, one after the other released."""
    with ExitStack() as calls:
        for _ in range(10):
            calls.enter_context(admission.hold(1, None))
        assert (admission.held, refused(admission)) == (10, True)
    assert admission.held == 0
