"""Users of a platform, through the SDK: they post listings, some a batch, and moderators report what came of it. For Locust.

Usage: locust -f benchmarks/load/locustfile.py --host 127.0.0.1:50051, or headless with a service of its own by mixed.py
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent))

import gevent
import grpc.experimental.gevent

gevent.get_hub().threadpool.maxsize = 200  # grpc waits for each call in a thread of it, and ten are too few
grpc.experimental.gevent.init_gevent()

from itertools import count

from locust import User, constant_throughput, task
from mix import Mix, is_whole
from wildgate import Client, Decision

SEED = 37
CALL_SECONDS = 2.0
BATCH = 20
REMEMBERED = 50  # decisions whose outcome may be reported
PER_SECOND = 5.0  # calls of a user
NUMBERS = count()  # of the users

Answer = TypeVar("Answer")


class WrongAnswerError(Exception):
    """An answer to something else, or without a score."""


class Seller(User):
    """Posts one listing after the other over a connection of its own."""

    wait_time = constant_throughput(PER_SECOND)

    def on_start(self) -> None:
        """Connect."""
        self._mix = Mix(SEED + next(NUMBERS))
        self._client = Client(self.host, insecure=True, on_unavailable="raise", timeout=CALL_SECONDS)
        self._decided: deque[Decision] = deque(maxlen=REMEMBERED)

    def on_stop(self) -> None:
        """Disconnect."""
        self._client.close()

    @task(90)
    def post(self) -> None:
        """One listing."""
        size, listing = self._mix.listing()

        def score() -> Decision:
            decision = self._client.score(listing)
            if not is_whole(listing, decision.listing_id, decision.score):
                raise WrongAnswerError(f"{listing.id} was answered {decision.listing_id!r} with {decision.score}")
            return decision

        if decision := self._timed("score", size, score):
            self._decided.append(decision)

    @task(7)
    def post_batch(self) -> None:
        """Some at once, as an importer does."""
        listings = [self._mix.listing()[1] for _ in range(BATCH)]

        def score() -> None:
            results = self._client.score_batch(listings)
            wrong = [each.id for each, result in zip(listings, results, strict=True) if not result.decision]
            if wrong:
                raise WrongAnswerError(f"not decided: {', '.join(wrong)}")

        self._timed("score_batch", f"of {BATCH}", score)

    @task(3)
    def report(self) -> None:
        """What a moderator did."""
        if self._decided:
            decision = self._decided.popleft()
            self._timed("report_outcome", "", lambda: self._client.report_outcome(decision, applied="removed", means="moderator"))

    def _timed(self, kind: str, name: str, call: Callable[[], Answer]) -> Answer | None:
        """What the call gives; Locust is told how long it took, or what it raised."""
        start = time.perf_counter()
        answer, failure = None, None
        try:
            answer = call()
        except Exception as error:  # noqa: BLE001  (Locust counts whatever a user meets)
            failure = error
        taken = (time.perf_counter() - start) * 1e3
        self.environment.events.request.fire(
            request_type=kind, name=name, response_time=taken, response_length=0, exception=failure, context={}
        )
        return answer
