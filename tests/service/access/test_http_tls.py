"""TLS of the HTTP port: the same files as gRPC's, checked alike, and taken up anew alike."""

from __future__ import annotations

import http.client
import shutil
import ssl

import pytest

pytestmark = pytest.mark.slow

OFFER = b'{"listing":{"title":"elephant tusk"}}'
PATH = "/wildgate.v1.ScoringService/ScoreListing"


def start(start_small, pair, **settings):
    return start_small(store="none", http_port=0, tls_certificate=str(pair[0]), tls_private_key=str(pair[1]), **settings)


def trusting(authority, pair=None, version=None):
    """A client's TLS that trusts an authority, with a certificate of its own if it has one, and one version alone if that is named."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    if pair:
        context.load_cert_chain(*pair)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def connect(service, context):
    host, _, port = service.http.rpartition(":")
    if context is None:
        return http.client.HTTPConnection(host, int(port), timeout=60)
    return http.client.HTTPSConnection(host, int(port), timeout=60, context=context)


def ask(connection):
    """The status of a call."""
    connection.request("POST", PATH, OFFER, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def status(service, context):
    """Of a call over a new connection; "refused" where there was none."""
    connection = connect(service, context)
    try:
        return ask(connection)
    except (ssl.SSLError, ConnectionError):
        return "refused"
    finally:
        connection.close()


def test_new_certificate_is_served_by_all_workers_and_breaks_no_connection(start_small, make_authority):
    """As on gRPC's port."""
    old, new = make_authority("old"), make_authority("new")
    served = old.issue("old")
    service = start(start_small, served, workers=2)
    kept = connect(service, trusting(old))
    before = ask(kept)
    for source, target in zip(new.issue("new"), served, strict=True):
        shutil.copyfile(source, target)
    told = service.wait_for("tls_changed")["workers"]
    fresh = [status(service, trusting(new)) for _ in range(8)]
    still = ask(kept)
    kept.close()
    assert (told, before, fresh, status(service, trusting(old)), still) == (2, 200, [200] * 8, "refused", 200)


def test_clients_need_a_certificate_of_the_authorities(start_small, make_authority):
    """None and another's are no certificate, in either version of TLS."""
    ours, others = make_authority("ours"), make_authority("others")
    service = start(start_small, ours.issue(), tls_client_ca=str(ours.file))
    clients = {"ours": ours.issue("client"), "none": None, "of another authority": others.issue("stranger")}
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        ends = {}
        for name, pair in clients.items():
            ends[name] = status(service, trusting(ours, pair, version))
        assert ends == {"ours": 200, "none": "refused", "of another authority": "refused"}


def test_plain_http_on_the_port_of_tls_is_refused(start_small, make_authority):
    """Nothing is answered in plaintext."""
    assert status(start(start_small, make_authority("ours").issue()), None) == "refused"
