"""Calls that arrive together are scored in a row."""

from __future__ import annotations

import asyncio

import pytest
from wildgate_service.gathering import MOST, QUIET_TURNS, Gathering


def run(coroutine):
    return asyncio.run(coroutine)


def test_what_is_scored_is_answered():
    """As without gathering."""

    async def one():
        return await Gathering().run(lambda: 7)

    assert run(one()) == 7


def test_calls_that_arrive_within_a_few_turns_are_scored_in_a_row():
    """No other work of the loop comes between."""
    done = []

    async def call(gathering, number):
        for _ in range(number * (QUIET_TURNS - 2)):
            await asyncio.sleep(0)
        await gathering.run(lambda: done.append(number))

    async def other():
        for _ in range(200):
            await asyncio.sleep(0)
            if done:
                return list(done)
        return None

    async def all_of_them():
        gathering = Gathering()
        seen, *_ = await asyncio.gather(other(), *(call(gathering, number) for number in range(4)))
        return seen

    assert run(all_of_them()) == [0, 1, 2, 3]


def test_a_row_has_a_greatest_length():
    """So that who came first does not wait for all that come."""
    done = []

    async def call(gathering, number):
        for _ in range(number):
            await asyncio.sleep(0)
        await gathering.run(lambda: done.append(number))
        return len(done)

    async def many():
        gathering = Gathering()
        return await asyncio.gather(*(call(gathering, number) for number in range(MOST * 3)))

    assert run(many())[0] <= MOST + 1
    assert done == list(range(MOST * 3))


def test_an_error_is_its_own_callers():
    """The others of the row are answered."""

    def fail():
        raise ValueError("mine")

    async def several():
        gathering = Gathering()
        return await asyncio.gather(gathering.run(fail), gathering.run(lambda: 7), return_exceptions=True)

    failed, answered = run(several())
    assert (str(failed), answered) == ("mine", 7)


def test_who_went_away_is_not_scored():
    """Nobody would read the answer."""
    scored = []

    async def several():
        gathering = Gathering()
        gone = asyncio.create_task(gathering.run(lambda: scored.append("gone")))
        stays = asyncio.create_task(gathering.run(lambda: scored.append("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        await stays
        with pytest.raises(asyncio.CancelledError):
            await gone

    run(several())
    assert scored == ["stays"]


def test_a_long_row_lets_others_in(monkeypatch):
    """What is left is scored later, in order."""
    monkeypatch.setattr("wildgate_service.gathering.SLICE_SECONDS", -1.0)
    scored = []

    async def several():
        gathering = Gathering()
        await asyncio.gather(*(gathering.run(lambda number=number: scored.append(number)) for number in range(3)))

    run(several())
    assert scored == [0, 1, 2]


def test_the_first_in_line_says_how_long_it_has_waited(monkeypatch):
    """Nobody in line has waited for nothing."""
    now = [0.0]
    monkeypatch.setattr("wildgate_service.gathering.time.monotonic", lambda: now[0])

    async def seen():
        gathering = Gathering()
        before = gathering.waited
        call = asyncio.create_task(gathering.run(lambda: None))
        await asyncio.sleep(0)
        now[0] = 0.5
        waited = gathering.waited
        await call
        return before, waited, gathering.waited

    assert run(seen()) == (0.0, 0.5, 0.0)
