"""Nothing that strangers write raises: sound inputs, damaged ones, and those that once did."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seeds import seeds
from targets import TARGETS

KEPT = Path(__file__).with_name("corpus")


@pytest.mark.parametrize("name", TARGETS)
def test_sound_input_is_taken(name):
    """The seeds of a fuzzer, too, keep what each target says of its inputs."""
    found = seeds(TARGETS[name])
    assert found
    for data in found:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_raised_does_not(name):
    """Inputs that a fuzzer found, each a defect that was mended."""
    for file in sorted((KEPT / name).glob("*")):
        TARGETS[name](file.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=400))
def test_any_bytes_are_taken_or_refused(name, data):
    """Bytes that nobody meant."""
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_damaged_input_is_taken_or_refused(name, seed):
    """Sound inputs with some bytes changed, cut out or said twice."""
    chance = random.Random(seed)  # noqa: S311  (to be the same again)
    data = bytearray(chance.choice(seeds_of(name)))
    for _ in range(chance.randint(1, 8)):
        damage(data, chance)
    TARGETS[name](bytes(data))


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b"\x91", b"\x81\xa1a", b"- ", b"a.", b"<a>"], ids=repr)
@pytest.mark.parametrize("name", TARGETS)
def test_deep_nesting_is_refused(name, unit):
    """Nothing recurses as deep as a stranger wants."""
    TARGETS[name](unit * 20_000)


def seeds_of(name, made={}):  # noqa: B006  (made once)
    if name not in made:
        made[name] = seeds(TARGETS[name])
    return made[name]


def damage(data, chance):
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 1, 2, 8, 64)))
    how = chance.choice(("flip", "cut", "twice", "zeros", "random"))
    if how == "flip" and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif how == "cut":
        del data[at:end]
    elif how == "twice":
        data[at:at] = data[at:end]
    elif how == "zeros":
        data[at:end] = bytes(end - at)
    else:
        data[at:end] = chance.randbytes(end - at)
