"""The contract of a transport, client by client: those of other makers and languages get the same answers."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess

import pytest
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from wildgate.v1 import scoring_pb2, types_pb2

OFFER = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(listing_id="42", title="elephant tusk"))
# What h2load and curl send and take: the message with its prefix.
BODY = b"\0\0\0\0" + bytes([len(OFFER.SerializeToString())]) + OFFER.SerializeToString()
JAVASCRIPT = """
const grpc = require("@grpc/grpc-js");
const client = new grpc.Client(process.argv[2], grpc.credentials.createInsecure());
const same = (bytes) => bytes;
const ask = (body, options) => new Promise((resolve) => client.makeUnaryRequest(process.argv[3], same, same, body, new grpc.Metadata(),
  options, (error, answer) => resolve(error ? { code: error.code, details: error.metadata.get("grpc-status-details-bin").length }
    : { code: 0, answer: answer.toString("base64") })));
(async () => {
  const offer = Buffer.from(process.argv[4], "base64");
  const many = await Promise.all(Array.from({ length: 20 }, () => ask(offer, { deadline: Date.now() + 20000 })));
  const broken = await ask(Buffer.from([255]), { deadline: Date.now() + 20000 });
  client.close();
  console.log(JSON.stringify({ many, broken }));
})();
"""


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


def decided(message):
    decision = scoring_pb2.ScoreListingResponse.FromString(message).decision
    return decision.listing_id, [match.surface for match in decision.matches]


def test_grpclib_gets_answers_and_errors(raw, shared_service):
    """A client in Python that shares no code with grpcio."""
    host, _, port = shared_service.target.rpartition(":")

    async def ask():
        async with Channel(host, int(port)) as channel:
            method = UnaryUnaryMethod(channel, raw.SCORE, scoring_pb2.ScoreListingRequest, scoring_pb2.ScoreListingResponse)
            answers = await asyncio.gather(*(method(OFFER, timeout=20) for _ in range(20)))
            with pytest.raises(GRPCError) as caught:
                await method(scoring_pb2.ScoreListingRequest(), timeout=20)
        return [decided(answer.SerializeToString()) for answer in answers], caught.value.status, bool(caught.value.details)

    assert asyncio.run(ask()) == ([("42", ["elephant tusk"])] * 20, Status.INVALID_ARGUMENT, True)


@needs("curl")
def test_curl_gets_an_answer(raw, shared_service, tmp_path):
    """With prior knowledge of HTTP/2."""
    (tmp_path / "body").write_bytes(BODY)
    headers = ("-H", "content-type: application/grpc", "-H", "te: trailers")
    url = f"http://{shared_service.target}{raw.SCORE}"
    command = ["curl", "-sS", "--http2-prior-knowledge", *headers, "--data-binary", "@body", url, "-o", "answer", "-D", "head"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=30)
    answer, head = (tmp_path / "answer").read_bytes(), (tmp_path / "head").read_text(encoding="ascii").lower()
    assert (decided(answer[5:]), "grpc-status: 0" in head) == (("42", ["elephant tusk"]), True)


@needs("h2load")
def test_h2load_gets_all_answers(raw, shared_service, tmp_path):
    """Two thousand over ten connections, ten at a time on each."""
    (tmp_path / "body").write_bytes(BODY)
    headers = ("-H", "content-type: application/grpc", "-H", "te: trailers")
    url = f"http://{shared_service.target}{raw.SCORE}"
    command = ["h2load", "-n2000", "-c10", "-m10", "-d", str(tmp_path / "body"), *headers, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in said


@pytest.mark.slow
@needs("npm")
def test_grpc_js_gets_answers_and_errors(raw, shared_service, tmp_path):
    """The client of Node, over its own HTTP/2."""
    subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", "@grpc/grpc-js"], cwd=tmp_path, check=True, timeout=300)
    (tmp_path / "ask.js").write_text(JAVASCRIPT, encoding="utf-8")
    offer = base64.b64encode(OFFER.SerializeToString()).decode()
    command = ["node", "ask.js", shared_service.target, raw.SCORE, offer]
    said = json.loads(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60).stdout)
    answers = {str(decided(base64.b64decode(each["answer"]))) for each in said["many"]}
    assert (answers, said["broken"]) == ({str(("42", ["elephant tusk"]))}, {"code": 3, "details": 1})
