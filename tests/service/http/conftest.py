"""Plain HTTP clients: one of the standard library, and one whose bytes the test makes."""

from __future__ import annotations

import http.client
import json
import socket
from types import SimpleNamespace

import pytest

SCORE = "/wildgate.v1.ScoringService/ScoreListing"
OFFER = {"listing": {"listingId": "42", "title": "elephant tusk"}}
JSON = {"content-type": "application/json"}


class Browser:
    """A connection of the standard library's client."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)

    def ask(self, method="POST", path=SCORE, body=None, headers=None):
        """Status, headers, and the body, read as JSON if it is."""
        sent = json.dumps(body) if isinstance(body, dict | list) else body
        self.connection.request(method, path, sent, JSON if headers is None else headers)
        answer = self.connection.getresponse()
        content = answer.read()
        plain = answer.headers["content-type"] == "application/json" and answer.headers["content-encoding"] != "gzip"
        read = json.loads(content) if plain and content else content
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=read, raw=content)

    def score(self, body=OFFER, **headers):
        """Score a listing."""
        return self.ask(body=body, headers=JSON | {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def browse():
    """Open connections to services; all are closed after the test."""
    opened = []

    def to(service):
        opened.append(Browser(service.http))
        return opened[-1]

    yield to
    for each in opened:
        each.connection.close()


@pytest.fixture
def browser(shared_service, browse):
    """A connection to the shared service."""
    return browse(shared_service)


@pytest.fixture
def wire(shared_service):
    """Send bytes to the shared service's HTTP port, and return all that comes back before it ends the connection, or is silent."""

    def send(*parts, silence=2.0):
        host, _, port = shared_service.http.rpartition(":")
        received = b""
        with socket.create_connection((host, int(port)), timeout=silence) as connection:
            try:
                for part in parts:
                    connection.sendall(part)
                while part := connection.recv(65536):
                    received += part
            except (TimeoutError, ConnectionError):
                pass
        return received

    return send


@pytest.fixture
def reason_of():
    """The reason and the metadata of a refusal, as its error spells them out."""

    def read(answer):
        debug = answer.body["details"][0]["debug"]
        return debug["reason"], debug.get("metadata", {})

    return read
