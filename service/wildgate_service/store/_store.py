"""The store as the rest of the service sees it, over one connection to its database."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from wildgate_service.record import make_entry, read_payload
from wildgate_service.store import (
    _api_keys,
    _audit,
    _counting,
    _decisions,
    _erase,
    _findings,
    _following,
    _late,
    _limits,
    _logs,
    _measures,
    _outcomes,
    _proof,
    _repeats,
    _retention,
    _statements,
)
from wildgate_service.store._database import ConnectionLostError, again, one
from wildgate_service.types import Receipt, Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date, datetime

    from wildgate_service.errors import WildgateError
    from wildgate_service.evidence import Followed, Place, Proof, Wanted
    from wildgate_service.keys import ApiKey
    from wildgate_service.limiting.limit import TenantLimit
    from wildgate_service.measures import Case, Measure
    from wildgate_service.outcomes import Following, Outcome
    from wildgate_service.record import Entry, VerifyResult
    from wildgate_service.report import CountedFindings, ReportFacts
    from wildgate_service.statements.facts import Goods, StatementFacts
    from wildgate_service.store._audit import Progress
    from wildgate_service.store._database import Database
    from wildgate_service.store._decisions import Appended
    from wildgate_service.store._late import Superseded
    from wildgate_service.store._outcomes import DecisionNotFoundError, OutcomeRecorded
    from wildgate_service.store._retention import Unwanted
    from wildgate_service.types import DecisionRecord

RECONNECT_SECONDS = 2.0  # less than workers wait for their writer
RETRY_SECONDS = 0.05

Result = TypeVar("Result")


class Store:
    """Decisions, logs, outcomes and API keys. Every method may raise StoreError.

    A store belongs to the thread that opened it. Make one with `open_store`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = _decisions.Known()

    def close(self) -> None:
        """Close the connection; what was appended is kept."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self) -> None:
        """Raise StoreError if the file was deleted or replaced: what is written now would go with the old one."""
        self._database.check()

    def is_used(self) -> bool:
        """Whether it holds decisions or API keys, which mean nothing without the secrets they were made with."""
        with self._database.explained():
            query = "SELECT EXISTS (SELECT 1 FROM decisions) OR EXISTS (SELECT 1 FROM api_keys)"
            return bool(one(self._database, query)[0])

    # --- decisions and outcomes ------------------------------------------------------------------

    def append(self, records: Sequence[DecisionRecord]) -> list[Recorded | WildgateError]:
        """Append records in one transaction and answer each, in order.

        A repeat, of this call or an earlier one, gets the record that stands under its request;
        RequestReusedError stands for one whose request_id was used for another listing, StoreError for
        one whose decision_id is taken.
        """
        places = self.append_entries([make_entry(record) for record in records])
        return [
            place if isinstance(place, Exception) else self._recorded(record, place) for record, place in zip(records, places, strict=True)
        ]

    def _recorded(self, record: DecisionRecord, place: Appended) -> Recorded:
        standing = read_payload(place.payload) if place.payload else record
        receipt = Receipt(place.log_id, place.position, place.chain_hash.hex())
        return Recorded(standing, receipt, repeated=place.payload is not None)

    def append_entries(self, entries: Sequence[Entry]) -> list[Appended | WildgateError]:
        """As `append`, for records that are encoded already."""
        return self._lasting(lambda: _repeats.append(self._database, self._known, entries))

    def append_outcomes(self, outcomes: Sequence[Outcome]) -> list[OutcomeRecorded | DecisionNotFoundError]:
        """Append outcomes in one transaction and answer each, in order.

        An outcome_id that the tenant has already is a duplicate. The decision_id must be known, the
        request_id need not be: a client answers itself when the service is out of reach.
        """
        return self._lasting(lambda: _outcomes.append_outcomes(self._database, outcomes))

    def _lasting(self, act: Callable[[], Result]) -> Result:
        """What it returns, over another connection if this one is lost.

        What is appended twice is there once, so nobody need know how far the lost one came.
        """
        latest = time.monotonic() + RECONNECT_SECONDS
        while True:
            try:
                with self._database.explained():
                    return act()
            except ConnectionLostError:
                self._known = _decisions.Known()  # another connection holds another log
                self._reconnect(latest)

    def _reconnect(self, latest: float) -> None:
        while True:
            try:
                return self._database.reconnect()
            except ConnectionLostError:
                if time.monotonic() + RETRY_SECONDS > latest:
                    raise
            time.sleep(RETRY_SECONDS)

    def keep_superseded(self, superseded: Sequence[Superseded]) -> None:
        """Remember late decisions that gave way to earlier ones on their requests, so that outcomes that name them are about those."""
        with self._database.explained():
            _late.keep_superseded(self._database, superseded)

    def check_writable(self) -> None:
        """Raise StoreError if the store could not take a record now; changes nothing."""
        with self._database.explained():
            again(partial(_late.touch, self._database))

    def following(self, tenant: str | None = None) -> list[Following]:
        """Every outcome of a tenant (None: of all) with the decision or answer that it is about."""
        with self._database.explained():
            return list(_following.following(self._database, tenant))

    def fingerprint_at(self, position: int) -> str:
        """The keyed hash of the text of the decision at a position of the log; "" if it was erased."""
        with self._database.explained():
            return _following.fingerprint_at(self._database, position)

    def measures(self, start: date, end: date, *, tenant: str | None = None) -> list[Measure]:
        """What was restricted in the UTC days `start` to `end`, both included; of all tenants if `tenant` is None."""
        with self._database.explained():
            return list(_measures.measures(self._database, tenant, start, end))

    def cases(self, start: date, end: date, *, tenant: str | None = None) -> list[Case]:
        """Notices, complaints, disputes and orders that were received in these days, as they stood at the end of the last."""
        with self._database.explained():
            return list(_measures.cases(self._database, tenant, start, end))

    def goods(self, positions: Collection[int]) -> dict[int, dict[str, Goods]]:
        """What was offered by the decisions at these positions of the log, by taxon group; erased ones are left out."""
        with self._database.explained():
            return _statements.goods_at(self._database, positions)

    def statement_facts(self, start: date, end: date, *, tenant: str) -> list[StatementFacts]:
        """What the statements of reasons of a tenant's measures in these days, both included, are made of."""
        with self._database.explained():
            return list(_statements.statement_facts(self._database, tenant, start, end))

    # --- the log ---------------------------------------------------------------------------------

    def checkpoints(self) -> tuple[Receipt, ...]:
        """Receipts of the last record of each log that has one, to be published outside."""
        with self._database.explained():
            return _logs.heads(self._database)

    def verify(self, published: Sequence[Receipt] = (), progress: Progress | None = None) -> VerifyResult:
        """Recompute all logs, and check that the decisions counted are those committed to.

        `published` are receipts and checkpoints kept outside; `progress` is told the position now and then. Some 30 µs a record.
        """
        with self._database.explained():
            return _audit.verify(self._database, published, progress)

    def proofs(self, wanted: Wanted, published: Sequence[Receipt] = ()) -> tuple[list[Proof], dict[Place, list[Followed]]]:
        """What proves the records of a listing, or those at positions, and by place the outcomes that followed, corrected ones too.

        Each proof runs to the nearest of the `published` receipts at or after it; to the record itself where there is none.
        """
        with self._database.explained():
            return _proof.proofs(self._database, wanted, published)

    def find(self, unwanted: Unwanted) -> list[int]:
        """Positions of the records that may not be kept any longer, in order; those that were erased are left out."""
        with self._database.explained():
            return _retention.find(self._database, unwanted)

    def erase(self, positions: Sequence[int]) -> int:
        """Erase the payloads, salts and listing ids at these positions, in one transaction; how many were there."""
        with self._database.explained():
            return _erase.erase(self._database, positions)

    # --- reports ---------------------------------------------------------------------------------

    def report_facts(self, start: date, end: date, *, tenant: str | None = None) -> ReportFacts:
        """What a report of the UTC days `start` to `end`, both included, is made of.

        Of all tenants if `tenant` is None.
        """
        with self._database.explained():
            return _counting.count(self._database, tenant=tenant, start=start, end=end)

    def findings(self, start: date, end: date, *, tenant: str | None = None) -> tuple[CountedFindings, ...]:
        """Taxa and views found in these days, counted; beside `report_facts`, which counts the rest."""
        with self._database.explained():
            return _findings.count(self._database, tenant=tenant, start=start, end=end)

    # --- API keys --------------------------------------------------------------------------------

    def add_key(self, key: ApiKey) -> None:
        """Keep a new API key."""
        with self._database.explained():
            _api_keys.add_key(self._database, key)

    def list_keys(self) -> Sequence[ApiKey]:
        """All API keys, expired and revoked ones too, oldest first."""
        with self._database.explained():
            return _api_keys.api_keys(self._database)

    def revoke_key(self, key_id: str, time: datetime) -> bool:
        """Revoke an API key; False if there is none of this id that was in force."""
        with self._database.explained():
            return _api_keys.revoke_key(self._database, key_id, time)

    # --- limits ----------------------------------------------------------------------------------

    def set_limit(self, limit: TenantLimit) -> None:
        """Keep a tenant's limit in the place of the one before."""
        with self._database.explained():
            _limits.set_limit(self._database, limit)

    def list_limits(self) -> list[TenantLimit]:
        """What was set for tenants, by tenant."""
        with self._database.explained():
            return _limits.limits(self._database)

    def clear_limit(self, tenant: str) -> bool:
        """Leave a tenant to the settings again; False if nothing was set."""
        with self._database.explained():
            return _limits.clear_limit(self._database, tenant)

    def counted_on(self, day: int, tenants: Collection[str]) -> dict[str, int]:
        """How many decisions of these tenants were recorded on a day (days since 1970, UTC); those without any are left out."""
        with self._database.explained():
            return _limits.counted_on(self._database, day, tenants)
