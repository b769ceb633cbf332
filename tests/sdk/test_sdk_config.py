"""Setting up a client: what is refused, and what is told to gRPC."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from wildgate import AsyncClient, Client, Listing, WildgateConfigurationError
from wildgate._config import CHANNEL_OPTIONS, READ_TIMEOUT, SERVICE_CONFIG, channel_options, is_loopback
from wildgate.testing import FakeWildgate

OPTIONS = dict(CHANNEL_OPTIONS)


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_unavailable": "open"}, "on_unavailable must be one of allow, review, block, raise"),
        ({"target": ""}, "target must name the service"),
        ({"timeout": 0}, "timeout must be a positive number"),
        ({"timeout": float("nan")}, "timeout must be a positive number"),
        ({"timeout": "1"}, "timeout must be a positive number"),
        ({"api_key": "key\n"}, "is there a line end in it"),
        ({"api_key": ""}, "printable ASCII"),
        ({"insecure": True, "root_certificates": b"x"}, "insecure=True means plaintext"),
        ({"insecure": True, "api_key": "k"}, "must not travel in plaintext"),
        ({"root_certificates": b"x", "credentials": object()}, "not both"),
    ],
)
def test_what_cannot_work_is_refused(client: type[Client | AsyncClient], options: dict[str, Any], message: str) -> None:
    """Before anything is connected."""
    with pytest.raises(WildgateConfigurationError, match=message):
        client(**{"target": "wildgate.example:50051", "on_unavailable": "raise", **options})


def test_the_policy_must_be_named() -> None:
    """There is no silent default."""
    with pytest.raises(TypeError, match="on_unavailable"):
        Client("wildgate.example:50051")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "target",
    [
        "localhost:50051",
        "127.0.0.1:50051",
        "127.8.9.1:50051",
        "[::1]:50051",
        "::1",
        "dns:///localhost:50051",
        "dns:localhost:50051",
        "ipv4:127.0.0.1:50051",
        "ipv6:[::1]:50051",
        "unix:/run/wildgate.sock",
    ],
)
def test_these_targets_stay_on_this_machine(target: str) -> None:
    """An API key may travel to them in plaintext."""
    assert is_loopback(target)


@pytest.mark.parametrize(
    "target",
    [
        "wildgate:50051",
        "10.0.0.1:50051",
        "dns:///wildgate.example:50051",
        "dns://127.0.0.1/wildgate.example:50051",
        "localhost.example:50051",
        "127.0.0.1.example:50051",
        "ipv4:127.0.0.1:1,10.0.0.1:2",
        "[::1]:1,[2001:db8::1]:2",
        "0.0.0.0:50051",
    ],
)
def test_these_targets_may_leave_it(target: str) -> None:
    """Names, lists and addresses elsewhere."""
    assert not is_loopback(target)


def test_the_key_is_never_shown() -> None:
    """A client in a log shows its target and policy alone."""
    with Client("localhost:1", api_key="secret", insecure=True, on_unavailable="raise") as client:
        assert repr(client) == "Client('localhost:1', on_unavailable='raise')"


def test_tls_is_the_default(fake: FakeWildgate) -> None:
    """Against a plaintext server nothing is answered, rather than sent openly."""
    with Client(fake.target, on_unavailable="review", timeout=5) as client:
        assert client.score(Listing(title="x")).degraded


def test_only_calls_that_nobody_read_are_tried_again() -> None:
    """Twice in all, and throttled."""
    policy = SERVICE_CONFIG["methodConfig"][0]["retryPolicy"]  # type: ignore[index]
    assert (policy["retryableStatusCodes"], policy["maxAttempts"]) == (["UNAVAILABLE", "CANCELLED"], 2)
    assert "retryThrottling" in json.loads(str(OPTIONS["grpc.service_config"]))


def test_all_addresses_are_used() -> None:
    """One connection would pin one replica."""
    assert SERVICE_CONFIG["loadBalancingConfig"] == [{"round_robin": {}}]


def test_keepalive_is_what_servers_permit() -> None:
    """Servers count pings between which they sent nothing; three in five minutes end in GOAWAY. Most calls have 2 s, the longest 30."""
    assert READ_TIMEOUT * 1000 / int(OPTIONS["grpc.keepalive_time_ms"]) <= 3
    assert OPTIONS["grpc.keepalive_permit_without_calls"] == 0


def test_loopback_goes_through_no_proxy() -> None:
    """Whatever http_proxy says."""
    proxies = [dict(channel_options(target)).get("grpc.enable_http_proxy") for target in ("localhost:1", "a.b:1")]
    assert proxies == [0, None]


def test_a_channel_of_the_callers_is_used_and_left_open(fake: FakeWildgate) -> None:
    """The seam for tests without a network."""
    with grpc.insecure_channel(fake.target) as channel:
        for _ in range(2):
            with Client(on_unavailable="raise", channel=channel, timeout=20) as client:
                assert client.score(Listing(title="x")).answered
