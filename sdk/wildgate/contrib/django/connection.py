"""The client of this process, and what is answered when it gets no answer."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from wildgate._client import Client
from wildgate._errors import WildgateConfigurationError, WildgateError, WildgateInvalidRequestError
from wildgate._ids import uuid7
from wildgate._types import Action, Decision, Listing
from wildgate.contrib.django import conf

logger = logging.getLogger("wildgate.django")


class _Kept:
    """One client for each process; made at the first call, for a server may fork before."""

    lock = threading.Lock()
    client: Client | None = None


def client() -> Client:
    """Return this process's client; raise WildgateConfigurationError while the settings are wrong."""
    with _Kept.lock:
        if _Kept.client is None:
            _Kept.client = _make()
        return _Kept.client


def forget_client() -> None:
    """Close the client; the next call makes another. For settings that change in tests."""
    with _Kept.lock:
        if _Kept.client is not None:
            _Kept.client.close()
        _Kept.client = None


def score(listing: Listing) -> Decision:
    """Return the service's decision, or within the deadline that of WILDGATE['ON_UNAVAILABLE'], which says so.

    A listing that cannot be scored as it is (too long, say) is for a moderator. A fault of the
    shop's own, such as a wrong key, is logged as an error, and must not cost the seller the page.
    """
    try:
        return client().score(listing, explain="matches")
    except WildgateInvalidRequestError as error:
        return _own_decision(Action.REVIEW, error)
    except WildgateError as error:
        logger.error("wildgate.failed reason=%s: %s", error.reason, error)  # noqa: TRY400 the traceback would hold the listing
        settings = conf.load()
        return _own_decision(Action(settings.on_unavailable) if settings else Action.REVIEW, error)


def _own_decision(action: Action, error: WildgateError) -> Decision:
    return Decision(
        action=action,
        request_id=error.request_id or str(uuid7()),
        degraded=True,
        degraded_reasons=(error.reason.lower(),),
        reason=error.message if isinstance(error, WildgateInvalidRequestError) else "",
    )


def _make() -> Client:
    settings = conf.load()
    if settings is None:
        message = "settings.WILDGATE is wrong: run manage.py check"
        raise WildgateConfigurationError(message)
    certificates = settings.root_certificates
    return Client(
        settings.target,
        on_unavailable=settings.on_unavailable,
        api_key=settings.api_key,
        insecure=settings.insecure,
        root_certificates=Path(certificates).read_bytes() if certificates else None,
        timeout=settings.timeout,
    )
