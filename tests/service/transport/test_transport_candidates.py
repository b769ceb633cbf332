"""What the candidates stand on, without sockets: the list of them, and gRPC's framing for those that only bring HTTP/2."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
FOLDERS = [str(BENCHMARKS), *(str(BENCHMARKS / name) for name in ("load", "speed", "transports"))]
sys.path[:0] = FOLDERS

from grpc_wire import Messages, WireError, pack, seconds_of, trailers  # noqa: E402
from transports import ADOPTED, PACKAGES, REFERENCE, ratios_to_reference  # noqa: E402

del sys.path[: len(FOLDERS)]

LIMIT = 100


def test_every_candidate_is_measured():
    """A folder with a server, and the packages that it stands on."""
    folders = {path.parent.name for path in (BENCHMARKS / "transports" / "candidates").glob("*/server.py")}
    assert set(PACKAGES) == folders | {ADOPTED}


def test_ratios_are_of_the_same_round():
    """To the empty echo, which has none to itself."""
    one = {"listings_per_second": 10.0, "p50_ms": 2.0, "p99_ms": 4.0, "cpu_us_per_listing": 8.0}
    other = {name: 2 * value for name, value in one.items()}
    found = ratios_to_reference({REFERENCE: [one, other], "candidate": [other, other]})
    assert {name: (of["least"], of["greatest"]) for name, of in found["candidate"].items()} == dict.fromkeys(one, (1.0, 2.0))


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), (b"50m", 0.05), (b"1H", 3600.0), (b"00000002S", 2.0), (b"1n", 1e-9), (b"7u", 7e-6)]
)
def test_a_timeout_is_read_in_its_unit(header, seconds):
    """Hours to nanoseconds."""
    assert seconds_of(header) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("header", [b"", b"m", b"50", b"-5m", b"1.5S", b"123456789m", b"5x"])
def test_a_malformed_timeout_is_refused(header):
    """Never guessed."""
    with pytest.raises(WireError):
        seconds_of(header)


def fed(body, encoding=b"identity", step=3):
    messages = Messages(encoding, LIMIT)
    for start in range(0, len(body), step):
        messages.feed(body[start : start + step])
    return messages


@pytest.mark.parametrize("message", [b"", b"a", b"x" * LIMIT])
def test_a_message_is_put_together_from_pieces(message):
    """However the body was cut."""
    assert fed(pack(message)).only() == message


def test_messages_of_a_stream_come_one_by_one():
    """In order, and none when there is none."""
    messages = fed(pack(b"a") + pack(b"b"))
    assert [messages.next(), messages.next(), messages.next()] == [b"a", b"b", None]


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (b"", b"identity", 13),
        (pack(b"a") + b"b", b"identity", 13),
        (b"\0\0\0\0\x65", b"identity", 8),
        (b"\1\0\0\0\1a", b"identity", 13),
        (b"\1\0\0\0\1a", b"gzip", 13),
        (b"\1" + pack(gzip.compress(b"a" * (LIMIT + 1)))[1:], b"gzip", 8),
        (b"\1" + pack(gzip.compress(b"abcdefg")[:-9])[1:], b"gzip", 13),
        (pack(b"a"), b"snappy", 12),
    ],
    ids=["none", "more", "too large", "compressed by nothing", "broken", "bomb", "cut short", "unknown compression"],
)
def test_a_body_that_is_no_message_has_its_code(body, encoding, code):
    """As gRPC has them."""
    with pytest.raises(WireError) as caught:
        fed(body, encoding).only()
    assert caught.value.code == code


def test_a_compressed_message_is_unpacked():
    """Up to the limit."""
    assert fed(b"\1" + pack(gzip.compress(b"a" * LIMIT))[1:], b"gzip").only() == b"a" * LIMIT


def test_words_of_a_status_are_percent_encoded():
    """All but printable ASCII, and the percent sign itself."""
    assert trailers(3, "é 100%\n")[1] == (b"grpc-message", b"%C3%A9 100%25%0A")
