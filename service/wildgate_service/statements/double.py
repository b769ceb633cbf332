"""A stand-in for the EU's transparency database, for tests: its rules, its answers and, if asked for, its bad days. Holds all in memory.

Written from the database's documentation and code (see `fields.toml`): calls, limits and shapes of errors are theirs, wordings are not.
`Double` answers calls and knows no network; `double_server` gives it an address.
"""

from __future__ import annotations

import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock, Timer
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service.statements.check import check, counts
from wildgate_service.statements.database import ITEM, MOST_STATEMENTS
from wildgate_service.statements.schema import fields

CALLS_A_SECOND = 200  # and 12,000 a minute, which nobody gets over before
TOO_MANY = "Limit Reached. Please do not overload the API"
PLATFORM = "The double"
NOT_UNIQUE = "The identifier given is not unique within this platform."
NOT_ALL_UNIQUE = "The platform identifier(s) are not all unique within this call."
API = "/api/v1"
LOOKUP = re.compile(rf"{API}/statement/existing-puid/([^/]+)")
READ = re.compile(rf"{API}/statement/([^/]+)")

Shape = dict[str, Any]


class Fault(StrEnum):
    """What can go wrong with a call."""

    LIMITED = "limited"  # 429
    FAILED = "failed"  # 500, nothing stored
    FAILED_AFTER = "failed_after"  # 500, but stored
    DROPPED = "dropped"  # no answer, nothing stored
    DROPPED_AFTER = "dropped_after"  # no answer, but stored
    LATE = "late"  # no answer, and stored some time after it; meanwhile its puids are taken
    STALLED = "stalled"  # stored, and an answer that nobody waits for


BEFORE = {Fault.LIMITED, Fault.FAILED, Fault.DROPPED}


class Faults(Struct, frozen=True, kw_only=True):
    """The share of calls that go wrong, drawn by `seed`, each in one of `kinds`; seconds until late ones are stored, stalled ones end."""

    share: float = 0.0
    seed: int = 0
    kinds: tuple[Fault, ...] = tuple(Fault)
    late_seconds: float = 0.3
    stall_seconds: float = 3.0


class Reply(Struct, frozen=True, kw_only=True):
    """What goes back; `status` 0: the connection is dropped without a word. `after` is how many seconds it takes."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.0


DROP = Reply(status=0)
NO_FAULTS = Faults()


class Double:
    """The database for one platform. `statements` are those stored, by puid; `calls` and `faults` count what was asked and went wrong."""

    def __init__(self, token: str, faults: Faults = NO_FAULTS, clock: Callable[[], float] = time.monotonic) -> None:
        self._token, self._plan, self._clock = token, faults, clock
        self._random = random.Random(faults.seed)  # noqa: S311  (repeatable on purpose)
        self._guard = Lock()
        self._taken: set[str] = set()
        self._second, self._used = 0, 0
        self.statements: dict[str, Shape] = {}
        self.calls: Counter[str] = Counter()
        self.faults: Counter[Fault] = Counter()

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> Reply:
        """Answer one call. Safe to use from several threads."""
        with self._guard:
            if authorization != f"Bearer {self._token}":
                return _json(401, {"message": "Unauthenticated."})
            if self._is_over_limit():
                return _limited(1)
            fault = self._fault()
            if fault in BEFORE:
                return _before(fault)
            self.calls[f"{method} {path if method == 'POST' else path.rpartition('/')[0]}"] += 1
            if fault is Fault.LATE and method == "POST":
                return self._later(path, body)
            return _after(fault, self._route(method, path, body), self._plan.stall_seconds)

    def hold(self, statement: Shape) -> None:
        """Have a statement as if it had been sent before any call."""
        self._store(statement, single=True)

    # --- calls -----------------------------------------------------------------------------------

    def _route(self, method: str, path: str, body: bytes) -> Reply:
        if method == "POST" and path in {f"{API}/statement", f"{API}/statements"}:
            return self._post(path, body)
        if method == "GET" and path == "/api/ping":
            return _json(200, {"you_say": "ping", "i_say": "pong"})
        if method == "GET" and (asked := LOOKUP.fullmatch(path)):
            return self._existing(asked[1])
        if method == "GET" and (asked := READ.fullmatch(path)):
            return self._read(asked[1])
        return _json(404, {"message": f"The route {path.lstrip('/')} could not be found."})

    def _post(self, path: str, body: bytes) -> Reply:
        try:
            content = msgspec.json.decode(body, type=Shape)
        except (msgspec.DecodeError, UnicodeDecodeError):
            content = {}
        return self._one(content) if path.endswith("statement") else self._many(content)

    def _one(self, statement: Shape) -> Reply:
        if problems := _problems(statement):
            return _json(422, _single(problems))
        puid = statement["puid"]
        if self._is_taken(puid):
            return _json(422, {"message": NOT_UNIQUE, "errors": {"puid": [NOT_UNIQUE]}, "existing": {"puid": puid}})
        made = self._store(statement, single=True)
        return _json(201, made)

    def _many(self, content: Shape) -> Reply:
        statements = content.get("statements")
        if (
            not isinstance(statements, list)
            or not 1 <= len(statements) <= MOST_STATEMENTS
            or not all(isinstance(s, dict) for s in statements)
        ):
            return _json(422, _single({"statements": [f"The statements field must have between 1 and {MOST_STATEMENTS} items."]}))
        wrong = {f"{ITEM}{place}": problems for place, each in enumerate(statements) if (problems := _problems(each))}
        if wrong:
            return _json(422, {"errors": wrong})
        if known := list(self._known(statements)):
            errors = {"puid": [NOT_ALL_UNIQUE], "existing_puids": known}
            return _json(422, {"message": NOT_ALL_UNIQUE, "errors": errors})
        return _json(201, {"statements": [self._store(each, single=False) for each in statements]})

    def _known(self, statements: Sequence[Shape]) -> Iterator[str]:
        """Puids that are taken, or that come twice in the call."""
        times = Counter(each["puid"] for each in statements)
        yield from (puid for puid, count in times.items() if count > 1 or self._is_taken(puid))

    def _is_taken(self, puid: str) -> bool:
        return puid in self.statements or puid in self._taken

    def _store(self, statement: Shape, *, single: bool) -> Shape:
        made = as_kept(statement, single=single)
        made |= {"uuid": str(uuid.uuid4()), "created_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", "platform_name": PLATFORM}
        made |= {"permalink": f"/statement/{made['uuid']}", "self": f"{API}/statement/{made['uuid']}"}
        self.statements[statement["puid"]] = made
        shown = {name: value for name, value in made.items() if name != "puid"}
        return shown | {"puid": statement["puid"], "id": len(self.statements)} if single else shown

    def _existing(self, puid: str) -> Reply:
        if puid in self.statements:
            return _json(302, {"message": "statement of reason found", "puid": puid})
        return _json(404, {"message": "statement of reason not found", "puid": puid})

    def _read(self, wanted: str) -> Reply:
        found = next((each for each in self.statements.values() if each["uuid"] == wanted), None)
        return _json(200, found) if found else _json(404, {"message": "Not found."})

    # --- limits and faults -----------------------------------------------------------------------

    def _is_over_limit(self) -> bool:
        """Whether too many calls came in this second."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._used = second, 0
        self._used += 1
        return self._used > CALLS_A_SECOND

    def _fault(self) -> Fault | None:
        if self._random.random() >= self._plan.share:
            return None
        fault = self._random.choice(self._plan.kinds)
        self.faults[fault] += 1
        return fault

    def _later(self, path: str, body: bytes) -> Reply:
        """Take the call's puids now and store it in a while."""
        try:
            asked = msgspec.json.decode(body, type=Shape).get("statements", [])
        except msgspec.DecodeError:
            return DROP
        mine = {each.get("puid", "") for each in asked if isinstance(each, dict)} - self._taken
        self._taken |= mine
        timer = Timer(self._plan.late_seconds, self._finish, (path, body, mine))
        timer.daemon = True
        timer.start()
        return DROP

    def _finish(self, path: str, body: bytes, mine: set[str]) -> None:
        with self._guard:
            self._taken -= mine
            self._post(path, body)


def _before(fault: Fault | None) -> Reply:
    """The answer to a call that came to nothing."""
    if fault is Fault.LIMITED:
        return _limited(0)
    return _json(500, {"message": "Server Error"}) if fault is Fault.FAILED else DROP


def _after(fault: Fault | None, reply: Reply, stall_seconds: float) -> Reply:
    """The answer to a call that was carried out."""
    if fault is Fault.FAILED_AFTER:
        return _json(500, {"message": "Server Error"})
    if fault in {Fault.DROPPED_AFTER, Fault.LATE}:
        return DROP
    return msgspec.structs.replace(reply, after=stall_seconds) if fault is Fault.STALLED else reply


def _problems(statement: Shape) -> dict[str, list[str]]:
    """What the database refuses, by field."""
    found: dict[str, list[str]] = {}
    for wrong in check(statement):
        if wrong.refused:
            found.setdefault(wrong.field, []).append(f"The {wrong.field.replace('_', ' ')} field {wrong.message}.")
    return found


def _single(problems: dict[str, list[str]]) -> Shape:
    texts = [text for each in problems.values() for text in each]
    others = len(texts) - 1
    more = f" (and {others} more error{'s' * (others > 1)})" if others else ""
    return {"message": f"{texts[0]}{more}", "errors": problems}


def as_kept(statement: Shape, *, single: bool) -> Shape:
    """As the database keeps it: without what does not count, lists sorted, each value once."""
    kept = {name: statement[name] for name, field in fields().items() if statement.get(name) is not None and counts(field, statement)}
    for name in ("content_type", "territorial_scope"):
        if name in kept:
            kept[name] = sorted(set(kept[name]))
    if single and "category_addition" in kept:
        kept["category_addition"] = [each for each in kept["category_addition"] if each != kept["category"]]
    return kept


def _limited(seconds: int) -> Reply:
    return Reply(status=429, body=TOO_MANY.encode(), content_type="text/plain; charset=UTF-8", headers=(("Retry-After", str(seconds)),))


def _json(status: int, content: Shape) -> Reply:
    return Reply(status=status, body=msgspec.json.encode(content))
