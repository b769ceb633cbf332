"""How a client reaches the service: its settings, and the channel options with their reasons."""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import grpc

from wildgate._errors import WildgateConfigurationError
from wildgate._types import Decision, Explain, SpanUnit, read_enum
from wildgate._version import __version__

OnUnavailable = Literal["allow", "review", "block", "raise"]
ChannelOptions = list[tuple[str, int | str]]
Metadata = tuple[tuple[str, str], ...]

DEFAULT_TIMEOUT = 0.05
BATCH_TIMEOUT = 2.0
OUTCOME_TIMEOUT = 2.0
READ_TIMEOUT = 30.0
READY_TIMEOUT = 10.0

SERVICE_CONFIG = {
    # Every address that the name resolves to gets its share; one connection would pin one replica.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 2,
                "initialBackoff": "0.005s",
                "maxBackoff": "0.02s",
                "backoffMultiplier": 2,
                # CANCELLED is how gRPC in a service drops a call unread: when it ends, or is flooded.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
    # After ten failures more than the successes pay back, retries stop: no storm on a sick service.
    "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
}

CHANNEL_OPTIONS: ChannelOptions = [
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.service_config_disable_resolution", 1),
    # A peer that is stuck or gone without a word is left after 13 seconds. A server that answers takes
    # these pings well, whatever interval it permits: it counts only those between which it sent nothing.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    # gRPC's own pings, after which it sends no other, are waited for as long; by default that is a minute.
    ("grpc.http2.ping_timeout_ms", 3_000),
    # One missed deadline in five asks as well: at a few calls a second keepalive seldom finds one in flight.
    ("grpc.http2.ping_on_rst_stream_percent", 20),
    ("grpc.keepalive_permit_without_calls", 0),
    # A quiet night must not make the first listing of the morning pay for a new connection.
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
    # Back a second after the service, before the next replica is restarted; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # The name is looked up again when a connection is lost; the default does so only every thirty seconds.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # Listings are smaller than a packet or two: compressing them costs more than it saves.
    ("grpc.default_compression_algorithm", 0),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    # Connections of its own, so that a forked child never meets its parent's.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.primary_user_agent", f"wildgate-python/{__version__}"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a client was made with."""

    target: str
    on_unavailable: OnUnavailable
    timeout: float
    explain: Explain | None
    span_unit: SpanUnit
    metadata: Metadata
    credentials: grpc.ChannelCredentials | None
    """None: plaintext."""
    on_degraded: Callable[[Decision], None] | None


def channel_options(target: str) -> ChannelOptions:
    """Return the options for a target; what stays on this machine goes through no proxy."""
    if is_loopback(target):
        return [*CHANNEL_OPTIONS, ("grpc.enable_http_proxy", 0)]
    return CHANNEL_OPTIONS


def make_settings(
    target: str,
    *,
    on_unavailable: OnUnavailable,
    api_key: str | None,
    insecure: bool,
    root_certificates: bytes | None,
    credentials: grpc.ChannelCredentials | None,
    timeout: float,
    explain: Explain | str | None,
    span_unit: SpanUnit | str,
    on_degraded: Callable[[Decision], None] | None,
    own_channel: bool,
) -> Settings:
    """Check the arguments of a client; raise WildgateConfigurationError for what cannot work."""
    _check_policy(on_unavailable)
    _check_timeout(timeout)
    if own_channel:
        _check_target(target)
        _check_security(target, api_key, insecure, root_certificates, credentials)
    if own_channel and not insecure and credentials is None:
        credentials = grpc.ssl_channel_credentials(root_certificates)
    return Settings(
        target=target,
        on_unavailable=on_unavailable,
        timeout=timeout,
        explain=None if explain is None else read_enum(Explain, explain, "explain"),
        span_unit=read_enum(SpanUnit, span_unit, "span_unit"),
        metadata=_metadata(api_key),
        credentials=credentials,
        on_degraded=on_degraded,
    )


def is_loopback(target: str) -> bool:
    """Tell whether plaintext to this target stays on this machine.

    A name other than localhost may resolve to anywhere, and so may the rest of a list, so neither
    counts.
    """
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    if "," in target:
        return False
    host = _host(target)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(target: str) -> str:
    for scheme in ("dns:", "ipv4:", "ipv6:", "passthrough:"):
        if target.startswith(scheme):
            target = target.removeprefix(scheme)
            break
    if target.startswith("//"):
        target = target[2:].partition("/")[2]
    if target.startswith("["):
        return target[1:].partition("]")[0]
    return target if target.count(":") > 1 else target.partition(":")[0]


def _check_policy(on_unavailable: str) -> None:
    if on_unavailable not in get_args(OnUnavailable):
        choices = ", ".join(get_args(OnUnavailable))
        message = f"on_unavailable must be one of {choices}, not {on_unavailable!r}"
        raise WildgateConfigurationError(message)


def _check_timeout(timeout: float) -> None:
    if not isinstance(timeout, int | float) or not math.isfinite(timeout) or timeout <= 0:
        message = f"timeout must be a positive number of seconds, not {timeout!r}"
        raise WildgateConfigurationError(message)


def _check_target(target: str) -> None:
    if not isinstance(target, str) or not target.strip():
        message = "target must name the service, such as dns:///wildgate:50051"
        raise WildgateConfigurationError(message)


def _check_security(
    target: str,
    api_key: str | None,
    insecure: bool,  # noqa: FBT001 passed on from the clients' keyword
    root_certificates: bytes | None,
    credentials: grpc.ChannelCredentials | None,
) -> None:
    if credentials is not None and root_certificates is not None:
        message = "give credentials or root_certificates, not both"
        raise WildgateConfigurationError(message)
    if insecure and (credentials is not None or root_certificates is not None):
        message = "insecure=True means plaintext: leave out credentials and root_certificates"
        raise WildgateConfigurationError(message)
    if insecure and api_key and not is_loopback(target):
        message = (
            f"an API key must not travel in plaintext to {target}: use TLS (leave out "
            "insecure=True), or a loopback or unix: target, or a service without keys"
        )
        raise WildgateConfigurationError(message)


def _metadata(api_key: str | None) -> Metadata:
    if api_key is None:
        return ()
    if not api_key or not all("!" <= character <= "~" for character in api_key):
        message = "api_key must be printable ASCII without spaces; is there a line end in it?"
        raise WildgateConfigurationError(message)
    return (("authorization", f"Bearer {api_key}"),)
