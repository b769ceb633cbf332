"""Keys, limits and certificates for the tests of who may call, and how often."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.keys import create_key
from wildgate_service.limiting.limit import TenantLimit
from wildgate_service.secrets import load_secrets
from wildgate_service.store import open_store

ADDRESS = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


class Admin:
    """Makes and revokes keys and sets limits in the store of a service, running or not."""

    def __init__(self, service):
        self.service = service

    def make_key(self, tenant="shop", scopes=("score",), **properties):
        """The key's id, and the metadata that presents it; its service has not taken it up yet."""
        pepper = load_secrets(self.service.folder / "wildgate.secrets").pepper
        with open_store(self.service.store) as store:
            key, text = create_key(store, pepper, tenant=tenant, scopes=scopes, created=datetime.now(UTC), **properties)
        return key.key_id, [("authorization", f"Bearer {text}")]

    def key(self, *arguments, **properties):
        """The metadata of a key that has come into force."""
        before = len(self.service.events("keys_changed"))
        _, metadata = self.make_key(*arguments, **properties)
        self.service.wait_for("keys_changed", before + 1)
        return metadata

    def revoke(self, key_id):
        """Revoke a key."""
        with open_store(self.service.store) as store:
            store.revoke_key(key_id, datetime.now(UTC))

    def limit(self, tenant, **limits):
        """Set a tenant's limits and wait until they hold."""
        before = len(self.service.events("limits_changed"))
        with open_store(self.service.store) as store:
            store.set_limit(TenantLimit(tenant=tenant, **limits))
        self.service.wait_for("limits_changed", before + 1)


@pytest.fixture
def admin():
    """Make one for a service."""
    return Admin


@pytest.fixture(scope="session")
def make_admin():
    """The same, for fixtures that live longer than a test."""
    return Admin


@pytest.fixture
def offer():
    """A request to score."""
    return scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))


@pytest.fixture
def code_of():
    """Make a call and return its code."""

    def call(method, request, **options):
        try:
            method(request, **options)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    return call


# --- certificates --------------------------------------------------------------------------------


def _named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """An authority of certificates, made here and trusted by nobody else."""

    def __init__(self, folder, name, days):
        self.folder = folder
        self.name = f"authority {name}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.pem = self._sign(self.name, self._key, days=days, own=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.pem)

    def _sign(self, name, key, *, days, begins=-2, own=False):
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
            .add_extension(ADDRESS, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.PEM)

    def issue(self, name="server", *, days=30, begins=-2, password=None):
        """Files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        locked = BestAvailableEncryption(password) if password else NoEncryption()
        pem, private = self.folder / f"{name}-cert.pem", self.folder / f"{name}-key.pem"
        pem.write_bytes(self._sign(name, key, days=days, begins=begins))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
        return pem, private


@pytest.fixture
def make_authority(tmp_path):
    """Make an authority of a name."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    return lambda name, days=30: Authority(folder, name, days)
