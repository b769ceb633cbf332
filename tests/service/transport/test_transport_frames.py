"""The contract of a transport, frame by frame: what no good client sends ends its own connection, and nobody else's."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hyperframe.frame import Frame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

GROWTH_KIB = 64 * 1024
ENHANCE_YOUR_CALM = 11
LONGEST = 16_384


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """A frame by its numbers, whether it may be or not."""
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def one(made: Frame) -> bytes:
    return made.serialize()


def pss_kib(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


@pytest.fixture
def grown(shared_service):
    """By how much the worker's memory has grown since the test began, in KiB."""
    pid = shared_service.pid("worker-0")
    before = pss_kib(pid)
    return lambda: pss_kib(pid) - before


# --- bytes that are no HTTP/2 --------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nhost: wildgate\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
        b"\0" * 1000,
        bytes(range(256)) * 40,
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ],
    ids=["HTTP/1.1", "TLS", "zeros", "noise", "almost a preface"],
)
def test_bytes_that_are_no_http2_end_their_connection(shared_service, serves, data):
    """And only theirs."""
    host, _, port = shared_service.target.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as client, suppress(OSError):  # it is closed already
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass
    assert serves()


def test_connections_that_say_nothing_do_no_harm(shared_service, serves, grown):
    """Two hundred that are half open: nothing, half a preface, or a preface and half a frame."""
    host, _, port = shared_service.target.rpartition(":")
    clients = [socket.create_connection((host, int(port)), 20) for _ in range(200)]
    for number, client in enumerate(clients):
        client.sendall((b"", b"PRI * HTT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0")[number % 3])
    served = serves()
    for client in clients:
        client.close()
    assert (served, grown() < GROWTH_KIB) == (True, True)


# --- frames that may not be ----------------------------------------------------------------------

BROKEN = {
    "SETTINGS of 5 bytes": frame(4, 0, 0, b"12345"),
    "SETTINGS on a stream": frame(4, 0, 1, b""),
    "SETTINGS with a window over 2^31": frame(4, 0, 0, struct.pack(">HI", 4, 2**31)),
    "SETTINGS with a frame size of 1": frame(4, 0, 0, struct.pack(">HI", 5, 1)),
    "SETTINGS ack with a body": frame(4, 1, 0, struct.pack(">HI", 4, 1)),
    "DATA on stream 0": frame(0, 0, 0, b"data"),
    "DATA on an idle stream": frame(0, 0, 99, b"data"),
    "HEADERS on stream 0": frame(1, 5, 0, b"\x82"),
    "HEADERS on an even stream": frame(1, 5, 2, b"\x82"),
    "HEADERS that HPACK cannot read": frame(1, 5, 101, b"\xff\xff\xff\xff\xff\xff"),
    "HEADERS padded beyond their end": frame(1, 5 | 8, 101, b"\xff\x82"),
    "CONTINUATION of nothing": frame(9, 4, 101, b"\x82"),
    "HEADERS interrupted": frame(1, 0, 101, b"\x82") + frame(6, 0, 0, b"12345678"),
    "PING of 7 bytes": frame(6, 0, 0, b"1234567"),
    "PING on a stream": frame(6, 0, 1, b"12345678"),
    "GOAWAY on a stream": frame(7, 0, 1, b"\0" * 8),
    "WINDOW_UPDATE by 0 on the connection": frame(8, 0, 0, b"\0\0\0\0"),
    "WINDOW_UPDATE over 2^31": frame(8, 0, 0, b"\x7f\xff\xff\xff") * 2,
    "WINDOW_UPDATE of 3 bytes": frame(8, 0, 0, b"\0\0\1"),
    "RST_STREAM on stream 0": frame(3, 0, 0, b"\0\0\0\x08"),
    "RST_STREAM on an idle stream": frame(3, 0, 99, b"\0\0\0\x08"),
    "PUSH_PROMISE from a client": frame(5, 4, 1, b"\0\0\0\x02\x82"),
    "a frame over the largest": b"\xff\xff\xff" + b"\0\0\0\0\0\x01" + b"x" * 100,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_frame_that_may_not_be_harms_nobody_else(shared_service, raw, serves, name):
    """It ends its connection, with GOAWAY or without, or is looked past, as grpcio does with some: then the next call is answered."""
    client = raw.to(shared_service).settle()
    client.write(BROKEN[name])
    ended = client.until_closed_or_goaway(1)
    assert (ended or client.ask().status != "", serves()) == (True, True)


def test_a_frame_of_an_unknown_kind_is_looked_past(shared_service, raw):
    """As RFC 9113 has it, so that the protocol can grow."""
    client = raw.to(shared_service).settle()
    client.write(frame(0xEE, 0, 0, b"what is this?"))
    assert client.ask().status == "0"


def test_unknown_settings_are_looked_past(shared_service, raw):
    """Likewise."""
    client = raw.to(shared_service).settle()
    client.write(frame(4, 0, 0, struct.pack(">HI", 0xEEEE, 7)))
    assert client.ask().status == "0"


def test_more_than_the_window_is_refused(shared_service, raw, serves):
    """A client that sends beyond it loses its connection, or its stream, or is not listened to; others are served."""
    client = raw.to(shared_service).settle()
    stream = client.begin({})
    for _ in range(4096):
        client.write(frame(0, 0, stream, b"x" * LONGEST))
        if client.closed:
            break
    with suppress(TimeoutError):  # a server that no longer reads from it does no harm either
        assert client.answer(stream).status in {"8", "reset", ""}
    assert serves()


# --- more than there should be -------------------------------------------------------------------


def test_headers_that_are_too_large_are_refused(shared_service, raw, serves):
    """A mebibyte: the call fails, whatever becomes of the connection."""
    client = raw.to(shared_service).settle()
    answer = client.ask(headers={f"x-{number}": "v" * 1000 for number in range(1000)})
    assert (answer.status == "0", serves()) == (False, True)


def test_headers_without_end_are_cut(shared_service, raw, serves, grown):
    """CONTINUATION after CONTINUATION (CVE-2024-27316): not kept, not waited for."""
    client = raw.to(shared_service).settle()
    client.write(frame(1, 0, 101, b"\x82"))
    literal = b"\x00\x04long\x7f\xe1\x1e" + b"v" * 4000
    for _ in range(20_000):
        client.write(frame(9, 0, 101, literal))
        if client.closed:
            break
    assert (client.closed or client.until_closed_or_goaway(), serves(), grown() < GROWTH_KIB) == (True, True, True)


def test_headers_that_unpack_to_much_are_refused(shared_service, raw, serves, grown):
    """One long field, then thousands of references to it of one byte each."""
    client = raw.to(shared_service).settle()
    block = b"\x82\x86\x40\x01x\x7f\xa1\x1e" + b"v" * 4000 + b"\xbe" * 12_000
    client.write(frame(1, 5, 101, block))
    client.until_closed_or_goaway(1)
    assert (serves(), grown() < GROWTH_KIB) == (True, True)


def test_a_ping_is_answered(shared_service, raw):
    """Between calls and during one."""
    client = raw.to(shared_service)
    stream = client.call()
    client.h2.ping(b"12345678")
    client.flush()
    client.until(lambda: client.pongs)
    assert (client.pongs, client.answer(stream).status) == (1, "0")


def test_too_many_pings_end_the_connection(shared_service, raw, serves):
    """GOAWAY with ENHANCE_YOUR_CALM, as gRPC's keepalive has it: who pings all the time keeps a worker busy for nothing."""
    client = raw.to(shared_service).settle()
    for _ in range(100):
        client.write(one(PingFrame(0, b"12345678")) * 100)
        if client.closed:
            break
    client.until_closed_or_goaway()
    assert (client.goaway and client.goaway.error_code, serves()) == (ENHANCE_YOUR_CALM, True)


@pytest.mark.parametrize(
    "kind",
    [one(PingFrame(0, b"12345678")), one(SettingsFrame(0)), one(WindowUpdateFrame(0, window_increment=1))],
    ids=["PING", "SETTINGS", "WINDOW_UPDATE"],
)
def test_a_flood_of_control_frames_that_nobody_reads_is_bounded(shared_service, raw, serves, grown, kind):
    """The answers pile up nowhere (CVE-2019-9512, 9515), and others are served."""
    client = raw.to(shared_service).settle()
    client.socket.settimeout(2)
    try:
        for _ in range(2_000):
            client.write(kind * 100)
            if client.closed:
                break
    except TimeoutError:
        pass  # it reads no further, which is as good
    assert (serves(), grown() < GROWTH_KIB) == (True, True)


def test_streams_opened_and_reset_do_no_harm(shared_service, raw, serves, grown):
    """Rapid reset (CVE-2023-44487): three thousand of them."""
    client = raw.to(shared_service).settle()
    for _ in range(3_000):
        try:
            stream = client.begin({}, end=False)
        except ConnectionError:
            break
        client.write(one(RstStreamFrame(stream, 8)))
        if client.closed:
            break
    assert (serves(), grown() < GROWTH_KIB) == (True, True)


def test_empty_frames_without_end_do_no_harm(shared_service, raw, serves, grown):
    """CVE-2019-9518: a hundred thousand of them on one stream."""
    client = raw.to(shared_service).settle()
    stream = client.begin({})
    for _ in range(1_000):
        client.write(frame(0, 0, stream, b"") * 100)
        if client.closed:
            break
    assert (serves(), grown() < GROWTH_KIB) == (True, True)


BAD_HEADERS = {
    "no :path": {":path": None},
    "no :method": {":method": None},
    "upper case": {"X-Upper": "v"},
    "connection": {"connection": "close"},
    "a line break": {"x-broken": "a\r\nb"},
    "NUL": {"x-broken": "a\0b"},
    "an unknown pseudo-header": {":wild": "gate"},
}
LOOKED_PAST = {"connection", "a line break", "NUL"}  # by grpcio


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_headers_that_may_not_be_do_no_harm(shared_service, raw, serves, name):
    """The call is refused, or such a header is looked past; what it said is not acted upon."""
    client = raw.to(shared_service).settle()
    answer = client.ask(headers=BAD_HEADERS[name])
    refused = answer.status != "0"
    assert (refused or name in LOOKED_PAST, serves()) == (True, True)
