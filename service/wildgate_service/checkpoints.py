"""Checkpoints: where the log stood, signed by those who keep it.

A checkpoint is a receipt with a time and an Ed25519 signature (RFC 8032) over five lines of text:

    wildgate/checkpoint/1
    <log id>
    <position>
    <chain hash>
    <signed time>

each ended by a line feed. The signature says who published it, so that nobody can deny it later or put another in its place; that the log
is unaltered since follows from the chain, for whoever kept the checkpoint. The key lies beside the secrets, is made at its first use, and
never enters the store.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from msgspec import Struct

from wildgate_service.errors import SettingsError
from wildgate_service.types import Receipt

DOMAIN = "wildgate/checkpoint/1"
PRIVATE = 0o600


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A receipt (position and chain hash of a log), who signed it and when; a mere receipt has neither key nor signature.

    `public_key` (32 bytes) and `signature` (64) are in hex, `signed_time` in ISO 8601, UTC.
    """

    log_id: str
    position: int
    chain_hash: str
    signed_time: str = ""
    public_key: str = ""
    signature: str = ""

    @property
    def receipt(self) -> Receipt:
        """Where the log stood."""
        return Receipt(self.log_id, self.position, self.chain_hash)


class SigningKey:
    """The private key of a service's logs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public_key(self) -> str:
        """What signatures are checked with, in hex."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """The signature, in hex."""
        return self._key.sign(data).hex()

    def checkpoint(self, receipt: Receipt, time: datetime) -> Checkpoint:
        """Sign where the log stood; `time` is aware of its zone."""
        unsigned = Checkpoint(
            log_id=receipt.log_id,
            position=receipt.position,
            chain_hash=receipt.chain_hash,
            signed_time=time.astimezone(UTC).isoformat(timespec="seconds"),
            public_key=self.public_key,
        )
        return msgspec.structs.replace(unsigned, signature=self.sign(signed_text(unsigned)))


def signed_text(checkpoint: Checkpoint) -> bytes:
    """What a checkpoint's signature is over."""
    lines = (DOMAIN, checkpoint.log_id, str(checkpoint.position), checkpoint.chain_hash, checkpoint.signed_time)
    return "".join(f"{line}\n" for line in lines).encode()


def is_signed(checkpoint: Checkpoint) -> bool:
    """Whether the signature is that of the key which the checkpoint names."""
    return bool(checkpoint.signature) and verifies(checkpoint.public_key, checkpoint.signature, signed_text(checkpoint))


def verifies(public_key: str, signature: str, data: bytes) -> bool:
    """Whether a signature over data is of a key, both in hex."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_signing_key(path: Path) -> SigningKey:
    """Read the key (PEM, PKCS 8), made if there is none.

    Raises SettingsError if it cannot be read or made, or others than its owner may read it.
    """
    try:
        if not path.exists():
            _make(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            message = f"the signing key {path} has mode {mode:04o}: chmod 600 it, its owner alone"
            raise SettingsError(message)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        message = f"the signing key {path} cannot be read or made: {error.strerror}"
        raise SettingsError(message) from error
    except ValueError as error:
        message = f"the signing key {path} is malformed: restore it from a backup ({error})"
        raise SettingsError(message) from error
    if not isinstance(key, Ed25519PrivateKey):
        message = f"the signing key {path} is no Ed25519 key: restore it from a backup"
        raise SettingsError(message)
    return SigningKey(key)


def _make(path: Path) -> None:
    """Put a new key there in one step; if another process was first, its key stands."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
        file.write(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(new, path)
    finally:
        new.unlink()


# --- from files ----------------------------------------------------------------------------------


class _Report(Struct):
    """A report as JSON, of which the checkpoints are wanted."""

    checkpoints: list[Checkpoint]


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """The checkpoints and receipts of a file: one JSON object a line, or a report as JSON.

    Raises SettingsError that names the line that is none, or whose signature is not of the key that it names.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise SettingsError(message) from error
    with suppress(msgspec.DecodeError):
        return [_sound(each, str(path)) for each in msgspec.json.decode(content, type=_Report).checkpoints]
    lines = enumerate(content.splitlines(), 1)
    return [_read(line, f"{path}:{number}") for number, line in lines if line.strip()]


def _read(line: bytes, place: str) -> Checkpoint:
    try:
        return _sound(msgspec.json.decode(line, type=Checkpoint), place)
    except msgspec.DecodeError as error:
        message = f'{place} is neither a receipt nor a checkpoint, {{"log_id", "position", "chain_hash", …}}: {error}'
        raise SettingsError(message) from error


def _sound(checkpoint: Checkpoint, place: str) -> Checkpoint:
    if (checkpoint.signature or checkpoint.public_key) and not is_signed(checkpoint):
        message = f"{place}: the signature is not that of the key it names; it was altered"
        raise SettingsError(message)
    return checkpoint
