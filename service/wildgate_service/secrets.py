"""The secrets file: what must not lie in the store that it protects.

It holds the pepper of API keys and one 256-bit key per tenant, under which sellers and texts are
hashed. Whoever has a store without this file cannot tell whose listings it holds; destroying a
tenant's key makes that so for ever.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from wildgate_service.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_BYTES = 32
PRIVATE = 0o600


class _Content(Struct, frozen=True):
    """The file: base64 in JSON."""

    pepper: bytes
    tenants: dict[str, bytes]


class Secrets:
    """The secrets of one service. Safe to use from several processes, each with its own object."""

    def __init__(self, path: Path, content: _Content) -> None:
        self._path = path
        self._content = content

    def __repr__(self) -> str:
        return f"Secrets({str(self._path)!r})"

    @property
    def pepper(self) -> bytes:
        """The key under which API keys are hashed."""
        return self._content.pepper

    def tenant_key(self, tenant: str) -> bytes:
        """The tenant's key, made at the first call of any process."""
        if key := self._content.tenants.get(tenant):
            return key
        with _locked(self._path):
            content = _read(self._path)
            if tenant not in content.tenants:
                tenants = content.tenants | {tenant: secrets.token_bytes(KEY_BYTES)}
                content = _Content(content.pepper, tenants)
                _write(self._path, content)
        self._content = content
        return content.tenants[tenant]

    def holds(self, tenant: str) -> bool:
        """Whether the file has the tenant's key by now; none is made. Raises SettingsError if it cannot be read."""
        if tenant not in self._content.tenants:
            self._content = _read(self._path)
        return tenant in self._content.tenants

    def known_key(self, tenant: str) -> bytes | None:
        """The tenant's key if there is one; None is made."""
        return self._content.tenants.get(tenant)

    def destroy(self, tenant: str) -> bool:
        """Destroy the tenant's key; False if there was none.

        What was hashed under it can no longer be tied to a seller or text. Other processes hold the
        key until they end: restart the service.
        """
        with _locked(self._path):
            content = _read(self._path)
            tenants = {name: key for name, key in content.tenants.items() if name != tenant}
            self._content = _Content(content.pepper, tenants)
            if found := tenant in content.tenants:
                _write(self._path, self._content)
        return found


def load_secrets(path: Path | str, *, create: bool = True) -> Secrets:
    """Read the secrets file; if it is missing, one with a new pepper is made where `create` allows it.

    Raises SettingsError if it cannot be read or made, is malformed, or others than its owner may
    read it.
    """
    path = Path(path)
    if not create and not path.exists():
        message = (
            f"the secrets file {path} is missing, and the store holds keys or decisions that were made with it: "
            "restore it from a backup, or begin anew by naming another store"
        )
        raise SettingsError(message)
    if not path.exists():
        with _locked(path):
            if not path.exists():
                _write(path, _Content(secrets.token_bytes(KEY_BYTES), {}))
    return Secrets(path, _read(path))


def _read(path: Path) -> _Content:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            message = f"the secrets file {path} has mode {mode:04o}: chmod 600 it, its owner alone"
            raise SettingsError(message)
        return msgspec.json.decode(path.read_bytes(), type=_Content)
    except OSError as error:
        message = f"the secrets file {path} cannot be read: {error.strerror}"
        raise SettingsError(message) from error
    except (ValueError, RecursionError) as error:
        message = f"the secrets file {path} is malformed: restore it from a backup ({error})"
        raise SettingsError(message) from error


def _write(path: Path, content: _Content) -> None:
    """Replace the file in one step, so that no reader and no crash ever sees half of it."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(content))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        message = f"the secrets file {path} cannot be written: {error.strerror}"
        raise SettingsError(message) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock beside the file; the file itself is replaced and so cannot be locked."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE)
    except OSError as error:
        message = f"the secrets file {path} cannot be locked: {error.strerror} ({lock})"
        raise SettingsError(message) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
