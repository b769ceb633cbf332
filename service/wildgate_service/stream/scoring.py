"""Batches of posts through the SDK until each has its decision or can have none."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import Struct
from wildgate import (
    AsyncClient,
    BatchResult,
    Decision,
    Listing,
    WildgateConflictError,
    WildgateError,
    WildgateInternalError,
    WildgateInvalidRequestError,
)

from wildgate_service.stream.posts import PoisonError

log = structlog.get_logger()
LONGEST_WAIT = 30.0
FIRST_WAIT = 0.2
TIMEOUT = 10.0  # seconds for a batch
MOST_INTERNAL_ERRORS = 5  # of one post, after which it is put aside
OF_THE_POST = (WildgateInvalidRequestError, WildgateConflictError)

Answer = Decision | PoisonError
Holding = Callable[[], Awaitable[None]]


class StoppedError(Exception):
    """The consumer is being stopped: what has no answer is left to be delivered again."""


class Post(Struct):
    """A listing on its way to an answer."""

    listing: Listing
    request_id: str
    answer: Answer | None = None
    internal_errors: int = 0


class Scoring:
    """Asks a service, and asks again as long as it takes. The client must raise where the service is away."""

    def __init__(self, client: AsyncClient, stopping: asyncio.Event) -> None:
        self._client = client
        self._stopping = stopping

    async def answer(self, posts: Sequence[Post], hold: Holding) -> None:
        """Give every post its answer; `hold` is awaited before each wait, to keep the broker from delivering them to others.

        Raises StoppedError between two attempts.
        """
        wait = FIRST_WAIT
        while left := [post for post in posts if post.answer is None]:
            if self._stopping.is_set():
                raise StoppedError
            after = await self._ask(left)
            if after is not None:
                await hold()
                await self._pause(max(after, wait * random.uniform(0.5, 1.0)))  # noqa: S311  (spread, not secret)
                wait = min(2 * wait, LONGEST_WAIT)

    async def _ask(self, posts: Sequence[Post]) -> float | None:
        """One attempt; None if all have an answer, else the seconds that the service asks to wait."""
        try:
            listings, ids = [post.listing for post in posts], [post.request_id for post in posts]
            results = await self._client.score_batch(listings, request_ids=ids, timeout=TIMEOUT)
        except WildgateError as error:  # a bad key, say: nothing is wrong with the posts
            log.warning("stream_service_refuses", reason=error.reason)
            return LONGEST_WAIT
        failed = [left for post, result in zip(posts, results, strict=True) if (left := _taken(post, result))]
        if not failed:
            return None
        log.warning("stream_waits_for_service", posts=len(failed), reason=failed[0].reason)
        return max(each.retry_after or 0.0 for each in failed)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), min(seconds, LONGEST_WAIT))
        except TimeoutError:
            return


def _taken(post: Post, result: BatchResult) -> WildgateError | None:
    """Take a result as the post's answer, or return the error after which it is asked again."""
    error = result.error
    if error is None:
        post.answer = result.unwrap()
        return None
    post.internal_errors += isinstance(error, WildgateInternalError)
    if isinstance(error, OF_THE_POST) or post.internal_errors >= MOST_INTERNAL_ERRORS:
        post.answer = PoisonError(error.reason, error.message)
        return None
    return error
