"""Record: from a decision to what the log keeps of it, and the chain that proves the log.

    payload    = canonical MessagePack of the DecisionRecord: matched surfaces, never the text
    commitment = SHA-256("wildgate/commitment/1" 00 ‖ salt ‖ payload)           salt: 32 random bytes
    chain hash = SHA-256("wildgate/chain/1" 00 ‖ chain hash before ‖ commitment)
    first one  = SHA-256("wildgate/genesis/1" 00 ‖ log id)

Commitments are salted, so that one whose salt and payload were erased tells nothing, and the chain
over commitments stays provable without them. The chain proves that nothing was altered *since a
chain hash was published outside*; it proves nothing to somebody who never saw such a hash.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct, json, msgpack

from wildgate_service.types import TAXON_KINDS, Decision, DecisionRecord, Listing, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

SALT_BYTES = 32
COMMITMENT_DOMAIN = b"wildgate/commitment/1\0"
CHAIN_DOMAIN = b"wildgate/chain/1\0"
GENESIS_DOMAIN = b"wildgate/genesis/1\0"
TEXT_DOMAIN = b"wildgate/text/1\0"
SELLER_DOMAIN = b"wildgate/seller/1\0"
REQUEST_DOMAIN = b"wildgate/request/1\0"

_SHA256_BLOCK = 64
_MICROSECONDS = 1_000_000

_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(DecisionRecord).decode
_encode_fields = json.Encoder().encode


# --- the record ----------------------------------------------------------------------------------


def make_record(
    decision: Decision,
    listing: Listing,
    *,
    tenant: str,
    decision_id: str,
    request_id: str,
    decided_time: datetime,
    tenant_key: bytes,
) -> DecisionRecord:
    """Keep the decision, and of the listing its ids, market and keyed hashes.

    `decided_time` is aware of its time zone, `tenant_key` the tenant's 32 secret bytes.
    """
    text = fingerprint_of(listing, tenant_key)
    return DecisionRecord(
        tenant=tenant,
        decision_id=decision_id,
        request_id=request_id,
        listing_id=listing.id,
        decided_time=decided_time,
        content_kind=listing.content_kind,
        market=listing.market,
        fingerprint=text,
        seller=seller_hash(listing.seller_ref, tenant_key) if listing.seller_ref else "",
        decision=decision,
        posted_time=listing.posted_time,
        request_fingerprint=keyed_hash(tenant_key, REQUEST_DOMAIN + _encode_fields((text, *_asked(listing)))),
    )


def fingerprint_of(listing: Listing, tenant_key: bytes) -> str:
    """The keyed hash of a listing's text fields, which stands for them in the record."""
    return keyed_hash(tenant_key, TEXT_DOMAIN + _encode_fields((listing.title, listing.description, listing.attributes)))


def seller_hash(seller_ref: str, tenant_key: bytes) -> str:
    """The keyed hash of a seller, which stands for them in the record."""
    return keyed_hash(tenant_key, SELLER_DOMAIN + seller_ref.encode())


def _asked(listing: Listing) -> tuple[str, ...]:
    """What a decision depends on beside the text, and whose it is."""
    return (listing.id, listing.content_kind, listing.market, listing.category, listing.language, listing.seller_ref)


def keyed_hash(key: bytes, data: bytes) -> str:
    """Hex HMAC-SHA-256 of RFC 2104, with the two padded blocks of a key hashed once and copied.

    Half the time of `hmac.digest`, its slow twin in the tests. `key` has at most 64 bytes.
    """
    inner, outer = (state.copy() for state in _padded(key))
    inner.update(data)
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=256)
def _padded(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    block = key.ljust(_SHA256_BLOCK, b"\0")
    return (
        hashlib.sha256(bytes(byte ^ 0x36 for byte in block)),
        hashlib.sha256(bytes(byte ^ 0x5C for byte in block)),
    )


# --- its entry in the log ------------------------------------------------------------------------


class Facets(Struct, frozen=True, array_like=True):
    """What reports count decisions by. Few combinations occur, so the store keeps each once."""

    content_kind: str
    market: str
    language: str
    action: str
    shadow_action: str
    shadow: bool
    taxon_groups: tuple[str, ...]
    appendices: tuple[str, ...]
    lexicon_version: str
    model_version: str
    policy_version: str
    degraded_reasons: tuple[str, ...]
    sampled: bool = False
    sampling_rate: float = 0.0


class Findings(Struct, frozen=True, array_like=True):
    """What reports count by beside facets, of the few decisions in which something was found: taxa (group, scientific name), and views."""

    species: tuple[tuple[str, str], ...]
    views: tuple[str, ...]


class Entry(Struct, frozen=True, array_like=True):
    """A record as the writer and the store take it: what is looked up, and the payload as bytes.

    `decided` is in microseconds since 1970 UTC; `facets` is the MessagePack of Facets, `findings` that of Findings, if any.
    """

    tenant: str
    decision_id: str
    request_id: str
    listing_id: str
    decided: int
    action: str
    score: float
    fingerprint: str
    request_fingerprint: str
    facets: bytes
    payload: bytes
    findings: bytes = b""


def make_entry(record: DecisionRecord) -> Entry:
    """Encode a record, once: these bytes are sent, committed to and stored."""
    decision = record.decision
    return Entry(
        record.tenant,
        record.decision_id,
        record.request_id,
        record.listing_id,
        to_microseconds(record.decided_time),
        decision.action,
        decision.score,
        record.fingerprint,
        record.request_fingerprint,
        _encode(facets_of(record)),
        _encode(record),
        _encode(findings) if (findings := findings_of(record)) else b"",
    )


def facets_of(record: DecisionRecord) -> Facets:
    """What reports count the record by; a group or appendix counts once however many taxa bear it."""
    decision, versions = record.decision, record.decision.versions
    taxa = decision.taxa
    return Facets(
        record.content_kind,
        record.market,
        decision.language,
        decision.action,
        decision.shadow_action,
        decision.shadow,
        tuple(sorted({taxon.group for taxon in taxa})) if taxa else (),
        tuple(sorted({taxon.appendix for taxon in taxa})) if taxa else (),
        versions.lexicon,
        versions.model,
        versions.policy,
        decision.degraded_reasons,
        decision.sampled,
        decision.sampling_rate,
    )


def findings_of(record: DecisionRecord) -> Findings | None:
    """Taxa and views of the record, each once; None if there are neither. Views are those of taxon rules that had what they need."""
    decision = record.decision
    species = {(taxon.group, taxon.scientific_name) for taxon in decision.taxa}
    views = {view for match in decision.matches if match.kind in TAXON_KINDS and match.stands for view in match.views}
    return Findings(tuple(sorted(species)), tuple(sorted(views))) if species or views else None


def read_payload(payload: bytes) -> DecisionRecord:
    """The record that was encoded. Raises ValueError if it is none: msgspec.DecodeError, or UnicodeDecodeError."""
    return _decode(payload)


def to_microseconds(time: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time; exact for the next two centuries."""
    return round(time.timestamp() * _MICROSECONDS)


# --- the chain -----------------------------------------------------------------------------------


def genesis(log_id: str) -> bytes:
    """The chain hash before position 1."""
    return hashlib.sha256(GENESIS_DOMAIN + log_id.encode()).digest()


def commitment(record_payload: bytes, salt: bytes) -> bytes:
    """What the log keeps for ever of a payload; `salt` has SALT_BYTES random bytes."""
    return hashlib.sha256(COMMITMENT_DOMAIN + salt + record_payload).digest()


def chain_hash(previous: bytes, commitment: bytes) -> bytes:
    """The chain hash at a position, from the one before it and the commitment there."""
    return hashlib.sha256(CHAIN_DOMAIN + previous + commitment).digest()


def extend_chain(previous: bytes, payloads: Sequence[bytes], salts: bytes) -> tuple[list[bytes], list[bytes]]:
    """Commitments and chain hashes of a group: `commitment` and `chain_hash` without the calls."""
    sha256 = hashlib.sha256
    commitments, chain = [], []
    start = 0
    for payload in payloads:
        end = start + SALT_BYTES
        committed = sha256(COMMITMENT_DOMAIN + salts[start:end] + payload).digest()
        previous = sha256(CHAIN_DOMAIN + previous + committed).digest()
        commitments.append(committed)
        chain.append(previous)
        start = end
    return commitments, chain


class ChainRow(Struct, frozen=True):
    """One position of the log as it is stored.

    `payload` is None where it was erased and then must be `tombstoned`. `chain_hash` is None inside
    a group of records that were committed together: only the last of a group is stored. `damage` says why the group cannot be read, "" if
    it can.
    """

    position: int
    commitment: bytes
    chain_hash: bytes | None
    salt: bytes = b""
    payload: bytes | None = None
    tombstoned: bool = False
    damage: str = ""


class VerifyResult(Struct, frozen=True):
    """What the logs prove. `problem` is empty when all holds, else says what is wrong at `position` of the log `log_id`.

    `heads` are the receipts of the last position that holds, of each log that has records. `published` are the receipts and checkpoints
    from outside that were found at their positions.
    """

    records: int
    erased: int
    heads: tuple[Receipt, ...]
    problem: str = ""
    log_id: str = ""
    position: int = 0
    published: int = 0

    @property
    def intact(self) -> bool:
        """Whether all holds."""
        return not self.problem


def verify_chain(
    rows: Iterable[ChainRow],
    *,
    log_id: str,
    published: Sequence[Receipt] = (),
    agrees: Callable[[ChainRow], str] = lambda _: "",
) -> VerifyResult:
    """Walk the log from its first position and stop at the first that does not hold.

    `published` are receipts kept outside: each must be found at its position, which shows that the
    log was neither rewritten nor cut off since. `agrees` is asked of each position that holds and says what does not agree with it, or "".
    """
    expected: dict[int, set[Receipt]] = defaultdict(set)
    for receipt in published:
        expected[receipt.position].add(receipt)
    chain, records, erased, found = genesis(log_id), 0, 0, 0
    heads: tuple[Receipt, ...] = ()
    for row in rows:
        chain = chain_hash(chain, row.commitment)
        receipt = Receipt(log_id, row.position, chain.hex())
        outside = expected.pop(row.position, set())
        if problem := _problem(row, records + 1, receipt, outside) or agrees(row):
            return VerifyResult(records, erased, heads, problem, log_id, row.position, found)
        records, erased, heads, found = records + 1, erased + (row.payload is None), (receipt,), found + len(outside)
    if expected:
        return VerifyResult(records, erased, heads, "published, but the log ends before", log_id, min(expected), found)
    return VerifyResult(records, erased, heads, published=found)


def _problem(row: ChainRow, position: int, receipt: Receipt, published: set[Receipt]) -> str:
    if row.position != position:
        return f"a gap: position {position} should follow"
    if problem := row.damage or _problem_of_payload(row):
        return problem
    if row.chain_hash is not None and row.chain_hash.hex() != receipt.chain_hash:
        return "the chain hash does not follow from the commitments"
    if any(each.log_id != receipt.log_id for each in published):
        return "what was published is of another log"
    if published - {receipt}:
        return "the chain hash is not the one published"
    return ""


def _problem_of_payload(row: ChainRow) -> str:
    if row.payload is None:
        if not row.tombstoned:
            return "the payload is gone and no tombstone says that it was erased"
        return "the payload was erased, and its salt is not" if any(row.salt) else ""
    if commitment(row.payload, row.salt) != row.commitment:
        return "the payload is not the one committed to"
    return "a tombstone says that the payload was erased, and it is here" if row.tombstoned else ""
