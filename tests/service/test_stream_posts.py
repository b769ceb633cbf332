"""Messages of a stream as posts, and batches that are asked for until the service has them; without a broker."""

from __future__ import annotations

import asyncio
import json

import pytest
from wildgate import (
    BatchResult,
    Decision,
    Listing,
    WildgateError,
    WildgateInternalError,
    WildgateInvalidRequestError,
    WildgateUnavailableError,
)
from wildgate_service.stream import scoring
from wildgate_service.stream.passing import pass_on
from wildgate_service.stream.posts import Incoming, PoisonError, read_post, request_id_of
from wildgate_service.stream.scoring import Post, Scoring, StoppedError


def decided(request_id: str) -> Decision:
    return Decision(action="allow", request_id=request_id, decision_id=f"of {request_id}", score=0.1)


class Answering:
    """A client that answers each call with what is next: an error to raise, or an error or None for each post."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    async def score_batch(self, listings, *, request_ids, timeout):  # noqa: ASYNC109  (the client's own)
        """The next answer."""
        del timeout
        self.asked.append(list(request_ids))
        answer = self.answers.pop(0) if self.answers else [None] * len(listings)
        if isinstance(answer, WildgateError):
            raise answer
        return [
            BatchResult(index, None if error else decided(name), error)
            for index, (name, error) in enumerate(zip(request_ids, answer, strict=True))
        ]


class Kept:
    """An outbox that keeps what it is given, after failing so many times."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.decisions: list[str] = []
        self.letters: list[tuple[bytes, dict[str, str]]] = []

    async def decided(self, body: bytes, request_id: str) -> None:
        """Keep a decision."""
        self._fail()
        self.decisions.append(f"{request_id}: {json.loads(body)['decision_id']}")

    async def dead(self, body: bytes, headers: dict[str, str], place: str) -> None:
        """Keep a dead letter."""
        del place
        self._fail()
        self.letters.append((body, headers))

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError


async def hold() -> None:
    """Nothing to hold."""


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch):
    monkeypatch.setattr(scoring, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(scoring, "LONGEST_WAIT", 0.002)


def posts(*ids: str) -> list[Post]:
    return [Post(Listing(title="x"), request_id) for request_id in ids]


def test_a_message_is_a_line_of_the_command_line():
    """The same fields, of a social post unless it says otherwise."""
    found = read_post(Incoming(b'{"id": 7, "title": "a", "attributes": {"b": "c"}, "posted_time": "2026-01-02T03:04:05"}', "P/1"))
    assert (found.id, found.title, found.content_kind, found.posted_time.isoformat()) == (
        "7",
        "a",
        "social_post",
        "2026-01-02T03:04:05+00:00",
    )


@pytest.mark.parametrize("body", [b"", b"{bad", b"[]", b"\xff", b'{"title": 3}', b'{"title": "a", "kind": "advert"}', b"[" * 100_000])
def test_a_message_that_holds_no_post_is_poison(body):
    """Whatever it is; it is never an error of the consumer."""
    with pytest.raises(PoisonError) as raised:
        read_post(Incoming(body, "P/1"))
    assert raised.value.reason == "NOT_A_POST"


def test_a_request_id_is_the_same_at_every_delivery():
    """By the producer's own id, else the message's, else its place; another message has another."""
    own = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert request_id_of(Incoming(b"", "P/1", {"wildgate-request-id": own})) == own
    named = {request_id_of(Incoming(b"", place, {"nats-msg-id": "m"})) for place in ("P/1", "P/2")}
    placed = {request_id_of(Incoming(b"", place)) for place in ("P/1", "P/1", "P/2", "anew/P/1")}
    assert (len(named), len(placed), len(named | placed)) == (1, 3, 4)


async def test_posts_are_asked_again_until_each_is_answered():
    """Under the same request_id, and only those without an answer."""
    away = WildgateUnavailableError("away")
    client = Answering(away, [None, away], [None])
    batch = posts("a", "b")
    await Scoring(client, asyncio.Event()).answer(batch, hold)
    assert client.asked == [["a", "b"], ["a", "b"], ["b"]]
    assert [post.answer.decision_id for post in batch] == ["of a", "of b"]


async def test_what_the_service_will_never_take_is_poison():
    """A broken post at once, one on which the service always fails after some attempts; the rest of the batch is answered."""
    broken, failing = WildgateInvalidRequestError("no title", reason="FIELD_MISSING"), WildgateInternalError("oops", reason="INTERNAL")
    client = Answering([broken, failing, None], *([[failing]] * 4))
    batch = posts("a", "b", "c")
    await Scoring(client, asyncio.Event()).answer(batch, hold)
    assert [getattr(post.answer, "reason", None) for post in batch[:2]] == ["FIELD_MISSING", "INTERNAL"]
    assert batch[2].answer.decision_id == "of c"


async def test_a_stopped_consumer_answers_nothing_more():
    """So nothing of the batch is acknowledged, and all of it delivered again."""
    stopping = asyncio.Event()

    async def stop() -> None:
        stopping.set()

    with pytest.raises(StoppedError):
        await Scoring(Answering(WildgateUnavailableError("away")), stopping).answer(posts("a"), stop)


async def test_every_message_is_passed_on_though_the_broker_is_away():
    """Decisions and dead letters, in the order of the messages; it returns after the last, so that none is acknowledged before."""
    outbox = Kept(failures=3)
    messages = [Incoming(b'{"title": "a"}', "P/1"), Incoming("{é\n".encode(), "P/2"), Incoming(b'{"title": "b"}', "P/3")]
    await pass_on(messages, Scoring(Answering(), asyncio.Event()), outbox, hold, asyncio.Event())
    ids = [request_id_of(messages[index]) for index in (0, 2)]
    assert outbox.decisions == [f"{name}: of {name}" for name in ids]
    assert [body for body, _ in outbox.letters] == ["{é\n".encode()]
    headers = outbox.letters[0][1]
    assert (headers["wildgate-reason"], headers["wildgate-place"], "\n" in headers["wildgate-error"]) == ("NOT_A_POST", "P/2", False)
