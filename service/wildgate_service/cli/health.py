"""`wildgate health`: ask a running service whether it serves, for containers and scripts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wildgate_service.settings import load_settings

if TYPE_CHECKING:
    import grpc

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  (not listened on, replaced)
CHECK = "/grpc.health.v1.Health/Check"
STATUSES = {0: "unknown", 1: "serving", 2: "not serving", 3: "unknown service"}


@click.command()
@click.argument("target", required=False)
@click.option("--config", type=click.Path(path_type=Path), help="TOML file of settings, which say where the service listens.")
@click.option("--service", default="", help="Full name of one service, such as wildgate.v1.ScoringService; all if not given.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM of who signed its certificate.")
@click.option("--timeout", default=2.0, show_default=True, help="Seconds to wait for the answer.")
def command(target: str | None, config: Path | None, service: str, ca: Path | None, timeout: float) -> None:
    """Ask TARGET (host:port; by default where the settings say) whether it serves.

    Exit status 0 if it does, else 1. Needs no API key. A service that wants client certificates is asked by /readyz instead (metrics_port).
    """
    import grpc  # noqa: PLC0415  (no other command that is not the service loads it)
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse  # noqa: PLC0415

    settings = load_settings(config).settings
    where = target or f"{LOOPBACK.get(settings.host, settings.host)}:{settings.port}"
    own = settings.tls_certificate if target is None else None
    with _channel(where, ca or own, _name_in(own) if own else "") as channel:
        check = channel.unary_unary(CHECK, HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString)
        try:
            status = check(HealthCheckRequest(service=service), timeout=timeout).status
        except grpc.RpcError as error:
            click.echo(f"wildgate: {where}: {error.code().name}: {error.details()}", err=True)
            sys.exit(1)
    click.echo(STATUSES.get(status, str(status)))
    sys.exit(status != HealthCheckResponse.SERVING)


def _channel(target: str, authority: Path | None, name: str) -> grpc.Channel:
    import grpc  # noqa: PLC0415

    if authority is None:
        return grpc.insecure_channel(target)
    options = (("grpc.ssl_target_name_override", name),) if name else ()
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(authority.read_bytes()), options)


def _name_in(certificate: Path) -> str:
    """The first name that a certificate is for: on this machine the service has another."""
    from cryptography import x509  # noqa: PLC0415

    found = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return next(iter(found.value.get_values_for_type(x509.DNSName)), "")
