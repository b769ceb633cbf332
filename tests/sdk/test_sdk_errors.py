"""The tree of errors, and reading google.rpc.Status by hand."""

from __future__ import annotations

import pickle
import re
from itertools import chain
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from hypothesis import given
from hypothesis import strategies as st
from wildgate import (
    WildgateAuthenticationError,
    WildgateDeadlineExceededError,
    WildgateError,
    WildgateInvalidRequestError,
    WildgateLimitExceededError,
    WildgateOverloadedError,
    WildgateUnavailableError,
    _errors,
)
from wildgate._errors import Code, make_error
from wildgate._status import ErrorDetails, decode_status, encode_status

texts = st.text(max_size=20)
facts = st.builds(
    ErrorDetails,
    message=texts,
    reason=st.text(min_size=1, max_size=20),
    metadata=st.dictionaries(texts, texts, max_size=3),
    retry_after=st.none() | st.integers(0, 10**6).map(lambda milli: milli / 1000),
)


def family(kind: type[WildgateError]) -> list[type[WildgateError]]:
    """Return a class and its descendants."""
    return [kind, *chain.from_iterable(family(each) for each in kind.__subclasses__())]


def test_the_docstring_draws_the_whole_tree() -> None:
    """Every error and no other."""
    drawn = re.findall(r"Wildgate\w+Error|WildgateError", (_errors.__doc__ or "").split("Only")[0])
    assert sorted(drawn) == sorted(each.__name__ for each in family(WildgateError))


def test_only_the_unavailable_branch_is_retryable() -> None:
    """Trying again mends nothing else."""
    retryable = [each for each in family(WildgateError) if each("").is_retryable()]
    assert retryable == family(WildgateUnavailableError)


@pytest.mark.parametrize("kind", family(WildgateError))
def test_errors_survive_pickling(kind: type[WildgateError]) -> None:
    """Task queues send them between processes."""
    error = pickle.loads(  # noqa: S301 our own bytes
        pickle.dumps(kind("m", reason="R", metadata={"a": "b"}, retry_after=1.0))
    )
    assert (str(error), error.reason, error.metadata, error.retry_after) == (
        "m",
        "R",
        {"a": "b"},
        1.0,
    )


@pytest.mark.parametrize("code", [*Code, 77])
def test_each_code_makes_an_error(code: int) -> None:
    """Also one that gRPC has not defined yet."""
    assert make_error(code, "m").reason == (Code(code).name if code != 77 else "CODE_77")


def classes() -> tuple[Any, Any, Any]:
    """Build Status, ErrorInfo and its map entry in a pool of their own, as google.rpc has them."""
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(name="rpc.proto", package="google.rpc", syntax="proto3")
    label, kind = (
        descriptor_pb2.FieldDescriptorProto.Label,
        descriptor_pb2.FieldDescriptorProto.Type,
    )
    layout = {
        "Part": [("type_url", 1, "TYPE_STRING", ""), ("value", 2, "TYPE_BYTES", "")],
        "Status": [
            ("code", 1, "TYPE_INT32", ""),
            ("message", 2, "TYPE_STRING", ""),
            ("details", 3, "TYPE_MESSAGE", "Part"),
        ],
        "Entry": [("key", 1, "TYPE_STRING", ""), ("value", 2, "TYPE_STRING", "")],
        "ErrorInfo": [
            ("reason", 1, "TYPE_STRING", ""),
            ("domain", 2, "TYPE_STRING", ""),
            ("metadata", 3, "TYPE_MESSAGE", "Entry"),
        ],
    }
    for name, fields in layout.items():
        message = file.message_type.add(name=name)
        for field, number, type_name, of in fields:
            repeated = "LABEL_REPEATED" if of else "LABEL_OPTIONAL"
            message.field.add(
                name=field,
                number=number,
                type=kind.Value(type_name),
                label=label.Value(repeated),
                type_name=f".google.rpc.{of}" if of else None,
            )
    pool.AddSerializedFile(file.SerializeToString())
    found = [pool.FindMessageTypeByName(f"google.rpc.{name}") for name in ("Status", "ErrorInfo", "Entry")]
    status, info, entry = (message_factory.GetMessageClass(each) for each in found)
    return status, info, entry


Status, ErrorInfo, Entry = classes()


@given(facts, st.sampled_from(Code))
def test_protobuf_reads_what_is_written(details: ErrorDetails, code: Code) -> None:
    """The oracle is protobuf's own reading of the same messages."""
    status = Status.FromString(encode_status(code, details))
    info = ErrorInfo.FromString(status.details[0].value)
    found = {entry.key: entry.value for entry in info.metadata}
    assert (status.code, status.message, info.reason, info.domain, found) == (
        code,
        details.message,
        details.reason,
        "wildgate",
        dict(details.metadata),
    )


@given(facts)
def test_what_protobuf_writes_is_read(details: ErrorDetails) -> None:
    """With a detail of another kind before it, and of unknown fields none the worse."""
    entries = [Entry(key=key, value=value) for key, value in details.metadata.items()]
    info = ErrorInfo(reason=details.reason, domain="wildgate", metadata=entries)
    status = Status(code=3, message=details.message)
    status.details.add(type_url="type.googleapis.com/google.rpc.DebugInfo", value=b"\x00\xff")
    status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString())
    if details.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(details.retry_after * 1e9))
        body = delay.SerializeToString()
        status.details.add(
            type_url="type.googleapis.com/google.rpc.RetryInfo",
            value=b"\x0a" + bytes([len(body)]) + body,
        )
    unknown = b"\xf8\x01\x05\xfd\x01abcd\xf9\x01abcdefgh"
    assert decode_status(status.SerializeToString() + unknown) == details


@given(st.binary(max_size=60))
def test_any_bytes_are_survived(data: bytes) -> None:
    """Trailers come from the network."""
    found = decode_status(data)
    assert found is None or isinstance(found, ErrorDetails)


@given(facts, st.data())
def test_a_cut_status_is_survived(details: ErrorDetails, data: st.DataObject) -> None:
    """Wherever it is cut."""
    encoded = encode_status(3, details)
    found = decode_status(encoded[: data.draw(st.integers(0, len(encoded)))])
    assert found is None or isinstance(found, ErrorDetails)


def test_a_reason_of_another_domain_is_not_ours() -> None:
    """A proxy may send an ErrorInfo of its own."""
    info = ErrorInfo(reason="OVERLOADED", domain="proxy.example")
    status = Status(code=13)
    status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString())
    assert decode_status(status.SerializeToString()) == ErrorDetails()


@pytest.mark.parametrize(
    ("message", "reason", "expected"),
    [
        ("over capacity", "OVERLOADED", WildgateOverloadedError),
        ("a proxy says no", "", WildgateOverloadedError),
        ("over the rate", "RATE_LIMITED", WildgateLimitExceededError),
        ("over the quota", "QUOTA_EXCEEDED", WildgateLimitExceededError),
        ("a bad key, again", "TOO_MANY_ATTEMPTS", WildgateAuthenticationError),
        ("SERVER: Received message larger than max (5242895 vs. 4194304)", "", WildgateInvalidRequestError),
        ("Sent message larger than max (5 vs. 4)", "", WildgateInvalidRequestError),
        ("too much of it", "SOMETHING_ELSE", WildgateInvalidRequestError),
    ],
)
def test_only_an_overload_is_taken_for_one(message: str, reason: str, expected: type[WildgateError]) -> None:
    """A message over the limit has the same code, and must not be answered by `on_unavailable`."""
    error = make_error(Code.RESOURCE_EXHAUSTED, message, ErrorDetails(reason=reason))
    assert type(error) is expected


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (Code.UNKNOWN, WildgateUnavailableError, "UNAVAILABLE"),
        (Code.INTERNAL, WildgateUnavailableError, "UNAVAILABLE"),
        (Code.DEADLINE_EXCEEDED, WildgateDeadlineExceededError, "DEADLINE_EXCEEDED"),
    ],
)
def test_a_stream_that_broke_is_an_outage_and_a_late_one_is_late(code: Code, kind: type[WildgateError], reason: str) -> None:
    """GRPC says "Stream removed" of both, and the code tells them apart."""
    error = make_error(code, "Stream removed (why)")
    assert (type(error), error.reason) == (kind, reason)
