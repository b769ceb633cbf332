"""Certificates on gRPC: asked for at every handshake, so that new ones are served without a restart; connections that are open stay."""

from __future__ import annotations

import grpc

from wildgate_service.tls import Certificates


class ServedCertificates:
    """What one worker serves with."""

    def __init__(self, certificates: Certificates) -> None:
        self._latest = self._given = certificates

    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`; whoever has no certificate of the authorities is refused where there are any."""
        required = self._latest.client_ca is not None
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._latest),
            self._changed,  # type: ignore[arg-type]  # the stubs do not know of None
            require_client_authentication=required,
        )

    def replace(self, certificates: Certificates) -> None:
        """Serve others from the next handshake on."""
        self._latest = certificates

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """As gRPC asks at each handshake, in a thread of its own: None where nothing changed."""
        latest = self._latest
        if latest is self._given:
            return None
        self._given = latest
        return _configuration(latest)


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    pair = (certificates.private_key, certificates.chain)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=certificates.client_ca)
