"""The request at hand; needs no models, so that settings can import what asks for it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

request_at_hand: ContextVar[HttpRequest | None] = ContextVar("wildgate_request", default=None)
"""Set by the middleware; None outside a request."""
