"""A channel and the calls on it; the same for both clients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from wildgate._config import Metadata, Settings, channel_options
from wildgate.v1 import lexicon_pb2, scoring_pb2, transparency_pb2

Request = TypeVar("Request")
Response = TypeVar("Response")

_FIRST_CALL_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class Method(Generic[Request, Response]):
    """An RPC: its path and how its messages become bytes and back."""

    path: str
    serialize: Callable[[Request], bytes]
    deserialize: Callable[[bytes], Response]


_MessageT = TypeVar("_MessageT", bound=Message)
_OtherT = TypeVar("_OtherT", bound=Message)


def _method(path: str, request: type[_MessageT], response: type[_OtherT]) -> Method[_MessageT, _OtherT]:
    return Method(f"/wildgate.v1.{path}", request.SerializeToString, response.FromString)


SCORE = _method("ScoringService/ScoreListing", scoring_pb2.ScoreListingRequest, scoring_pb2.ScoreListingResponse)
BATCH = _method(
    "ScoringService/BatchScoreListings",
    scoring_pb2.BatchScoreListingsRequest,
    scoring_pb2.BatchScoreListingsResponse,
)
OUTCOMES = _method(
    "TransparencyService/RecordOutcomes",
    transparency_pb2.RecordOutcomesRequest,
    transparency_pb2.RecordOutcomesResponse,
)
REPORT = _method(
    "TransparencyService/GetTransparencyReport",
    transparency_pb2.GetTransparencyReportRequest,
    transparency_pb2.GetTransparencyReportResponse,
)
LEXICON = _method("LexiconService/GetLexicon", lexicon_pb2.GetLexiconRequest, lexicon_pb2.GetLexiconResponse)
# The two messages of grpc.health.v1 that matter are short enough to compare as bytes.
HEALTH: Method[bytes, bytes] = Method("/grpc.health.v1.Health/Check", bytes, bytes)
METHODS: tuple[Method[Any, Any], ...] = (SCORE, BATCH, OUTCOMES, REPORT, LEXICON, HEALTH)


class Connection:
    """A channel with its calls made ready, so that a call in use makes nothing new."""

    def __init__(self, channel: grpc.Channel) -> None:
        """Prepare the calls of a channel."""
        self.channel = channel
        self._calls = {method.path: channel.unary_unary(method.path, method.serialize, method.deserialize) for method in METHODS}
        self._first_call: Any = None  # grpc.CallFuture, which is a type of stubs alone

    def call(self, method: Method[Request, Response]) -> grpc.UnaryUnaryMultiCallable[Request, Response]:
        """Return the call of a method."""
        return self._calls[method.path]

    def start_connecting(self, metadata: Metadata) -> None:
        """Connect in the background by a health check whose answer nobody reads.

        A synchronous channel offers nothing else but `subscribe`, whose thread prints a traceback
        when the channel is closed soon after.
        """
        self._first_call = self.call(HEALTH).future(b"", _FIRST_CALL_TIMEOUT, metadata)

    def settle(self) -> None:
        """Wait until the first call is over, at most for its deadline.

        A fork while it is under way makes the child crash or hang with some versions of gRPC, and
        so does a fork right after closing the channel.
        """
        if self._first_call is not None and not self._first_call.done():
            with suppress(grpc.FutureCancelledError, grpc.FutureTimeoutError):
                self._first_call.exception(2 * _FIRST_CALL_TIMEOUT)


class AioConnection:
    """The same on `grpc.aio`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        """Prepare the calls of a channel."""
        self.channel = channel
        self._calls = {method.path: channel.unary_unary(method.path, method.serialize, method.deserialize) for method in METHODS}

    def call(self, method: Method[Request, Response]) -> grpc.aio.UnaryUnaryMultiCallable[Request, Response]:
        """Return the call of a method."""
        return self._calls[method.path]


def connect(settings: Settings) -> Connection:
    """Open a channel and start connecting."""
    options = channel_options(settings.target)
    if settings.credentials is None:
        channel = grpc.insecure_channel(settings.target, options)
    else:
        channel = grpc.secure_channel(settings.target, settings.credentials, options)
    connection = Connection(channel)
    connection.start_connecting(settings.metadata)
    return connection


def connect_aio(settings: Settings) -> AioConnection:
    """Open a channel of the running loop and start connecting."""
    options = channel_options(settings.target)
    if settings.credentials is None:
        channel = grpc.aio.insecure_channel(settings.target, options)
    else:
        channel = grpc.aio.secure_channel(settings.target, settings.credentials, options)
    channel.get_state(try_to_connect=True)
    return AioConnection(channel)
