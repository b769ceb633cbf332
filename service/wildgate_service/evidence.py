"""Evidence: the records of one listing, with what proves them, as a file that is verified offline.

A bundle is a zip of six files; its README.txt says what each is, how to verify them, and what that proves. `verify.py` in it does the same
as `verify_bundle` here with the standard library alone: each is the other's twin in the tests.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service import record as log
from wildgate_service.checkpoints import Checkpoint, SigningKey, is_signed, verifies
from wildgate_service.errors import WildgateError
from wildgate_service.types import Receipt

DOMAIN = "wildgate/evidence/1"
HASH_BYTES = 32
MOST_BYTES = 256 * 1024 * 1024  # of one file in a bundle
OLDEST = (1980, 1, 1, 0, 0, 0)  # the time that zips of equal content have alike
TEMPLATES = {"README.txt": "README.txt", "verify.py": "verify.py.txt"}
WRITTEN = ("records.json", "outcomes.json", "proof.json")
MANIFEST = "manifest.json"


class EvidenceError(WildgateError):
    """A bundle that cannot be made or read, or does not prove what it says."""


Place = tuple[str, int]  # id of a log, and position in it


class Wanted(Struct, frozen=True, kw_only=True):
    """Which records: those of a listing, or those at positions of the log `log_id`, of each log if it is "".

    Of all tenants if `tenant` is None.
    """

    tenant: str | None
    listing_id: str = ""
    positions: tuple[int, ...] = ()
    log_id: str = ""


class Followed(Struct, frozen=True, kw_only=True):
    """An outcome as it was reported, in force or corrected later."""

    outcome_id: str
    kind: str
    means: str
    notice_source: str
    occurred_time: datetime
    recorded_time: datetime
    restrictions: tuple[str, ...]
    ground: str
    corrects: str
    reference: str


class Proof(Struct, frozen=True, kw_only=True):
    """A record, and the chain from it to a receipt.

    `previous` is the chain hash before it, `following` the commitments (32 bytes each) between it and `reached`, which was `published` or
    is the record's own place. `payload` is None, and `salt` empty, where it was erased.
    """

    log_id: str
    position: int
    previous: bytes
    commitment: bytes
    salt: bytes
    payload: bytes | None
    erased_time: datetime | None
    following: bytes
    reached: Receipt
    published: bool

    @property
    def place(self) -> Place:
        """Where the record stands."""
        return self.log_id, self.position


class _ProofLine(Struct, frozen=True):
    """A proof as the bundle has it: bytes in hex."""

    log_id: str
    position: int
    previous: str
    commitment: str
    salt: str
    payload: str | None
    erased_time: datetime | None
    following: str
    checkpoint: Checkpoint
    published: bool

    @property
    def place(self) -> Place:
        """Where the record stands."""
        return self.log_id, self.position


class _ProofFile(Struct, frozen=True):
    """proof.json."""

    made_time: datetime
    records: tuple[_ProofLine, ...]


class _Manifest(Struct, frozen=True):
    """manifest.json."""

    files: dict[str, str]
    public_key: str
    signature: str


class _ShownRecord(Struct, frozen=True):
    """A record of records.json; None where it was erased."""

    log_id: str
    position: int
    record: dict[str, Any] | None


class Verified(Struct, frozen=True):
    """What a bundle proves: its records, by place, each with the checkpoint that it stands before, and whose key signed the bundle."""

    public_key: str
    records: tuple[tuple[Place, Checkpoint], ...]
    erased: int


# --- make ----------------------------------------------------------------------------------------


def make_bundle(
    proofs: Sequence[Proof],
    followed: Mapping[Place, Sequence[Followed]],
    *,
    published: Sequence[Checkpoint],
    key: SigningKey,
    now: datetime,
) -> bytes:
    """The zip. `published` are the checkpoints that proofs may reach; the key signs those of proofs that reach none, and the whole."""
    signed = {each.receipt: each for each in sorted(published, key=lambda each: bool(each.signature))}
    lines = tuple(_line(proof, signed.get(proof.reached) or key.checkpoint(proof.reached, now)) for proof in proofs)
    outcomes = [{"log_id": log_id, "position": position, "outcomes": each} for (log_id, position), each in followed.items()]
    shown = [_ShownRecord(*proof.place, _shown(proof.payload) if proof.payload else None) for proof in proofs]
    templates = resources.files("wildgate_service.templates") / "evidence"
    files = {name: (templates / template).read_bytes() for name, template in TEMPLATES.items()} | {
        "records.json": _json(shown),
        "outcomes.json": _json(outcomes),
        "proof.json": _json(_ProofFile(now, lines)),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = _Manifest(digests, key.public_key, key.sign(_signed_text(digests)))
    return _zipped({**files, MANIFEST: _json(manifest)})


def _line(proof: Proof, checkpoint: Checkpoint) -> _ProofLine:
    return _ProofLine(
        log_id=proof.log_id,
        position=proof.position,
        previous=proof.previous.hex(),
        commitment=proof.commitment.hex(),
        salt=proof.salt.hex(),
        payload=None if proof.payload is None else proof.payload.hex(),
        erased_time=proof.erased_time,
        following=proof.following.hex(),
        checkpoint=checkpoint,
        published=proof.published,
    )


def _shown(payload: bytes) -> dict[str, Any]:
    """The payload as it is, with times in ISO 8601."""
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.msgpack.decode(payload)))
    return read


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _signed_text(digests: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return f"{DOMAIN}\n{lines}".encode()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, OLDEST), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


# --- verify --------------------------------------------------------------------------------------


def verify_bundle(content: bytes) -> Verified:
    """Check everything that a bundle claims. Raises EvidenceError that says what does not hold."""
    files = _unzipped(content)
    try:
        manifest = msgspec.json.decode(files[MANIFEST], type=_Manifest)
        for problem in _problems_of_manifest(files, manifest):
            raise EvidenceError(problem)
        proof = msgspec.json.decode(files["proof.json"], type=_ProofFile)
        shown = {(each.log_id, each.position): each.record for each in msgspec.json.decode(files["records.json"], type=list[_ShownRecord])}
        for problem in _problems_of_proof(proof, shown):
            raise EvidenceError(problem)
    except (KeyError, ValueError) as error:  # msgspec's errors and those of hex among them
        message = f"the bundle is not whole: {error}"
        raise EvidenceError(message) from error
    return Verified(
        manifest.public_key,
        tuple((each.place, each.checkpoint) for each in proof.records),
        sum(each.payload is None for each in proof.records),
    )


def _unzipped(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(each.file_size > MOST_BYTES for each in archive.infolist()):
                message = f"the bundle holds a file of more than {MOST_BYTES:,} bytes"
                raise EvidenceError(message)
            return {each.filename: archive.read(each) for each in archive.infolist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        message = f"this is no zip, or a damaged one: {error}"
        raise EvidenceError(message) from error


def _problems_of_manifest(files: Mapping[str, bytes], manifest: _Manifest) -> Iterator[str]:
    if set(manifest.files) != set(files) - {MANIFEST} or not set(WRITTEN) <= set(files):
        yield "the bundle has other files than its manifest says"
    for name, digest in manifest.files.items():
        if hashlib.sha256(files.get(name, b"")).hexdigest() != digest:
            yield f"{name} is not the file that was signed"
    if not verifies(manifest.public_key, manifest.signature, _signed_text(manifest.files)):
        yield "the signature of the manifest does not hold"


def _problems_of_proof(proof: _ProofFile, shown: Mapping[Place, dict[str, Any] | None]) -> Iterator[str]:
    if sorted(shown) != sorted(each.place for each in proof.records):
        yield "records.json has other records than proof.json"
    for line in proof.records:
        committed = bytes.fromhex(line.commitment)
        if line.payload is not None:
            payload = bytes.fromhex(line.payload)
            if log.commitment(payload, bytes.fromhex(line.salt)) != committed:
                yield f"record {line.position} is not the one committed to"
            if _shown(payload) != shown[line.place]:
                yield f"records.json says something else of record {line.position}"
        if _reached(line) != line.checkpoint.receipt:
            yield f"record {line.position} does not lead to its checkpoint"
        if line.checkpoint.signature and not is_signed(line.checkpoint):
            yield f"the signature of the checkpoint of record {line.position} does not hold"


def _reached(line: _ProofLine) -> Receipt:
    """Where the chain leads from the record over the commitments after it."""
    chain = log.chain_hash(bytes.fromhex(line.previous), bytes.fromhex(line.commitment))
    following = bytes.fromhex(line.following)
    for start in range(0, len(following), HASH_BYTES):
        chain = log.chain_hash(chain, following[start : start + HASH_BYTES])
    return Receipt(line.log_id, line.position + len(following) // HASH_BYTES, chain.hex())
