"""What is answered, seen by a plain gRPC client: h2load takes any answer of the right size for a good one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import grpc
from h2load import GRPC_PREFIX, LoadError
from running import Server
from traffic import BATCH, Requests
from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.types import Decision, Listing

UNARY = "/wildgate.v1.ScoringService/ScoreListing"
BATCHED = "/wildgate.v1.ScoringService/BatchScoreListings"
CALL_SECONDS = 30
SAME_SCORE = 1e-6  # apart at most, for rounding


def answers_of(server: Server, requests: Requests) -> dict[str, bytes]:
    """The answers to all requests. A status other than OK raises grpc.RpcError."""
    with grpc.insecure_channel(server.target) as channel:
        unary, batched = channel.unary_unary(UNARY), channel.unary_unary(BATCHED)
        return {
            "ordinary": unary(requests.ordinary.SerializeToString(), timeout=CALL_SECONDS),
            "offer": unary(requests.offer.SerializeToString(), timeout=CALL_SECONDS),
            "batch": batched(requests.batch.SerializeToString(), timeout=CALL_SECONDS),
        }


def check_answers(server: Server, requests: Requests, engine: Engine, *, recorded: bool) -> dict[str, bytes]:
    """The answers, each held against what the same listing gets in this process. Raises LoadError if one is another."""
    answers = answers_of(server, requests)
    ordinary = scoring_pb2.ScoreListingResponse.FromString(answers["ordinary"]).decision
    offer = scoring_pb2.ScoreListingResponse.FromString(answers["offer"]).decision
    batch = scoring_pb2.BatchScoreListingsResponse.FromString(answers["batch"]).results
    _check(server, "a batch is not answered whole", len(batch) == BATCH)
    _check(server, f"{requests.script}: nothing is found in an offer", bool(offer.taxa))
    _check(server, "the encoder is missing; run `wildgate model build`", "encoder_missing" not in offer.degraded_reasons)
    asked = [requests.ordinary.listing, requests.offer.listing, *(item.listing for item in requests.batch.items)]
    for listing, decision in zip(asked, (ordinary, offer, *(result.decision for result in batch)), strict=True):
        _check(server, f"{listing.listing_id} is decided otherwise than in process", _is_same(decision, score_in_process(engine, listing)))
        _check(server, "decisions are not recorded as they should be", bool(decision.decision_id) == recorded)
    return answers


def score_in_process(engine: Engine, listing: types_pb2.Listing) -> Decision:
    """The decision on a listing of the wire, without a wire."""
    return score_listing(engine, Listing(title=listing.title, description=listing.description, market=listing.market))


def _is_same(answered: scoring_pb2.Decision, expected: Decision) -> bool:
    action = types_pb2.Action.Name(answered.action).removeprefix("ACTION_").lower()
    return action == expected.action and abs(answered.score - expected.score) < SAME_SCORE


def check_echo(server: Server, number: int, bodies: Mapping[str, Path], answers: Mapping[str, bytes]) -> None:
    """Raise LoadError if an echo does not answer what it was given for round `number`."""
    with grpc.insecure_channel(server.target) as channel:
        for kind, answer in answers.items():
            body = bodies[kind].read_bytes()[GRPC_PREFIX:]
            for echo in ("bytes", "stubs"):
                got = channel.unary_unary(f"/echo.{echo}/{kind}-{number}")(body, timeout=CALL_SECONDS)
                _check(server, f"{echo} answers something else to {kind}", len(got) == len(answer))


def _check(server: Server, what: str, holds: bool) -> None:  # noqa: FBT001  (what is checked)
    if not holds:
        raise LoadError(f"{server.name}: {what}")
