"""The secrets file."""

from __future__ import annotations

import multiprocessing
import stat

import pytest
from wildgate_service.errors import SettingsError
from wildgate_service.secrets import load_secrets


@pytest.fixture
def path(tmp_path):
    return tmp_path / "wildgate.secrets"


def test_the_file_is_made_for_its_owner_alone(path):
    """Mode 0600, from the first byte."""
    load_secrets(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_outlive_the_process(path):
    """Pepper and tenant keys are read back."""
    first = load_secrets(path)
    key = first.tenant_key("acme")
    second = load_secrets(path)
    assert (second.pepper, second.tenant_key("acme")) == (first.pepper, key)


def test_every_tenant_has_a_key_of_its_own(path):
    """Of 256 bits."""
    secrets = load_secrets(path)
    keys = {secrets.tenant_key(name) for name in ("a", "b", "c")} | {secrets.pepper}
    assert [len(key) for key in keys] == [32] * 4


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(path, mode):
    """With the command that mends it."""
    load_secrets(path)
    path.chmod(mode)
    with pytest.raises(SettingsError, match=f"has mode {mode:04o}: chmod 600"):
        load_secrets(path)


def test_a_malformed_file_is_refused_and_kept(path):
    """A new pepper would lock everybody out."""
    path.write_text("{")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="is malformed"):
        load_secrets(path)
    assert path.read_text() == "{"


def test_a_missing_folder_is_named(tmp_path):
    """As for any file."""
    with pytest.raises(SettingsError, match="No such file"):
        load_secrets(tmp_path / "none" / "secrets")


def test_a_destroyed_key_is_gone(path):
    """A new one is another, so that old hashes can no longer be tied to anybody."""
    secrets = load_secrets(path)
    key = secrets.tenant_key("acme")
    assert secrets.destroy("acme")
    assert load_secrets(path).tenant_key("acme") != key


def test_destroying_what_is_not_there_says_so(path):
    """And leaves the others alone."""
    secrets = load_secrets(path)
    key = secrets.tenant_key("acme")
    assert (secrets.destroy("none"), load_secrets(path).tenant_key("acme")) == (False, key)


def test_secrets_do_not_show_in_their_representation(path):
    """Which ends up in logs."""
    assert repr(load_secrets(path)) == f"Secrets({str(path)!r})"


def _first_key(path, names, results):
    secrets = load_secrets(path)
    results.put({name: secrets.tenant_key(name) for name in names})


def test_processes_that_ask_at_once_get_the_same_keys(path):
    """Whoever comes first makes a key; nobody's is overwritten."""
    context = multiprocessing.get_context("fork")
    results, names = context.Queue(), [f"tenant-{number}" for number in range(10)]
    processes = [context.Process(target=_first_key, args=(path, names[::step], results)) for step in (1, -1, 1, -1)]
    for process in processes:
        process.start()
    answers = [results.get(timeout=30) for _ in processes]
    for process in processes:
        process.join(timeout=30)
    secrets = load_secrets(path)
    assert answers == [{name: secrets.tenant_key(name) for name in names}] * 4


def test_a_lost_file_is_not_replaced(path):
    """New secrets would lock everybody out and tie no seller to what was recorded, without a word."""
    with pytest.raises(SettingsError, match=r"is missing, and the store holds keys or decisions .* restore it"):
        load_secrets(path, create=False)
    assert not path.exists()
