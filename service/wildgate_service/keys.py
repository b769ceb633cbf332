"""API keys: who calls, for which tenant, and what the key allows.

A key is `wg_<id>_<secret>`: 16 hex digits that name it and 64 that are 256 random bits. The store
keeps the HMAC-SHA-256 of the whole under the pepper, which lies elsewhere. A slow hash would guard
guessable passwords; 256 random bits cannot be guessed, and it would cost more than the SDK's deadline.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from wildgate_service.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES = ("score", "report", "admin", "lexicon.restricted")
EXPLAIN = ("none", "taxa", "matches", "full")
SCORE_DETAIL = ("exact", "tenths", "action")
TENANT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
PRESENTED = re.compile(r"wg_([0-9a-f]{16})_[0-9a-f]{64}")
ID_BYTES, SECRET_BYTES = 8, 32


class ApiKey(Struct, frozen=True, kw_only=True):
    """What is kept of a key. `explain` caps how much explanation its calls may ask for, `score` says how much of the score they see."""

    key_id: str
    tenant: str
    digest: bytes
    scopes: frozenset[str]
    explain: str
    score: str = "exact"
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


class KeyStore(Protocol):
    """Where keys are kept."""

    def add_key(self, key: ApiKey) -> None:
        """Keep a new key."""


def create_key(
    store: KeyStore,
    pepper: bytes,
    *,
    tenant: str,
    scopes: Iterable[str],
    created: datetime,
    explain: str = "matches",
    score: str = "exact",
    expires: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key, keep what is to be kept of it, and return it with its text, shown only this once.

    Raises SettingsError for a tenant, scope, explanation or detail of the score that cannot be.
    """
    wanted = frozenset(scopes)
    _check(tenant, wanted, explain, score)
    key_id = secrets.token_hex(ID_BYTES)
    text = f"wg_{key_id}_{secrets.token_hex(SECRET_BYTES)}"
    key = ApiKey(
        key_id=key_id,
        tenant=tenant,
        digest=digest_of(text, pepper),
        scopes=wanted,
        explain=explain,
        score=score,
        created=created,
        expires=expires,
    )
    store.add_key(key)
    return key, text


def check_tenant(tenant: str) -> None:
    """Raise SettingsError for a name that no tenant can have."""
    if not TENANT.fullmatch(tenant):
        message = f"tenant {tenant!r}: use up to 63 of a-z 0-9 . _ - and begin with a letter or digit"
        raise SettingsError(message)


def _check(tenant: str, scopes: frozenset[str], explain: str, score: str) -> None:
    check_tenant(tenant)
    if unknown := sorted(scopes.difference(SCOPES)):
        message = f"unknown scope {', '.join(unknown)}: choose from {', '.join(SCOPES)}"
        raise SettingsError(message)
    if not scopes:
        message = f"a key needs a scope: choose from {', '.join(SCOPES)}"
        raise SettingsError(message)
    if explain not in EXPLAIN:
        message = f"unknown explanation {explain!r}: choose from {', '.join(EXPLAIN)}"
        raise SettingsError(message)
    if score not in SCORE_DETAIL:
        message = f"unknown detail of the score {score!r}: choose from {', '.join(SCORE_DETAIL)}"
        raise SettingsError(message)


def digest_of(text: str, pepper: bytes) -> bytes:
    """What is kept of a key's text."""
    return hmac.digest(pepper, text.encode(), "sha256")


class KeyRing:
    """The keys in force, looked up by id and compared in constant time. Costs about 5 µs a call."""

    def __init__(self, keys: Iterable[ApiKey], pepper: bytes) -> None:
        self._keys = {key.key_id: key for key in keys}
        self._pepper = pepper

    def __len__(self) -> int:
        return len(self._keys)

    def authenticate(self, presented: str, now: datetime) -> ApiKey | None:
        """The key that was presented, or None if it is unknown, wrong, expired or revoked."""
        shape = PRESENTED.fullmatch(presented)
        key = self._keys.get(shape[1]) if shape else None
        if key is None or key.state(now) != "active":
            return None
        same = hmac.compare_digest(digest_of(presented, self._pepper), key.digest)
        return key if same else None
