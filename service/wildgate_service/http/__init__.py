"""The RPCs over HTTP/1.1 with JSON: the Connect protocol, spoken by connectrpc under uvicorn's parser, on a port of its own.

listener     the port: connections, TLS, drain (uvicorn's protocol under asyncio)
connection   what one connection may cost before it is a request
application  ASGI: which path, which body, what is answered where there is no RPC
calls        the RPCs as connectrpc wants them, received by the same `reception` as gRPC's
messages     JSON and bytes to requests and back
errors       refusals as Connect errors
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from wildgate_service.errors import SettingsError

if TYPE_CHECKING:
    from wildgate_service.settings import Settings

NEEDED = ("connectrpc", "httptools", "uvicorn")


def check_http(settings: Settings) -> None:
    """Raise SettingsError if HTTP is asked for and what it needs is not installed."""
    if settings.http_port is not None and not all(map(find_spec, NEEDED)):
        raise SettingsError("setting http_port needs connectrpc and uvicorn: pip install 'wildgate-service[http]', or leave it empty")
