"""Messages of HTTP: the RPCs take and answer bytes of protobuf, and a codec of connectrpc turns JSON into them and back.

JSON is protobuf's own mapping, read strictly: a field that the contract does not have is refused by name, since a listing whose text
stood in a misspelled field would be allowed without a look.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from connectrpc.codec import Codec
from google.protobuf import json_format
from msgspec import Struct

from wildgate_service.status import Reason, Refusal, too_many

if TYPE_CHECKING:
    from google.protobuf.message import Message

# Fields and items of lists in a request: the largest allowed one, 256 listings of 64 attributes, has half as many.
MOST_NODES = 100_000
# The way to a field in a message of json_format, and a name that is no field's.
WAY = re.compile(r"Failed to parse (\w{1,64}) field")
UNKNOWN_NAME = re.compile(r'has no field named "(\w{1,64})"')
MALFORMED = (json_format.ParseError, ValueError, TypeError, ArithmeticError, RecursionError, AttributeError)


class Answer(Struct, frozen=True):
    """A response: its kind, and its bytes."""

    kind: type[Message]
    payload: bytes


class Binary(Codec[Answer, Any]):
    """application/proto: bytes as they are, which the RPC reads."""

    def name(self) -> str:
        """Of the content type."""
        return "proto"

    def encode(self, message: Answer) -> bytes:
        """As connectrpc asks for it."""
        return message.payload

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> bytes:
        """As connectrpc asks for it."""
        del message_class
        return bytes(data)


class JsonText(bytes):
    """A request as JSON, not read yet."""

    __slots__ = ()


class Json(Codec[Answer, Any]):
    """application/json."""

    def name(self) -> str:
        """Of the content type."""
        return "json"

    def encode(self, message: Answer) -> bytes:
        """As connectrpc asks for it."""
        fields = json_format.MessageToDict(message.kind.FromString(message.payload), always_print_fields_with_no_presence=True)
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> JsonText:
        """As connectrpc asks for it. What it raised here, connectrpc would tell the caller in its own words, and nobody would count it."""
        del message_class
        return JsonText(data)


def to_bytes(data: bytes, kind: type[Message]) -> bytes:
    """Read a request, an empty one as one with nothing in it.

    Raises Refusal that names the field where one is wrong, and "request" where it is none at all.
    """
    if not data:
        return b""
    text = ""
    try:
        text = data.decode()
        _check_size(text)
        return bytes(json_format.Parse(text, kind()).SerializeToString())
    except MALFORMED as error:
        raise Refusal(Reason.FIELD_INVALID, {"field": _field(str(error), text)}) from None


def _field(said: str, text: str) -> str:
    """Where it was wrong, from json_format's sentence, of which nothing else leaves, for it may quote values; a name has a colon."""
    unknown = [name for name in UNKNOWN_NAME.findall(said) if re.search(rf'"{name}"\s*:', text)]
    return ".".join([*WAY.findall(said), *unknown[:1]]) or "request"


def _check_size(text: str) -> None:
    """Raise Refusal for more items than any request may have; each takes microseconds to read, and 4 MiB hold a million."""
    if text.count(",") + text.count("{") + text.count("[") <= MOST_NODES:
        return
    waiting, nodes = [json.loads(text)], 0
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list):
            nodes += len(node)
            waiting += node.values() if isinstance(node, dict) else node
    if nodes > MOST_NODES:
        raise too_many("request", nodes, MOST_NODES)
