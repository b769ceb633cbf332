"""Send statements, each exactly once.

    write down what is sent → send at most 100, of which all are stored or none
      201                    they are stored
      422 with places        those are refused; the rest is sent again
      422 without places     halves are sent, down to the one that is refused
      422 not unique         ask for each named: stored long ago, or being stored at this moment, then wait
      429                    wait longer each time, and as long as it says
      no answer, 5xx         wait, ask whether they are stored, send again those that are not
      401, 403, other        stop: nothing can be sent like this

What was being sent when an earlier submitter was killed is asked for before anything is sent.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Protocol

from msgspec import Struct

from wildgate_service.statements.check import check
from wildgate_service.statements.database import MOST_STATEMENTS, Answer, Busy, Duplicate, Invalid, Stored, SubmissionError, Unclear
from wildgate_service.statements.files import Sendable
from wildgate_service.statements.journal import Journal, State

MOST_DOUBLINGS = 20  # more would be too large a number, not a longer wait


class Receiver(Protocol):
    """What statements are sent to: `database.Database`, or a stand-in."""

    def send(self, statements: Sequence[dict[str, object]], /) -> Answer:
        """Send them in one call."""

    def exists(self, puid: str, /) -> bool | Busy | Unclear:
        """Whether one is stored."""


class Counts(Struct):
    """What became of the statements. `stored` by this run, `before` by an earlier one; `changed` differ from what was sent."""

    stored: int = 0
    before: int = 0
    refused: int = 0
    changed: int = 0


class Patience:
    """How long to wait after failures, and when to give up. Seconds.

    The n-th failure of one call waits about `first` times 2ⁿ, at most `longest`; `total` is waited without anything getting done.
    """

    def __init__(
        self, *, first: float = 0.5, longest: float = 60.0, total: float = 900.0, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._first, self._longest, self._total, self._sleep = first, longest, total, sleep
        self._waited = 0.0

    def progress(self) -> None:
        """Something got done."""
        self._waited = 0.0

    def wait(self, why: str, failures: int, asked: float | None = None) -> None:
        """Wait by the number of failures before, or as long as the database asked for if that is longer.

        Raises SubmissionError when it was enough.
        """
        if self._waited >= self._total:
            raise SubmissionError(f"gave up after {self._waited:.0f} seconds ({why}); the same command goes on from here")
        most = min(self._first * 2.0 ** min(failures, MOST_DOUBLINGS), self._longest)
        own = most * random.uniform(0.5, 1.0)  # noqa: S311  (so that submitters do not come back together)
        seconds = max(own, asked or 0.0)
        self._waited += seconds
        self._sleep(seconds)


class Submitter:
    """Sends statements to a database by a journal."""

    def __init__(self, database: Receiver, journal: Journal, patience: Patience | None = None) -> None:
        self._database, self._journal, self._patience = database, journal, patience or Patience()
        self._tried: set[str] = set()  # puids that this run sent without hearing what became of them
        self.counts = Counts()

    def submit(self, statements: Iterable[Sendable]) -> Iterator[Counts]:
        """Send all that was not sent before; yields the counts after each batch. Raises SubmissionError."""
        waiting = self._unsettled(statements)
        while batch := list(islice(waiting, MOST_STATEMENTS)):
            self._settle(batch)
            yield self.counts

    # --- what is to be sent ----------------------------------------------------------------------

    def _unsettled(self, statements: Iterable[Sendable]) -> Iterator[Sendable]:
        """Those that are neither stored nor refused as they are; of several with one puid the first."""
        taken: dict[str, str] = {}
        for each in statements:
            if each.puid in taken:
                self._count_before(each, taken[each.puid])
            elif self._is_unsettled(each):
                taken[each.puid] = each.digest
                yield each

    def _is_unsettled(self, each: Sendable) -> bool:
        known = self._journal.known.get(each.puid)
        if known is None or known.state is State.SENDING:
            return True
        if known.state is State.STORED:
            self._count_before(each, known.digest)
            return False
        again = known.digest != each.digest
        self.counts.refused += not again
        return again

    def _count_before(self, each: Sendable, digest: str) -> None:
        """Count one that is there, by the digest of what was sent."""
        self.counts.before += digest == each.digest
        self.counts.changed += digest != each.digest

    def _settle(self, batch: list[Sendable]) -> None:
        """Ask for those that an earlier run may have sent, then send what is not there."""
        batch = self._without_existing([each for each in batch if each.puid in self._journal.known], batch)
        self._send([each for each in batch if self._is_sound(each)])

    def _is_sound(self, each: Sendable) -> bool:
        """Whether it can be sent; a statement that was edited by hand may break a rule."""
        wrong = check(each.statement)
        if wrong:
            self._journal.sending([each])
            self._refuse({each.puid: [str(problem) for problem in wrong]})
        return not wrong

    # --- sending ---------------------------------------------------------------------------------

    def _send(self, batch: list[Sendable]) -> None:
        """Send until each is stored or refused."""
        for failures in count():
            if not batch:
                return
            self._journal.sending(batch)
            answer = self._database.send([each.statement for each in batch])
            if isinstance(answer, Stored):
                self._journal.stored(dict(zip((each.puid for each in batch), answer.ids or [""] * len(batch), strict=True)))
                self.counts.stored += len(batch)
                self._patience.progress()
                return
            batch = self._after(answer, batch, failures)

    def _after(self, answer: Invalid | Duplicate | Busy | Unclear, batch: list[Sendable], failures: int) -> list[Sendable]:
        """What is still to be sent after an answer that is not 201."""
        if isinstance(answer, Invalid):
            return self._without_refused(answer, batch)
        if isinstance(answer, Duplicate):
            return self._without_duplicates(answer, batch, failures)
        if isinstance(answer, Busy):
            self._patience.wait("too many calls", failures, answer.seconds)
            return batch
        self._tried.update(each.puid for each in batch)
        self._patience.wait(answer.problem, failures)
        return self._without_existing(batch, batch) if self._exists(batch[0].puid) else batch  # all of a call are stored or none

    def _without_refused(self, answer: Invalid, batch: list[Sendable]) -> list[Sendable]:
        problems = {batch[place].puid: texts for place, texts in answer.problems.items() if place < len(batch)}
        if not problems and len(batch) > 1:
            middle = len(batch) // 2
            self._send(batch[:middle])
            return batch[middle:]
        problems = problems or {batch[0].puid: ["the database does not say why"]}
        self._refuse(problems)
        return [each for each in batch if each.puid not in problems]

    def _refuse(self, problems: dict[str, list[str]]) -> None:
        self._journal.refused(problems)
        self.counts.refused += len(problems)

    def _without_duplicates(self, answer: Duplicate, batch: list[Sendable], failures: int) -> list[Sendable]:
        """Those named are stored, or the database is still busy with an earlier call that had them: then they come up again."""
        left = self._without_existing([each for each in batch if each.puid in answer.puids] or batch, batch)
        if len(left) == len(batch):
            self._patience.wait("an earlier call is not through yet", failures)
        return left

    # --- asking ----------------------------------------------------------------------------------

    def _without_existing(self, asked: list[Sendable], batch: list[Sendable]) -> list[Sendable]:
        """The batch without those of `asked` that are stored."""
        there = [each for each in asked if self._exists(each.puid)]
        if not there:
            return batch
        self._journal.stored(dict.fromkeys((each.puid for each in there), ""))
        self._patience.progress()
        for each in there:
            if each.puid in self._tried:
                self.counts.stored += 1
            else:
                self._count_before(each, self._journal.known[each.puid].digest)
        found = {each.puid for each in there}
        return [each for each in batch if each.puid not in found]

    def _exists(self, puid: str) -> bool:
        failures = 0
        while not isinstance(answer := self._database.exists(puid), bool):
            if isinstance(answer, Busy):
                self._patience.wait("too many calls", failures, answer.seconds)
            else:
                self._patience.wait(answer.problem, failures)
            failures += 1
        return answer
