"""Errors on the wire: every reason of the contract, and never an exception's own text."""

from __future__ import annotations

import pytest
from google.rpc import code_pb2, error_details_pb2
from wildgate.v1 import errors_pb2
from wildgate_service.errors import InvalidListingError, RequestReusedError, StoreError
from wildgate_service.status import (
    REASON_PREFIX,
    Reason,
    Refusal,
    broken_lexicon,
    overloaded,
    refusal_of,
    to_item_error,
    to_status,
    too_long,
)
from wildgate_service.store import DecisionNotFoundError
from wildgate_service.writer import WriterOverloadedError

SECRET = "the seller wrote: tusk for sale"  # noqa: S105  (no password)


def test_every_reason_of_the_contract_can_be_sent():
    """The enumeration of the contract and the one here are the same, but for the one never sent."""
    names = {name.removeprefix(REASON_PREFIX) for name in errors_pb2.ErrorReason.keys()}  # noqa: SIM118
    assert {str(reason) for reason in Reason} == names - {"UNSPECIFIED"}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_code_and_a_sentence(reason):
    """Also without metadata, a message can be made."""
    refusal = Refusal(reason)
    assert (refusal.code > 0, bool(refusal.message)) == (True, True)


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (StoreError(SECRET), code_pb2.UNAVAILABLE, Reason.STORE_UNAVAILABLE),
        (WriterOverloadedError(SECRET), code_pb2.RESOURCE_EXHAUSTED, Reason.OVERLOADED),
        (RequestReusedError(SECRET), code_pb2.ALREADY_EXISTS, Reason.REQUEST_ID_REUSED),
        (DecisionNotFoundError(SECRET), code_pb2.NOT_FOUND, Reason.DECISION_NOT_FOUND),
        (KeyError(SECRET), code_pb2.INTERNAL, Reason.INTERNAL),
        (
            InvalidListingError(SECRET, reason="FIELD_TOO_LONG", field="title"),
            code_pb2.INVALID_ARGUMENT,
            Reason.FIELD_TOO_LONG,
        ),
    ],
)
def test_error_becomes_its_reason_and_keeps_its_text(error, code, reason):
    """What an exception says of itself could quote a listing, and stays here."""
    refusal = refusal_of(error)
    sent = to_status(refusal).SerializeToString() + to_item_error(refusal).SerializeToString()
    assert (refusal.code, refusal.reason, SECRET.encode() in sent) == (code, reason, False)


def test_metadata_reaches_machines_and_people():
    """The same facts are in ErrorInfo and in the sentence."""
    refusal = Refusal(Reason.SCOPE_MISSING, {"scope": "admin"})
    status = to_status(refusal)
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    assert (dict(info.metadata), "scope admin" in status.message) == ({"scope": "admin"}, True)


def test_each_incident_has_its_own_number():
    """So that a report from outside finds its line in the log."""
    numbers = {refusal_of(ValueError()).metadata["incident"] for _ in range(10)}
    assert len(numbers) == 10


def test_pushback_is_said_to_machines():
    """RetryInfo is what clients read that do not retry by themselves."""
    retry = error_details_pb2.RetryInfo()
    found = to_status(overloaded()).details[1].Unpack(retry)
    assert (found, retry.retry_delay.ToMilliseconds()) == (True, 100)


def test_a_limit_names_its_unit():
    """A text may be counted in code points or in bytes."""
    sentences = [too_long("title", 2, 1).message, too_long("yaml", 2, 1, unit="bytes").message]
    assert ["has 2 code points" in sentences[0], "has 2 bytes" in sentences[1]] == [True, True]


@pytest.mark.parametrize(("file", "said"), [("a.yml", "(a.yml, line 3)"), ("", "(the log says which)")])
def test_a_broken_lexicon_names_its_place_if_there_is_one(file, said):
    """A compiler that crashed has none."""
    assert said in broken_lexicon(file, 3).message
