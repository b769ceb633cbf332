"""Who may call, and how much: keys, limits, secrets and certificates, as the supervisor keeps them for all workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from wildgate_service.control import Keys, Limits
from wildgate_service.errors import SettingsError, StoreError
from wildgate_service.kept_store import KeptStore
from wildgate_service.limiting.desk import Desk
from wildgate_service.secrets import Secrets, load_secrets
from wildgate_service.settings import DEFAULT_TENANT
from wildgate_service.store import is_postgresql, open_store
from wildgate_service.tls import CertificateWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wildgate_service.control import ToWorker
    from wildgate_service.keys import ApiKey
    from wildgate_service.port import Address
    from wildgate_service.settings import Settings
    from wildgate_service.store import Store

log = structlog.get_logger()


class AccessDesk:
    """Reads all of it at the start, and again and again what may change. Raises SettingsError for certificates that cannot be served."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.certificates = CertificateWatch(settings)
        self.counts = Desk(settings)
        self.keys = Keys((), required=settings.require_keys == "always")
        self.limits = Limits()
        self.secrets: Secrets | None = None
        self._store = KeptStore(settings.store)
        self._strangers: set[str] = set()
        self._unreadable = ""

    def open(self, address: Address) -> None:
        """Make the store if it is missing, and read. Raises SettingsError where everybody on the network could call."""
        if self._settings.recording:
            with open_store(self._settings.store) as store:  # made and migrated before anybody reads it
                self.secrets = _secrets(self._settings, store)
            self.keys, self.limits = self._read()
        else:
            self.limits = self.counts.read(None, ())
        if not self.keys.keys and not address.loopback:
            message = (
                f"refusing to listen on {address} without API keys: everybody on the network "
                "could call. Make one with `wildgate keys create`, or listen on 127.0.0.1"
            )
            raise SettingsError(message)

    async def poll(self, tell: Callable[[ToWorker], Awaitable[int]]) -> None:
        """Tell the workers what changed, and log it once it is in force: a key that the log calls revoked opens nothing any more."""
        if self._settings.recording:
            await self._poll_store(tell)
        changed = self.certificates.poll()
        if changed:
            log.info("tls_changed", workers=await tell(changed), **changed.told())
        self.counts.tell_attempts()

    async def _poll_store(self, tell: Callable[[ToWorker], Awaitable[int]]) -> None:
        try:
            keys, limits = self._read()
        except (StoreError, SettingsError) as error:
            if str(error) != self._unreadable:
                log.error("keys_unreadable", error=str(error))  # noqa: TRY400  (once, and no stack)
            self._unreadable = str(error)
            return
        self._unreadable = ""
        if keys != self.keys:
            self.keys = keys
            log.info("keys_changed", workers=await tell(keys), count=len(keys.keys))
        if limits != self.limits:
            self.limits = limits
            log.info("limits_changed", workers=await tell(limits), tenants=len(limits.placed))

    def _read(self) -> tuple[Keys, Limits]:
        """All keys, revoked ones too, for once there was one, calls need one; and the limits of their tenants."""

        def read(store: Store) -> tuple[tuple[ApiKey, ...], Limits]:
            keys = tuple(store.list_keys())
            return keys, self.counts.read(store, (key.tenant for key in keys))

        keys, limits = self._store.ask(read)
        return Keys(self._in_force(keys), required=bool(keys) or self.keys.required), limits

    def _in_force(self, keys: tuple[ApiKey, ...]) -> tuple[ApiKey, ...]:
        """Without the keys of tenants that only other replicas can have a secret of: one made here would be another than theirs."""
        if not is_postgresql(self._settings.store) or self.secrets is None:
            return keys
        strangers = {key.tenant for key in keys if not self.secrets.holds(key.tenant)}
        if strangers - self._strangers:
            log.error("secrets_missing", tenants=sorted(strangers), file=str(self._settings.secrets_path))
        self._strangers = strangers
        return tuple(key for key in keys if key.tenant not in strangers)


def _secrets(settings: Settings, store: Store) -> Secrets:
    """Read the secrets; where calls need no API key, the key of those without is made before anybody does."""
    secrets = load_secrets(settings.secrets_path, create=not store.is_used())
    if not store.list_keys():
        secrets.tenant_key(DEFAULT_TENANT)
    return secrets
