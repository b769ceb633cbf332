"""What is answered, seen by a plain gRPC client: h2load takes any answer of the right size for a good one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import grpc
from h2load import GRPC_PREFIX, LoadError
from running import Server
from traffic import BATCH, Requests
from wildgate.v1 import scoring_pb2, types_pb2

UNARY = "/wildgate.v1.ScoringService/ScoreListing"
BATCHED = "/wildgate.v1.ScoringService/BatchScoreListings"
CALL_SECONDS = 30


def check_answers(server: Server, requests: Requests, *, recorded: bool) -> dict[str, bytes]:
    """The answers to all requests; a status other than OK raises grpc.RpcError. Raises LoadError if one is wrong."""
    with grpc.insecure_channel(server.target) as channel:
        unary, batched = channel.unary_unary(UNARY), channel.unary_unary(BATCHED)
        answers = {
            "ordinary": unary(requests.ordinary.SerializeToString(), timeout=CALL_SECONDS),
            "offer": unary(requests.offer.SerializeToString(), timeout=CALL_SECONDS),
            "batch": batched(requests.batch.SerializeToString(), timeout=CALL_SECONDS),
        }
    ordinary = scoring_pb2.ScoreListingResponse.FromString(answers["ordinary"]).decision
    offer = scoring_pb2.ScoreListingResponse.FromString(answers["offer"]).decision
    batch = scoring_pb2.BatchScoreListingsResponse.FromString(answers["batch"]).results
    allowed = [ordinary, *(result.decision for result in batch)]
    _check(server, f"{requests.script}: an ordinary listing is not allowed", all(each.action == types_pb2.ACTION_ALLOW for each in allowed))
    _check(server, f"{requests.script}: an offer is allowed", offer.action != types_pb2.ACTION_ALLOW)
    _check(server, "the encoder is missing; run `wildgate model build`", "encoder_missing" not in offer.degraded_reasons)
    _check(server, "a batch is not answered whole", len(batch) == BATCH)
    _check(server, "decisions are not recorded as they should be", all(bool(each.decision_id) == recorded for each in (*allowed, offer)))
    return answers


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
