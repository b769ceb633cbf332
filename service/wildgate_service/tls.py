"""Certificates of TLS: read, checked as a whole, and looked at again when their files change.

The supervisor alone reads the files. What is broken, expired or does not belong together ends the start with one line; later it is logged,
and what was served before is served on. gRPC is told by the workers (`tls_port`).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from wildgate_service.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.x509 import Certificate

    from wildgate_service.settings import Settings

log = structlog.get_logger()

FILES = ("tls_certificate", "tls_private_key", "tls_client_ca")
SOON = timedelta(days=14)
TELL_SECONDS = 86_400.0  # between two warnings that a certificate expires soon

Signature = tuple[tuple[int, int, int] | None, ...]


class Certificates(Struct, frozen=True):
    """What gRPC needs, in PEM; `client_ca` None asks clients for no certificate. `expires` by setting: when the first of its file does."""

    chain: bytes
    private_key: bytes
    client_ca: bytes | None
    expires: dict[str, datetime]

    def __repr__(self) -> str:
        return f"Certificates(expires={self.expires})"

    def told(self) -> dict[str, str]:
        """When which expires, for a log."""
        return {name: f"{expires:%Y-%m-%dT%H:%M:%SZ}" for name, expires in self.expires.items()}


def read_certificates(settings: Settings, now: datetime) -> Certificates | None:
    """Read and check the files; None for a service without TLS.

    Raises SettingsError that names the setting, the file, what is wrong with it and what to do.
    """
    if settings.tls_certificate is None or settings.tls_private_key is None:
        return None
    chain, certificates = _certificates(settings, "tls_certificate")
    expires = {"tls_certificate": _valid_until(settings, "tls_certificate", certificates, now)}
    private_key = _private_key(settings, certificates[0])
    if settings.tls_client_ca is None:
        return Certificates(chain, private_key, None, expires)
    authorities, trusted = _certificates(settings, "tls_client_ca")
    # An authority that is on its way out or in stands beside those in use.
    in_use = [each for each in trusted if each.not_valid_before_utc <= now < each.not_valid_after_utc] or trusted
    expires["tls_client_ca"] = _valid_until(settings, "tls_client_ca", in_use, now)
    return Certificates(chain, private_key, authorities, expires)


def _certificates(settings: Settings, name: str) -> tuple[bytes, list[Certificate]]:
    """A file's content, and the certificates in it: one at least."""
    from cryptography import x509  # noqa: PLC0415  (a service without TLS does not load it for this)

    content = _content(settings, name)
    try:
        return content, x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise _fault(settings, name, "holds no certificate that can be read; name a PEM file of certificates") from error


def _valid_until(settings: Settings, name: str, certificates: list[Certificate], now: datetime) -> datetime:
    """When the first of them expires."""
    expires = min(each.not_valid_after_utc for each in certificates)
    if expires <= now:
        raise _fault(settings, name, f"expired at {expires:%Y-%m-%d %H:%M} UTC; renew it")
    begins = max(each.not_valid_before_utc for each in certificates)
    if begins > now:
        raise _fault(settings, name, f"is valid from {begins:%Y-%m-%d %H:%M} UTC only; check the clock, or take one that is valid now")
    return expires


def _private_key(settings: Settings, leaf: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  (likewise)

    content = _content(settings, "tls_private_key")
    try:
        key = load_pem_private_key(content, None)
    except TypeError as error:
        raise _fault(settings, "tls_private_key", "is encrypted; write it without a password, for its owner alone") from error
    except ValueError as error:
        raise _fault(settings, "tls_private_key", "holds no key that can be read; name the PEM file of the certificate's key") from error
    if key.public_key() != leaf.public_key():
        raise _fault(settings, "tls_private_key", f"does not belong to {settings.tls_certificate}; name certificate and key of one pair")
    return content


def _content(settings: Settings, name: str) -> bytes:
    path: Path = getattr(settings, name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"setting {name}: cannot read {path}; name a PEM file that this user may read") from error


def _fault(settings: Settings, name: str, what: str) -> SettingsError:
    return SettingsError(f"setting {name}: {getattr(settings, name)} {what}")


class CertificateWatch:
    """Looks at the files, now and then, and says when what is served should change."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._seen = self._taken = self._signature()
        self._tell_due = 0.0
        self.current = read_certificates(settings, datetime.now(UTC))

    def poll(self) -> Certificates | None:
        """New certificates, once, if the files have changed to such; broken ones are logged, once.

        Only files that are the same as at the look before are read, for two files cannot be replaced at the same moment.
        """
        if self.current is None:
            return None
        before, self._seen = self._seen, self._signature()
        taken = None
        if self._seen == before != self._taken:
            self._taken = self._seen
            taken = self._take()
        self._tell_expiry()
        return taken

    def _take(self) -> Certificates | None:
        try:
            self.current = read_certificates(self._settings, datetime.now(UTC))
        except SettingsError as error:
            log.error("tls_refused", why=str(error))  # noqa: TRY400  (what happened is in the line, and nothing is broken here)
            return None
        self._tell_due = 0.0
        return self.current

    def _tell_expiry(self) -> None:
        if self.current is None or self._clock() < self._tell_due:
            return
        self._tell_due = self._clock() + TELL_SECONDS
        for name, expires in self.current.expires.items():
            if (left := expires - datetime.now(UTC)) < SOON:
                log.warning("tls_expires_soon", setting=name, file=str(getattr(self._settings, name)), days=left.days)

    def _signature(self) -> Signature:
        return tuple(_signature(getattr(self._settings, name)) for name in FILES)


def _signature(path: Path | None) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced."""
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns) if status else None
