"""API keys, and the command that makes them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from click.testing import CliRunner
from wildgate_service.cli.keys import command
from wildgate_service.errors import SettingsError
from wildgate_service.keys import ApiKey, KeyRing, create_key
from wildgate_service.secrets import load_secrets
from wildgate_service.settings import load_settings
from wildgate_service.store import open_store

PEPPER = b"p" * 32


@pytest.fixture
def made(store, samples):
    """A key and its text."""
    return create_key(store, PEPPER, tenant="acme", scopes=["score"], created=samples.noon)


def test_a_key_opens_with_its_text_alone(made, samples):
    """Not with another's, a part of it, or nothing."""
    key, text = made
    ring = KeyRing([key], PEPPER)
    wrong = [
        "",
        "wg_",
        text[:-1],
        text + "0",
        text[:-1] + ("0" if text[-1] != "0" else "1"),
        text.upper(),
    ]
    assert ring.authenticate(text, samples.noon) == key
    assert [ring.authenticate(presented, samples.noon) for presented in wrong] == [None] * 6


def test_a_key_does_not_open_under_another_pepper(made, samples):
    """The store alone is worth nothing to a thief."""
    key, text = made
    assert KeyRing([key], b"q" * 32).authenticate(text, samples.noon) is None


@pytest.mark.usefixtures("of_files")
def test_the_text_is_not_kept(made, url):
    """Neither in the store nor in the key."""
    key, text = made
    with open(url.removeprefix("sqlite:///"), "rb") as file:  # noqa: PTH123
        assert text.rpartition("_")[2].encode() not in file.read()
    assert text not in repr(key)


def test_keys_come_back_from_the_store_as_they_were(store, samples):
    """All fields."""
    key, _ = create_key(
        store,
        PEPPER,
        tenant="acme",
        scopes=["report", "lexicon.restricted"],
        created=samples.noon,
        explain="full",
        expires=samples.noon + timedelta(days=1),
    )
    assert store.list_keys() == [key]


def test_a_key_passes_between_processes(made):
    """The supervisor sends it to workers as MessagePack."""
    key, _ = made
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(key), type=ApiKey) == key


def test_an_expired_key_does_not_open(store, samples):
    """From its expiry on."""
    expires = samples.noon + timedelta(hours=1)
    key, text = create_key(store, PEPPER, tenant="a", scopes=["score"], created=samples.noon, expires=expires)
    ring = KeyRing([key], PEPPER)
    times = [expires - timedelta(seconds=1), expires]
    assert [ring.authenticate(text, time) for time in times] == [key, None]


def test_a_revoked_key_does_not_open(store, made, samples):
    """And cannot be revoked twice."""
    key, text = made
    assert store.revoke_key(key.key_id, samples.noon)
    ring = KeyRing(store.list_keys(), PEPPER)
    assert ring.authenticate(text, samples.noon) is None
    assert not store.revoke_key(key.key_id, samples.noon)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tenant": "Not A Tenant"}, "tenant 'Not A Tenant'"),
        ({"scopes": ["score", "root"]}, "unknown scope root: choose from score"),
        ({"scopes": []}, "needs a scope"),
        ({"explain": "everything"}, "unknown explanation 'everything'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(store, samples, wrong, said):
    """Nothing is kept."""
    arguments = {"tenant": "acme", "scopes": ["score"], "created": samples.noon} | wrong
    with pytest.raises(SettingsError, match=said):
        create_key(store, PEPPER, **arguments)
    assert store.list_keys() == []


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def run(url):
    """Runs `wildgate keys …` on a store of its own."""
    return lambda *arguments: CliRunner().invoke(command, [*arguments, "--store", url])


def test_a_key_made_on_the_command_line_opens(run, url, samples):
    """It is the one line on standard output, and the pepper lies where the settings say."""
    result = run("create", "--tenant", "acme", "--scope", "score", "--scope", "report")
    with open_store(url) as store:
        (key,) = store.list_keys()
    pepper = load_secrets(load_settings(options={"store": url}).settings.secrets_path).pepper
    ring = KeyRing([key], pepper)
    assert ring.authenticate(result.stdout.strip(), samples.noon) == key
    assert (key.tenant, key.scopes) == ("acme", {"score", "report"})


def test_keys_are_listed_with_their_state(run):
    """A line each."""
    run("create", "--tenant", "acme", "--expires-days", "30")
    line = run("list").stdout.split("\t")
    assert line[1:5] == ["acme", "active", "score", "matches"]


def test_a_key_is_revoked_by_its_id(run):
    """And shows so."""
    run("create", "--tenant", "acme")
    key_id = run("list").stdout.split("\t")[0]
    assert run("revoke", key_id).exit_code == 0
    assert run("list").stdout.split("\t")[2] == "revoked"


def test_revoking_what_is_not_there_fails_clearly(run):
    """With where to look."""
    run("create", "--tenant", "acme")
    result = run("revoke", "0000")
    assert (result.exit_code, "wildgate keys list" in result.stderr) == (1, True)
