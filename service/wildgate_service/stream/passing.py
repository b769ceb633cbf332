"""What becomes of messages: scored, passed on, and only then acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import structlog
from wildgate import Decision

from wildgate_service.stream.posts import Incoming, PoisonError, read_post, request_id_of
from wildgate_service.stream.scoring import FIRST_WAIT, LONGEST_WAIT, Holding, Post, Scoring, StoppedError

log = structlog.get_logger()
REASON, SAID, PLACE = "wildgate-reason", "wildgate-error", "wildgate-place"


class Outbox(Protocol):
    """Where decisions and poison messages go. Both return when the broker has them, and raise any error of its own."""

    async def decided(self, body: bytes, request_id: str) -> None:
        """Publish a decision; a second one under the same id is the same."""

    async def dead(self, body: bytes, headers: dict[str, str], place: str) -> None:
        """Publish a message that can never be scored, as it came."""


async def pass_on(messages: Sequence[Incoming], scoring: Scoring, outbox: Outbox, hold: Holding, stopping: asyncio.Event) -> None:
    """Score messages and publish what came of each. When it returns, all may be acknowledged; raises StoppedError if none may."""
    poison: dict[int, PoisonError] = {}
    posts: dict[int, Post] = {}
    for index, message in enumerate(messages):
        try:
            posts[index] = Post(read_post(message), request_id_of(message))
        except PoisonError as error:
            poison[index] = error
    await scoring.answer(list(posts.values()), hold)
    for index, message in enumerate(messages):
        answer = poison.get(index) or posts[index].answer
        await _surely(message, answer, outbox, hold, stopping)
    log.info("stream_scored", posts=len(messages), dead=sum(not isinstance(post.answer, Decision) for post in posts.values()) + len(poison))


async def _surely(message: Incoming, answer: object, outbox: Outbox, hold: Holding, stopping: asyncio.Event) -> None:
    """Publish one, and again while the broker is away."""
    wait = FIRST_WAIT
    while True:
        try:
            await _publish(message, answer, outbox)
        except Exception as error:  # brokers raise errors of many libraries; the message is kept
            if stopping.is_set():
                raise StoppedError from error
            log.warning("stream_waits_for_broker", error=type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
            await hold()
        else:
            return


async def _publish(message: Incoming, answer: object, outbox: Outbox) -> None:
    if isinstance(answer, Decision):
        await outbox.decided(msgspec.json.encode(decision_json(answer)), answer.request_id)
    elif isinstance(answer, PoisonError):
        said = str(answer).encode("ascii", "backslashreplace").decode().replace("\n", " ")  # headers are one line of ASCII
        await outbox.dead(message.body, {REASON: answer.reason, SAID: said[:500], PLACE: message.place}, message.place)


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision as it is published; the poster's words stand in its reason alone."""
    return {
        "request_id": decision.request_id,
        "decision_id": decision.decision_id,
        "id": decision.listing_id,
        "action": decision.action,
        "score": decision.score,
        "language": decision.language,
        "taxa": [{"group": each.group, "scientific_name": each.scientific_name, "appendix": each.appendix} for each in decision.taxa],
        "matches": [
            {"rule_id": each.rule_id, "field": each.field, "start": each.span.start, "end": each.span.end}
            for each in decision.matches
            if each.span
        ],
        "reason": decision.reason,
        "notice": decision.notice,
        "shadow": decision.shadow,
        "degraded": list(decision.degraded_reasons),
        "lexicon_version": decision.lexicon_version,
        "model_version": decision.model_version,
        "policy_version": decision.policy_version,
    }
