"""Requests that nobody sends by mistake: each gets a clear error or an end, none a traceback, and the next is served."""

from __future__ import annotations

import gzip
import json

import pytest

SCORE = "/wildgate.v1.ScoringService/ScoreListing"
BATCH = "/wildgate.v1.ScoringService/BatchScoreListings"
JSON = {"content-type": "application/json"}
OFFER = b'{"listing":{"title":"elephant tusk"}}'
HEAD = b"POST " + SCORE.encode() + b" HTTP/1.1\r\nhost: w\r\ncontent-type: application/json\r\n"
WORD = "marzipan"

MALFORMED = {
    "no JSON": (WORD, "request"),
    "cut short": ('{"listing":{"title":"' + WORD, "request"),
    "a list": (f'["{WORD}"]', "request"),
    "a number": ("1", "request"),
    "deep lists": ("[" * 100_000, "request"),
    "deep objects": ('{"listing":' * 100_000, "request"),
    "deep and whole": ('{"a":' * 5_000 + "1" + "}" * 5_000, "request"),
    "a number without end": ('{"explain":' + "9" * 100_000 + "}", "request"),
    "no number": ('{"explain":NaN}', "explain"),
    "unknown field": ('{"listing":{"titel":"' + WORD + '"}}', "listing.titel"),
    "unknown field with a long name": ('{"' + WORD * 100 + '":1}', "request"),
    "number for text": ('{"listing":{"title":5}}', "listing.title"),
    "text for a message": ('{"listing":"' + WORD + '"}', "listing"),
    "unknown name of an enumeration": ('{"listing":{"title":"x","contentKind":"' + WORD + '"}}', "listing.contentKind"),
    "no time": ('{"listing":{"title":"x","postedTime":"' + WORD + '"}}', "listing.postedTime"),
    "half of a pair": ('{"listing":{"title":"\\ud800"}}', "listing.title"),
    "twice": ('{"listing":{"title":"x"},"listing":{"title":"y"}}', "request"),
    "both ends of a choice": ('{"listing":{"title":"x","title":"y"}}', "request"),
    "not UTF-8": (b'{"listing":{"title":"\xff\xfe"}}', "request"),
    "UTF-16": ('{"listing":{"title":"x"}}'.encode("utf-16"), "request"),
    "NUL": (b"\0" * 1_000, "request"),
}


@pytest.mark.parametrize(("body", "field"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_is_refused_with_the_field_and_without_its_text(browser, reason_of, body, field):
    """400; what was wrong is named, and what was sent is not sent back."""
    answer = browser.ask(body=body)
    assert (answer.status, reason_of(answer)) == (400, ("FIELD_INVALID", {"field": field}))
    assert (WORD in str(answer.body), browser.ask(body=OFFER).status) == (False, 200)


def test_empty_body_is_an_empty_request(browser, reason_of):
    """As the protocol has it."""
    assert reason_of(browser.ask(body=b"")) == ("FIELD_MISSING", {"field": "listing"})


@pytest.mark.parametrize("listings", [120_000, 1_000_000])
def test_millions_of_empty_items_are_refused_before_they_are_read(browser, reason_of, listings):
    """A message within its size that would take seconds to read."""
    answer = browser.ask(path=BATCH, body=b'{"items":[' + b",".join([b"{}"] * listings) + b"]}")
    assert (answer.status, reason_of(answer)[0]) == (400, "TOO_MANY_ITEMS")


def test_largest_batch_is_read(browser):
    """256 listings of 64 attributes, which are within what may be read."""
    listing = {"title": "x", "attributes": [{"name": "a", "value": "b"}] * 64}
    answer = browser.ask(path=BATCH, body={"items": [{"listing": listing}] * 256})
    assert (answer.status, len(answer.body["results"])) == (200, 256)


def test_message_over_the_limit_is_refused_and_the_connection_goes_on(browser):
    """429 with the code that gRPC has for it; the client, which is still sending, hears it."""
    answer = browser.ask(body=b'{"listing":{"description":"' + b"x" * (5 << 20) + b'"}}')
    assert (answer.status, answer.body["code"], browser.ask(body=OFFER).status) == (429, "resource_exhausted", 200)


def test_message_that_unpacks_to_more_than_the_limit_is_refused(browser):
    """A small one, of which a gigabyte would come."""
    bomb = gzip.compress(b'{"listing":{"description":"' + b"x" * (64 << 20))
    answer = browser.ask(body=bomb, headers=JSON | {"content-encoding": "gzip"})
    assert (answer.status, len(bomb) < 200_000) == (429, True)


@pytest.mark.parametrize(
    "packed", [b"no gzip", gzip.compress(OFFER)[:-9], gzip.compress(OFFER)[:20]], ids=["none", "without its end", "its beginning alone"]
)
def test_broken_compression_is_refused(browser, packed):
    """400."""
    assert browser.ask(body=packed, headers=JSON | {"content-encoding": "gzip"}).status == 400


NO_HTTP = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two lengths": HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nxxxxxx",
    "length and chunks": HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": HEAD + b"content-length: -5\r\n\r\n",
    "no chunk": HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    "a header without a name": HEAD + b": x\r\n\r\n",
    "folded header": HEAD + b"x: a\r\n b\r\n\r\n",
    "NUL in a header": HEAD + b"x: a\0b\r\n\r\n",
}


@pytest.mark.parametrize("sent", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_refused_and_the_connection_ended(wire, browser, sent):
    """Two that read one request differently are how one is smuggled past a proxy."""
    received = wire(sent + b"GET /healthz HTTP/1.1\r\nhost: w\r\n\r\n")
    assert (received[:12] in {b"HTTP/1.1 400", b""}, b"200 OK" in received, browser.ask(body=OFFER).status) == (True, False, 200)


ENDLESS = {
    "request line": b"GET /" + b"x" * 100_000,
    "header": HEAD + b"x: " + b"y" * 100_000,
    "many headers": HEAD + b"".join(b"x%d: y\r\n" % n for n in range(10_000)),
    "trailers": HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(10_000)),
    "chunk extension": HEAD + b"transfer-encoding: chunked\r\n\r\n5;" + b"x" * 100_000,
}


@pytest.mark.parametrize("sent", ENDLESS.values(), ids=ENDLESS)
def test_head_without_end_ends_the_connection(wire, browser, sent):
    """Before memory is filled with it."""
    assert (b"200 OK" in wire(sent, sent, sent), browser.ask(body=OFFER).status) == (False, 200)


def test_header_that_is_not_ascii_is_refused(wire):
    """Not an incident."""
    received = wire(HEAD + b"x: \xff\r\ncontent-length: %d\r\n\r\n" % len(OFFER) + OFFER)
    assert (received[:12], b"a header holds what is not ASCII" in received) == (b"HTTP/1.1 400", True)


def test_requests_may_be_sent_without_waiting_and_are_answered_in_order(wire):
    """Pipelined."""
    asked = [json.dumps({"listing": {"listingId": str(n), "title": "x"}}).encode() for n in range(50)]
    received = wire(b"".join(HEAD + b"content-length: %d\r\n\r\n" % len(each) + each for each in asked))
    assert [received.find(b'"listingId":"%d"' % n) for n in range(50)] == sorted(received.find(b'"listingId":"%d"' % n) for n in range(50))
    assert received.count(b"HTTP/1.1 200") == 50


def test_connection_that_is_cut_off_is_no_incident(wire, shared_service, browser):
    """In the head, in the body, and while it is answered."""
    for sent in (b"POST", HEAD, HEAD + b"content-length: 100\r\n\r\n{", HEAD + b"content-length: %d\r\n\r\n" % len(OFFER) + OFFER):
        wire(sent, silence=0.05)
    assert browser.ask(body=OFFER).status == 200
    assert (shared_service.events("http_failed"), shared_service.events("rpc_failed"), shared_service.events("unhandled")) == ([], [], [])


def test_nothing_of_all_this_is_in_the_log(shared_service, browser):
    """No line that strangers can write, and no text."""
    browser.ask(body=WORD)
    assert (WORD in shared_service.log, "Traceback" in shared_service.log, "Invalid HTTP" in shared_service.log) == (False, False, False)
