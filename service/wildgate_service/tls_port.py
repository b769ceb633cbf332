"""Certificates on gRPC: asked for at every handshake, so that new ones are served without a restart; connections that are open stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from wildgate_service.tls import Certificates


def reloading_credentials(first: Certificates, latest: Callable[[], Certificates | None]) -> grpc.ServerCredentials:
    """For `add_secure_port`: begin with `first`, and ask `latest` at each handshake.

    Where there are authorities, who has no certificate of theirs is refused.
    """
    given = first

    def changed() -> grpc.ServerCertificateConfiguration | None:
        """As gRPC asks, in a thread of its own: None where nothing changed."""
        nonlocal given
        wanted = latest()
        if wanted is None or wanted is given:
            return None
        given = wanted
        return _configuration(wanted)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(first),
        changed,  # type: ignore[arg-type]  # the stubs do not know of None
        require_client_authentication=first.client_ca is not None,
    )


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    pair = (certificates.private_key, certificates.chain)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=certificates.client_ca)
