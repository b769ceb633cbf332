"""`wildgate health` against real services: containers and scripts go by its exit status."""

from __future__ import annotations


def test_a_service_that_serves(shared_service, run_wildgate):
    """By its address, whole and by service."""
    ended = run_wildgate("health", shared_service.target)
    assert (ended.returncode, ended.stdout) == (0, "serving\n")
    ended = run_wildgate("health", shared_service.target, "--service", "wildgate.v1.ScoringService")
    assert (ended.returncode, ended.stdout) == (0, "serving\n")


def test_where_the_settings_say(shared_service, run_wildgate, tmp_path):
    """As in a container, whose settings it shares."""
    config = tmp_path / "wildgate.toml"
    config.write_text(f'host = "0.0.0.0"\nport = {shared_service.target.rpartition(":")[2]}\n', encoding="utf-8")
    assert run_wildgate("health", "--config", config).returncode == 0


def test_nobody_there(run_wildgate):
    """One line that says where nobody answered."""
    ended = run_wildgate("health", "127.0.0.1:1")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("wildgate: 127.0.0.1:1: UNAVAILABLE")


def test_a_service_that_there_is_not(shared_service, run_wildgate):
    """A misspelled name is no service that serves."""
    ended = run_wildgate("health", shared_service.target, "--service", "wildgate.v1.Scoring")
    assert (ended.returncode, "NOT_FOUND" in ended.stderr) == (1, True)
