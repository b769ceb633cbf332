"""TLS: certificates that are checked before anything starts, and taken up anew while the service runs."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import grpc
import pytest
from wildgate.v1 import scoring_pb2_grpc
from wildgate_service.errors import SettingsError
from wildgate_service.settings import Settings
from wildgate_service.tls import CertificateWatch, read_certificates

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


@pytest.fixture
def authority(make_authority):
    """An authority."""
    return make_authority("authority")


def settings_of(pair, client_ca=None):
    return Settings(tls_certificate=pair[0], tls_private_key=pair[1], tls_client_ca=client_ca)


def read(pair, client_ca=None):
    return read_certificates(settings_of(pair, client_ca), datetime.now(UTC))


# --- files that cannot be served -----------------------------------------------------------------


def garbage(authority):
    file = authority.folder / "garbage.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n", encoding="utf-8")
    return file


BROKEN = {
    "of two pairs": (lambda a: (a.issue("one")[0], a.issue("two")[1]), "tls_private_key: .*two-key.pem does not belong to .*one-cert.pem"),
    "expired": (lambda a: a.issue(days=-1), "tls_certificate: .*server-cert.pem expired at .* UTC; renew it"),
    "not yet valid": (lambda a: a.issue(begins=1), "tls_certificate: .* is valid from .* UTC only; check the clock"),
    "no certificate": (lambda a: (garbage(a), a.issue()[1]), "tls_certificate: .*garbage.pem holds no certificate"),
    "no key": (lambda a: (a.issue()[0], garbage(a)), "tls_private_key: .*garbage.pem holds no key"),
    "locked key": (lambda a: a.issue(password=b"secret"), "tls_private_key: .*server-key.pem is encrypted; write it without a password"),
    "missing": (lambda a: (a.folder / "none.pem", a.issue()[1]), "tls_certificate: cannot read .*none.pem"),
    "a folder": (lambda a: (a.issue()[0], a.folder), "tls_private_key: cannot read"),
}


@pytest.mark.parametrize(("make", "said"), BROKEN.values(), ids=BROKEN)
def test_pair_that_cannot_be_served_is_refused_in_words(authority, make, said):
    """Which setting, which file, what is wrong, and what to do."""
    with pytest.raises(SettingsError, match=said):
        read(make(authority))


def test_authorities_that_cannot_be_read_are_refused_in_words(authority):
    """Likewise."""
    with pytest.raises(SettingsError, match=r"tls_client_ca: .*garbage.pem holds no certificate"):
        read(authority.issue(), garbage(authority))


def test_authority_that_expired_may_stand_beside_one_in_use(authority, make_authority):
    """As in a rotation; alone it is refused."""
    late = make_authority("late", days=-1)
    both = authority.folder / "both.pem"
    both.write_bytes(late.pem + authority.pem)
    expires = read(authority.issue(), both).expires["tls_client_ca"]
    with pytest.raises(SettingsError, match=r"tls_client_ca: .*late.pem expired at"):
        read(authority.issue(), late.file)
    assert expires > datetime.now(UTC)


def test_pair_that_does_not_belong_together_ends_the_start_with_one_line(authority, run_wildgate):
    """Before anything else begins."""
    certificate, key = authority.issue("one")[0], authority.issue("two")[1]
    done = run_wildgate("serve", "--port", "0", WILDGATE_TLS_CERTIFICATE=str(certificate), WILDGATE_TLS_PRIVATE_KEY=str(key))
    expected = f"wildgate: setting tls_private_key: {key} does not belong to {certificate}; name certificate and key of one pair\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_private_key_shows_in_no_text(authority):
    """A log that holds the object holds no secret."""
    assert "PRIVATE KEY" not in repr(read(authority.issue()))


# --- looking at the files ------------------------------------------------------------------------


def test_files_are_taken_when_they_stay_as_they_are(authority):
    """Certificate and key are not replaced at the same moment: what changed since the look before is left to the next."""
    watch = CertificateWatch(settings_of(authority.issue()))
    quiet = watch.poll()
    authority.issue()
    polls = [watch.poll() for _ in range(3)]
    assert (quiet, [each is None for each in polls]) == (None, [True, False, True])
    assert polls[1] == watch.current


def test_broken_files_are_refused_once_and_leave_what_was_served(authority, capsys):
    """Until they are mended."""
    watch = CertificateWatch(settings_of(authority.issue()))
    served = watch.current
    authority.issue()[1].write_text("torn", encoding="utf-8")
    polls = [watch.poll() for _ in range(4)]
    refused = capsys.readouterr()
    authority.issue()
    mended = [watch.poll() for _ in range(2)]
    assert (polls, served is not None, mended[1] is not None) == ([None] * 4, True, True)
    assert (refused.out + refused.err).count("tls_refused") == 1


@pytest.mark.parametrize(("days", "told"), [(13, 1), (20, 0)])
def test_certificate_that_expires_soon_is_told_once_a_day(authority, capsys, days, told):
    """From two weeks before, so that somebody can act."""
    now = [0.0]
    watch = CertificateWatch(settings_of(authority.issue(days=days)), clock=lambda: now[0])
    for hour in range(24):
        now[0] = hour * 3600.0
        watch.poll()
    logged = capsys.readouterr()
    assert (logged.out + logged.err).count("tls_expires_soon") == told


# --- on a running service ------------------------------------------------------------------------


@pytest.fixture
def call(offer):
    """Call a service once over a new connection that trusts an authority; the code, or whether there was a decision."""

    def score(service, root, pair=None):
        files = [file.read_bytes() for file in reversed(pair)] if pair else [None, None]
        credentials = grpc.ssl_channel_credentials(root.pem, *files)
        with grpc.secure_channel(service.target, credentials, OWN_CONNECTION) as channel:
            try:
                return bool(scoring_pb2_grpc.ScoringServiceStub(channel).ScoreListing(offer, timeout=20).decision.lexicon_version)
            except grpc.RpcError as error:
                return error.code()

    return score


def start(start_small, pair, **settings):
    return start_small(store="none", tls_certificate=str(pair[0]), tls_private_key=str(pair[1]), **settings)


def replace(source, target):
    for old, new in zip(target, source, strict=True):
        shutil.copyfile(new, old)


def test_new_certificate_is_served_by_all_workers_and_breaks_no_connection(start_small, make_authority, call, offer):
    """Who trusts the new authority comes in, who trusts the old one alone does not, and who is in stays."""
    old, new = make_authority("old"), make_authority("new")
    served = old.issue("old")
    service = start(start_small, served, workers=2)
    credentials = grpc.ssl_channel_credentials(old.pem)
    with grpc.secure_channel(service.target, credentials, OWN_CONNECTION) as channel:
        kept = scoring_pb2_grpc.ScoringServiceStub(channel).ScoreListing
        kept(offer)
        replace(new.issue("new"), served)
        told = service.wait_for("tls_changed")["workers"]
        fresh = [call(service, new) for _ in range(8)]
        stale = [call(service, old) for _ in range(4)]
        still = bool(kept(offer).decision.lexicon_version)
    assert (told, fresh, stale, still) == (2, [True] * 8, [UNAVAILABLE] * 4, True)


def test_worker_born_after_a_change_serves_the_new_certificate(start_small, make_authority, call):
    """Not what the supervisor began with."""
    old, new = make_authority("old"), make_authority("new")
    served = old.issue("old")
    service = start(start_small, served)
    replace(new.issue("new"), served)
    service.wait_for("tls_changed")
    service.kill("worker-0")
    service.wait_for("worker_ready", 2, name="worker-0")
    assert call(service, new) is True


def test_broken_pair_keeps_the_old_one_serving_and_is_told(start_small, authority, make_authority, call):
    """What is wrong and where, in one line; mended, it is served."""
    served = authority.issue("served")
    service = start(start_small, served)
    other = make_authority("other")
    shutil.copyfile(other.issue("other")[1], served[1])
    why = service.wait_for("tls_refused")["why"]
    during = call(service, authority)
    replace(other.issue("other"), served)
    service.wait_for("tls_changed")
    assert (f"tls_private_key: {served[1]} does not belong to {served[0]}" in why, during, call(service, other)) == (True, True, True)


def test_clients_need_a_certificate_of_the_authorities_that_is_valid(start_small, make_authority, call):
    """None, another's and an expired one are no certificate."""
    ours, others = make_authority("ours"), make_authority("others")
    service = start(start_small, ours.issue(), tls_client_ca=str(ours.file))
    clients = {
        "ours": ours.issue("client"),
        "none": None,
        "of another authority": others.issue("stranger"),
        "expired": ours.issue("late", days=-1),
    }
    codes = {name: call(service, ours, pair) for name, pair in clients.items()}
    assert codes == {"ours": True, "none": UNAVAILABLE, "of another authority": UNAVAILABLE, "expired": UNAVAILABLE}


def test_authorities_of_clients_are_taken_up_anew(start_small, make_authority, call):
    """Whose certificates are no longer wanted are refused at their next connection."""
    ours, others = make_authority("ours"), make_authority("others")
    trusted = ours.folder / "trusted.pem"
    shutil.copyfile(ours.file, trusted)
    service = start(start_small, ours.issue(), tls_client_ca=str(trusted))
    clients = (ours.issue("client"), others.issue("stranger"))
    before = [call(service, ours, pair) for pair in clients]
    shutil.copyfile(others.file, trusted)
    service.wait_for("tls_changed")
    assert (before, [call(service, ours, pair) for pair in clients]) == ([True, UNAVAILABLE], [UNAVAILABLE, True])


# --- plaintext -----------------------------------------------------------------------------------


def test_plaintext_beyond_loopback_is_refused_unless_it_is_asked_for(run_wildgate, lexicons):
    """One line with the remedies, before anything starts."""
    done = run_wildgate("serve", "--host", "0.0.0.0", "--port", "0", WILDGATE_LEXICONS=str(lexicons))  # noqa: S104
    remedies = ("tls_certificate", 'plaintext = "anywhere"', "127.0.0.1")
    assert (done.returncode, done.stderr.count("\n"), [each in done.stderr for each in remedies]) == (2, 1, [True] * 3)


def test_plaintext_is_served_where_it_is_asked_for(start_small, admin, connect, offer, code_of):
    """With keys, which are needed there all the same."""
    first = start_small()
    metadata = admin(first).key()
    first.process.terminate()
    first.process.wait(60)
    secrets_file = str(first.folder / "wildgate.secrets")
    service = start_small(host="0.0.0.0", plaintext="anywhere", store=first.store, secrets_file=secrets_file)  # noqa: S104
    service.target = service.target.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    stub = connect(service).scoring.ScoreListing
    assert [code_of(stub, offer), code_of(stub, offer, metadata=metadata)] == [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.OK]
