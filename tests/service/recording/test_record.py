"""From a decision to its record, its bytes and the chain."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wildgate_service.record import (
    SALT_BYTES,
    ChainRow,
    chain_hash,
    commitment,
    extend_chain,
    facets_of,
    genesis,
    keyed_hash,
    make_entry,
    read_payload,
    verify_chain,
)
from wildgate_service.types import Action, Attribute, Listing, Receipt, Taxon

LOG = "log-1"


def test_a_record_survives_its_encoding(samples):
    """What was encoded is read back equal: matches, evidence, times and all."""
    record = samples.record(Action.BLOCK)
    assert read_payload(make_entry(record).payload) == record


def test_the_encoding_is_canonical(samples):
    """Equal records have equal bytes, or commitments could not be recomputed."""
    record = samples.record(Action.REVIEW)
    assert make_entry(record).payload == make_entry(msgspec.structs.replace(record)).payload


def test_neither_text_nor_seller_is_kept(samples):
    """Of the text only what matched is in the bytes; the seller is not in them at all."""
    listing = Listing(
        id="1",
        title="Elephant  tusk from grandfather",
        description="secret meeting place",
        attributes=(Attribute("Color", "eggshell"),),
        seller_ref="seller-77",
    )
    payload = make_entry(samples.record(Action.BLOCK, listing=listing)).payload
    kept = [word for word in (b"grandfather", b"meeting", b"eggshell", b"seller-77") if word in payload]
    assert kept == []


def test_the_same_text_has_the_same_fingerprint_under_one_key_only(samples):
    """Two tenants cannot compare what they hold."""
    one, other = (samples.record(tenant_key=key) for key in (b"1" * 32, b"2" * 32))
    assert one.fingerprint == samples.record(tenant_key=b"1" * 32).fingerprint
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    "listing",
    [
        Listing(title="ab", description="c"),
        Listing(title="a", description="bc"),
        Listing(title="", description="abc"),
        Listing(title="abc", attributes=(Attribute("", ""),)),
        Listing(attributes=(Attribute("a", "bc"),)),
        Listing(attributes=(Attribute("ab", "c"),)),
    ],
)
def test_moving_text_between_fields_changes_the_fingerprint(samples, listing):
    """Fields are told apart, not run together."""
    assert samples.record(listing=listing).fingerprint != samples.record(listing=Listing(title="abc")).fingerprint


def test_a_listing_without_seller_has_no_seller_hash(samples):
    """Nothing stands for nobody, so that nobodies do not look like one seller."""
    assert samples.record(listing=Listing(title="a")).seller == ""


@given(key=st.binary(max_size=64), data=st.binary(max_size=300))
def test_the_keyed_hash_is_hmac_sha_256(key, data):
    """The fast hash against the standard library's."""
    assert keyed_hash(key, data) == hmac.digest(key, data, "sha256").hex()


def test_a_group_counts_once_however_many_taxa_bear_it(samples):
    """Two elephants in one text are one decision about elephants."""
    taxa = (Taxon("elephant", "A", "I"), Taxon("elephant", "B", "II"), Taxon("bear", "C", "I"))
    facets = facets_of(samples.record(decision=samples.decision(taxa=taxa)))
    assert (facets.taxon_groups, facets.appendices) == (("bear", "elephant"), ("I", "II"))


def test_the_hashes_are_the_documented_ones():
    """Anybody can recompute them from the description alone."""
    salt, payload = b"s" * 32, b"payload"
    committed = hashlib.sha256(b"wildgate/commitment/1\0" + salt + payload).digest()
    first = hashlib.sha256(b"wildgate/genesis/1\0log-1").digest()
    link = hashlib.sha256(b"wildgate/chain/1\0" + first + committed).digest()
    assert (commitment(payload, salt), genesis(LOG), chain_hash(first, committed)) == (
        committed,
        first,
        link,
    )


# --- the chain -----------------------------------------------------------------------------------

payload_lists = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=12)


def build(payloads, *, group=1):
    """The rows of a log of these payloads, with the chain hash of every group's last."""
    salts = bytes(range(32)) * len(payloads)
    commitments, chain = extend_chain(genesis(LOG), payloads, salts)
    return [
        ChainRow(
            position,
            committed,
            link if position % group == 0 or position == len(payloads) else None,
            salts[:SALT_BYTES],
            payload,
        )
        for position, (payload, committed, link) in enumerate(zip(payloads, commitments, chain, strict=True), 1)
    ]


@given(payloads=payload_lists)
def test_extending_a_chain_is_chaining_one_by_one(payloads):
    """The fast loop against its slow twin."""
    previous, expected = genesis(LOG), []
    for payload in payloads:
        previous = chain_hash(previous, commitment(payload, bytes(range(32))))
        expected.append(previous)
    assert extend_chain(genesis(LOG), payloads, bytes(range(32)) * len(payloads))[1] == expected


@given(payloads=payload_lists, group=st.integers(1, 5))
def test_an_untouched_log_is_intact(payloads, group):
    """However its records were grouped."""
    result = verify_chain(build(payloads, group=group), log_id=LOG)
    assert (result.intact, result.records, result.heads[0].position) == (
        True,
        len(payloads),
        len(payloads),
    )


@given(payloads=payload_lists, data=st.data())
def test_a_changed_payload_is_found(payloads, data):
    """Wherever it is, and the position is named."""
    rows = build(payloads)
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = msgspec.structs.replace(rows[at], payload=rows[at].payload + b"!")
    result = verify_chain(rows, log_id=LOG)
    assert (result.problem, result.position) == ("the payload is not the one committed to", at + 1)


@given(payloads=payload_lists, data=st.data())
def test_a_rewritten_log_is_found_by_what_was_published(payloads, data):
    """Whoever recomputes the whole chain after a change cannot change what others wrote down."""
    published = Receipt(LOG, len(payloads), build(payloads)[-1].chain_hash.hex())
    at = data.draw(st.integers(0, len(payloads) - 1))
    forged = build([*payloads[:at], payloads[at] + b"!", *payloads[at + 1 :]])
    result = verify_chain(forged, log_id=LOG, published=[published])
    assert result.problem == "the chain hash is not the one published"


@given(payloads=payload_lists)
def test_a_log_that_was_cut_off_is_found_by_what_was_published(payloads):
    """The chain of what is left holds, yet the published end is missing."""
    published = Receipt(LOG, len(payloads), build(payloads)[-1].chain_hash.hex())
    result = verify_chain(build(payloads)[:-1], log_id=LOG, published=[published])
    assert (result.problem, result.position) == (
        "published, but the log ends before",
        len(payloads),
    )


@given(payloads=payload_lists, data=st.data())
def test_erased_payloads_leave_the_chain_provable(payloads, data):
    """Any of them, as long as tombstones say so; the head is the same as before."""
    rows = build(payloads)
    erased = data.draw(st.sets(st.integers(0, len(rows) - 1)))
    left = [
        msgspec.structs.replace(row, payload=None, salt=b"", tombstoned=True) if index in erased else row for index, row in enumerate(rows)
    ]
    result = verify_chain(left, log_id=LOG)
    assert (result.intact, result.erased, result.heads) == (
        True,
        len(erased),
        verify_chain(rows, log_id=LOG).heads,
    )


def test_a_payload_that_vanished_without_tombstone_is_found():
    """Losing is not erasing."""
    rows = build([b"a", b"b"])
    rows[1] = msgspec.structs.replace(rows[1], payload=None)
    assert verify_chain(rows, log_id=LOG).position == 2


def test_a_removed_record_is_found():
    """A gap in the positions."""
    rows = build([b"a", b"b", b"c"])
    del rows[1]
    assert verify_chain(rows, log_id=LOG).problem.startswith(("a gap", "the chain hash"))


def test_an_empty_log_is_intact():
    """It has no head."""
    assert verify_chain([], log_id=LOG).heads == ()
