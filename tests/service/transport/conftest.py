"""A client whose frames the test makes: the package h2 keeps the protocol, and the test breaks it."""

from __future__ import annotations

import base64
import socket
import struct
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from google.rpc import status_pb2
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    PingAckReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from wildgate.v1 import scoring_pb2, types_pb2

SCORE = "/wildgate.v1.ScoringService/ScoreListing"
BATCH = "/wildgate.v1.ScoringService/BatchScoreListings"
PATIENCE_SECONDS = 20
TRIES = 100
OVERLOADED = {"8", "1"}  # RESOURCE_EXHAUSTED, and CANCELLED for what grpcio drops unread
OFFER = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))
HEADERS = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": "wildgate",
    ":path": SCORE,
    "te": "trailers",
    "content-type": "application/grpc",
}


def framed(message: bytes, *, compressed: int = 0, length: int | None = None) -> bytes:
    """A message with its prefix, which may lie."""
    return struct.pack(">BI", compressed, len(message) if length is None else length) + message


@dataclass
class Answer:
    """What came on a stream; `status` is "reset" where the server cut it, "" where it has not ended."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: bool = False
    ended: bool = False

    @property
    def status(self) -> str:
        """grpc-status, else the status of HTTP."""
        if self.reset:
            return "reset"
        return self.headers.get("grpc-status", f"http {self.headers.get(':status')}") if self.ended else ""

    @property
    def message(self) -> bytes:
        """The message without its prefix."""
        return self.body[5:]

    @property
    def details(self) -> status_pb2.Status:
        """What grpc-status-details-bin holds."""
        coded = self.headers["grpc-status-details-bin"]
        return status_pb2.Status.FromString(base64.b64decode(coded + "=" * (-len(coded) % 4)))


class RawClient:
    """One connection."""

    def __init__(self, target: str, settings: dict[SettingCodes, int] | None = None) -> None:
        host, _, port = target.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = H2Configuration(
            header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False
        )
        self.h2 = H2Connection(config)
        self.h2.local_settings = Settings(client=True, initial_values=settings)
        self.h2.initiate_connection()
        self.answers: dict[int, Answer] = {}
        self.goaway: ConnectionTerminated | None = None
        self.pongs = 0
        self.closed = False
        self.grants = True
        self._received = b""
        self.flush()

    def close(self) -> None:
        """Cut the connection."""
        self.socket.close()

    def flush(self) -> None:
        """Send what h2 has to say."""
        self.write(self.h2.data_to_send())

    def write(self, data: bytes) -> None:
        """Send bytes as they are; the server may have closed already."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True

    def begin(self, headers=None, *, end=False) -> int:
        """Open a stream; of `headers` those that are None are left out."""
        stream = self.h2.get_next_available_stream_id()
        wanted = {name: value for name, value in (HEADERS | (headers or {})).items() if value is not None}
        self.h2.send_headers(stream, list(wanted.items()), end_stream=end)
        self.answers[stream] = Answer()
        self.flush()
        return stream

    def call(self, body=None, headers=None) -> int:
        """Send a whole call; returns its stream."""
        stream = self.begin(headers)
        self.send(stream, framed(OFFER.SerializeToString()) if body is None else body)
        return stream

    def send(self, stream: int, body: bytes, *, end: bool = True) -> None:
        """Send a body as far as windows and frames allow, in pieces."""
        while len(body) > (size := min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)):
            if size:
                self.h2.send_data(stream, body[:size])
                self.flush()
                body = body[size:]
            elif self.answers[stream].ended or not self.read():
                return
        self.h2.send_data(stream, body, end_stream=end)
        self.flush()

    def settle(self) -> RawClient:
        """Wait until the server has taken in all that was sent so far."""
        before = self.pongs
        self.h2.ping(b"settled?")
        self.flush()
        self.until(lambda: self.pongs > before)
        return self

    def read(self) -> bool:
        """Take in what came; False once the server has closed."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        self._received += data
        try:
            while frame := self._next_frame():
                for event in self.h2.receive_data(frame):
                    self._on(event)
        except ProtocolError:  # an answer to a stream that only the test's bytes opened
            self.closed = True
            return False
        if not self.closed:
            self.flush()
        return True

    def _next_frame(self) -> bytes:
        """The next whole frame that came; one by one, since after GOAWAY h2 would read no more."""
        end = 9 + int.from_bytes(self._received[:3])
        if len(self._received) < end:
            return b""
        frame, self._received = self._received[:end], self._received[end:]
        return frame

    def _on(self, event) -> None:
        answer = self.answers.get(getattr(event, "stream_id", 0) or 0, Answer())
        match event:
            case ResponseReceived() | TrailersReceived():
                answer.headers |= dict(event.headers)
            case DataReceived():
                answer.body += event.data
                if self.grants and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded():
                answer.ended = True
            case StreamReset():
                answer.reset = answer.ended = True
            case PingAckReceived():
                self.pongs += 1
            case ConnectionTerminated():
                self.goaway = event
                self.h2.state_machine.state = ConnectionState.CLIENT_OPEN  # h2 would take no answer after it

    def until(self, condition) -> bool:
        """Read until it holds, or the server has closed; returns whether it holds."""
        while not condition():
            if not self.read():
                break
        return bool(condition())

    def answer(self, stream: int) -> Answer:
        """Read until the stream has ended."""
        self.until(lambda: self.answers[stream].ended)
        return self.answers[stream]

    def ask(self, body=None, headers=None) -> Answer:
        """Send a whole call and wait for its answer."""
        return self.answer(self.call(body, headers))

    def ended(self, stream: int) -> bool:
        """Whether a stream has ended by now."""
        self.socket.settimeout(0.05)
        with suppress(TimeoutError):
            self.read()
        self.socket.settimeout(PATIENCE_SECONDS)
        return self.answers[stream].ended

    def until_closed_or_goaway(self, seconds: float = 10) -> bool:
        """Read until the server closes or says that it will; False if it says nothing for so long."""
        self.socket.settimeout(seconds)
        try:
            while not self.goaway and self.read():
                pass
        except TimeoutError:
            return False
        return True

    def until_closed(self) -> bool:
        """Read until the server closes; False if it says nothing for long."""
        try:
            while self.read():
                pass
        except TimeoutError:
            return False
        return True


@pytest.fixture
def raw():
    """Names for a test of raw frames, and `to(service)`, which opens a connection."""
    with ExitStack() as opened:

        def to(service, **settings):
            client = RawClient(service.target, {SettingCodes[name]: value for name, value in settings.items()})
            opened.callback(client.close)
            return client

        yield SimpleNamespace(to=to, framed=framed, SCORE=SCORE, BATCH=BATCH, OFFER=OFFER)


@pytest.fixture
def serves(shared_service):
    """Ask on new connections whether the shared service still answers, in the same process as ever.

    A refusal of one that is busy with what the test sent before is asked again.
    """
    worker = shared_service.pid("worker-0")

    def ask():
        for _ in range(TRIES):
            client = RawClient(shared_service.target)
            status = client.ask().status
            client.close()
            if status not in OVERLOADED:
                break
            time.sleep(0.1)
        return status == "0" and shared_service.pid("worker-0") == worker

    return ask
