"""Settings: four sources, one table, and errors that say which key and where."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from wildgate.v1 import types_pb2
from wildgate_service.cores import find_cores
from wildgate_service.errors import SettingsError
from wildgate_service.keys import EXPLAIN
from wildgate_service.model.recipes import DEEP
from wildgate_service.pipeline import ATTRIBUTES_LIMIT, DESCRIPTION_LIMIT, SHORT_LIMIT, TITLE_LIMIT
from wildgate_service.settings import FIELDS, LARGEST_LISTING_BYTES, describe, load_settings
from wildgate_service.store import mask
from wildgate_service.wire import Explain


def settings_of(tmp_path, toml="", environment=None, **options):
    file = tmp_path / "settings.toml"
    file.write_text(toml, encoding="utf-8")
    return load_settings(file, environment or {}, options)


def test_defaults_listen_on_loopback():
    """Nothing said: the service is for this machine alone."""
    assert load_settings(environment={}).settings.host == "127.0.0.1"


def test_command_line_wins_over_environment_over_file(tmp_path):
    """Each source overrides those before it, setting by setting."""
    loaded = settings_of(
        tmp_path,
        "port = 1\nworkers = 1\ndrain_seconds = 1.5\n",
        {"WILDGATE_PORT": "2", "WILDGATE_WORKERS": "2"},
        port=3,
    ).settings
    assert (loaded.port, loaded.workers, loaded.drain_seconds) == (3, 2, 1.5)


def test_origin_of_each_setting_is_told(tmp_path):
    """`wildgate settings` says where a value came from, in the words that the user wrote."""
    loaded = settings_of(tmp_path, "workers = 1\n", {"WILDGATE_PORT": "2"}, store="none")
    names = ("host", "workers", "port", "store")
    expected = ["default", str(tmp_path / "settings.toml"), "WILDGATE_PORT", "--store"]
    assert expected == [loaded.origins[name] for name in names]


def test_option_that_was_not_given_changes_nothing(tmp_path):
    """The command line hands over None for what the user left out."""
    assert settings_of(tmp_path, "port = 7\n", port=None).settings.port == 7


@pytest.mark.parametrize(
    ("toml", "environment", "said"),
    [
        ("prot = 1\n", {}, "unknown setting prot .*: did you mean port?"),
        ("", {"WILDGATE_WORKER": "1"}, "WILDGATE_WORKER.*did you mean workers?"),
        ("zzzz = 1\n", {}, "`wildgate settings` lists them all"),
        ("port = '1'\n", {}, "port .*settings.toml.* is '1': Expected `int`"),
        ("", {"WILDGATE_PORT": "high"}, "port .*WILDGATE_PORT.* is 'high'"),
        ("port = 70000\n", {}, "`int` <= 65535"),
        ("durability = 'paper'\n", {}, "Choose one of process, disk"),
        ("lexicons = 3\n", {}, "Expected a path"),
        ("tls_certificate = 'a.pem'\n", {}, "set both or neither"),
        ("tls_client_ca = 'a.pem'\n", {}, "tls_client_ca needs tls_certificate"),
        ("port = \n", {}, "is not TOML"),
    ],
)
def test_setting_that_cannot_be_is_refused(tmp_path, toml, environment, said):
    """The message names the key, its source, and what would be right."""
    with pytest.raises(SettingsError, match=said):
        settings_of(tmp_path, toml, environment)


def test_missing_file_is_refused(tmp_path):
    """A configuration that was asked for and is not there is no default."""
    with pytest.raises(SettingsError, match="cannot read the settings file"):
        load_settings(tmp_path / "none.toml", {})


def test_file_can_be_named_by_the_environment(tmp_path):
    """WILDGATE_CONFIG stands for --config, where a container takes no arguments."""
    file = tmp_path / "a.toml"
    file.write_text("port = 9\n", encoding="utf-8")
    assert load_settings(environment={"WILDGATE_CONFIG": str(file)}).settings.port == 9


def test_variables_of_kubernetes_are_no_settings():
    """A Kubernetes Service named wildgate puts these into every container, with a URL as the port."""
    environment = {
        "WILDGATE_PORT": "tcp://10.0.0.1:50051",
        "WILDGATE_SERVICE_HOST": "10.0.0.1",
        "WILDGATE_SERVICE_PORT": "50051",
        "WILDGATE_SERVICE_PORT_GRPC": "50051",
        "WILDGATE_PORT_50051_TCP": "tcp://10.0.0.1:50051",
        "WILDGATE_PORT_50051_TCP_ADDR": "10.0.0.1",
    }
    assert load_settings(environment=environment).settings.port == 50051


def test_variables_of_clients_are_no_settings():
    """A host may run a service and a platform that asks it."""
    environment = {"WILDGATE_CLIENT_TARGET": "127.0.0.1:50051", "WILDGATE_CLIENT_API_KEY": "key"}
    assert set(load_settings(environment=environment).origins.values()) == {"default"}


def test_empty_text_is_nothing_where_nothing_is_allowed():
    """A variable set to "" leaves a path to its default."""
    assert load_settings(environment={"WILDGATE_POLICY": ""}).settings.policy is None


def test_every_setting_is_documented():
    """`describe` has a sentence for each field."""
    assert [name for name in FIELDS if not describe(name).endswith(".")] == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///wildgate.db", "sqlite:///wildgate.db"),
        ("postgresql://me:pass@db/x", "postgresql://me:***@db/x"),
        ("postgresql://db/x?user=me&password=pass", "postgresql://db/x?user=me&password=***"),
        ("none", "none"),
    ],
)
def test_passwords_are_masked(url, shown):
    """Whatever a URL holds, its password is not printed."""
    assert mask(url) == shown


def test_secrets_lie_beside_the_store_unless_said():
    """The default keeps the secrets file out of the store but near it."""
    settings = load_settings(environment={"WILDGATE_STORE": "sqlite:////data/w.db"}).settings
    assert settings.secrets_path == Path("/data/wildgate.secrets")


def cores_of(folder, own=""):
    """What is found where `folder` stands for /sys/fs/cgroup and `own` for the text of /proc/self/cgroup."""
    (folder / "own").write_text(own, encoding="utf-8")
    return find_cores(folder, folder / "own")


def write_quota(folder, name, text):
    """One file of a cgroup."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    ("text", "quota", "count"),
    [("max 100000\n", None, 64), ("150000 100000\n", 1.5, 1), ("50000 100000", 0.5, 1), ("800000 100000", 8.0, 8)],
)
def test_cores_are_those_the_cgroup_allows(tmp_path, monkeypatch, text, quota, count):
    """A container with a quota below its affinity gets as many workers as it can keep busy, and not as many as the host has cores."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    write_quota(tmp_path, "cpu.max", text)
    found = cores_of(tmp_path)
    assert (found.affinity, found.quota, found.count) == (64, quota, count)


def test_affinity_counts_where_it_is_less_than_the_quota(tmp_path, monkeypatch):
    """As under taskset or a cpuset."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5})
    write_quota(tmp_path, "cpu.max", "800000 100000")
    assert cores_of(tmp_path).count == 2


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_quota_of_the_older_cgroup_counts_too(tmp_path, folder):
    """Version 1 keeps quota and period in two files, and -1 for no limit."""
    write_quota(tmp_path / folder, "cpu.cfs_period_us", "100000")
    write_quota(tmp_path / folder, "cpu.cfs_quota_us", "-1")
    unlimited = cores_of(tmp_path).quota
    write_quota(tmp_path / folder, "cpu.cfs_quota_us", "100000")
    assert (unlimited, cores_of(tmp_path).quota) == (None, 1.0)


def test_quota_of_the_processs_own_cgroup_counts(tmp_path):
    """A unit of systemd with CPUQuota has it below the root, and its slice may have a tighter one."""
    write_quota(tmp_path / "system.slice" / "wildgate.service", "cpu.max", "400000 100000")
    write_quota(tmp_path / "system.slice", "cpu.max", "200000 100000")
    write_quota(tmp_path / "another.slice", "cpu.max", "100000 100000")
    assert cores_of(tmp_path, "0::/system.slice/wildgate.service\n").quota == 2.0


def test_quota_of_the_processs_own_older_cgroup_counts(tmp_path):
    """Other controllers have no say, and a path of the host's that a container does not see is passed over."""
    write_quota(tmp_path / "cpu" / "me", "cpu.cfs_period_us", "100000")
    write_quota(tmp_path / "cpu" / "me", "cpu.cfs_quota_us", "300000")
    assert cores_of(tmp_path, "4:memory:/other\n1:cpu:/me\n0::/not/there\n").quota == 3.0


def test_no_cgroup_is_no_quota(tmp_path):
    """As on a machine without them."""
    assert find_cores(tmp_path / "missing", tmp_path / "none").quota is None


def test_command_prints_settings_masked_and_with_origin(run_wildgate):
    """The command shows what is in force and never a password."""
    done = run_wildgate("settings", WILDGATE_STORE="postgresql://me:pass@db/x")
    assert "store = postgresql://me:***@db/x  [WILDGATE_STORE]" in done.stdout.splitlines()


def test_command_describes_settings(run_wildgate):
    """`--describe` prints the documentation of every setting."""
    done = run_wildgate("settings", "--describe")
    assert [name for name in FIELDS if describe(name) not in done.stdout] == []


def test_command_refuses_an_unknown_setting_with_status_2(run_wildgate):
    """A usage error is one line on standard error."""
    done = run_wildgate("settings", WILDGATE_PROT="1")
    expected = "wildgate: unknown setting prot (from WILDGATE_PROT): did you mean port?\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_secrets_lie_beside_the_store_however_its_url_is_written():
    """The path in the URL is read once and alike."""
    settings = load_settings(environment={"WILDGATE_STORE": "sqlite:////my%20data/w.db"}).settings
    assert settings.secrets_path == Path("/my data/wildgate.secrets")


def test_the_largest_listing_fits_the_smallest_limit():
    """Else a legal listing could be refused by gRPC, whose refusal looks like an overload."""
    widest = "\U0001f418"
    short = widest * SHORT_LIMIT
    listing = types_pb2.Listing(
        listing_id=short,
        title=widest * TITLE_LIMIT,
        description=widest * DESCRIPTION_LIMIT,
        attributes=[types_pb2.Attribute(name=short, value=short)] * ATTRIBUTES_LIMIT,
        category=short,
        language=short,
        market=short,
        seller_ref=short,
    )
    assert listing.ByteSize() < LARGEST_LISTING_BYTES


def test_explanations_have_the_same_names_everywhere():
    """For the setting, for API keys and on the wire."""
    setting = get_args(get_args(FIELDS["explain_default"].type)[0])
    assert (setting, EXPLAIN) == (tuple(each.name.lower() for each in Explain),) * 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [("off", None), ("cached", Path("/c/encoders") / f"{DEEP.config.name}-{DEEP.config.version}"), ("/mine", Path("/mine"))],
)
def test_the_deep_encoder_is_off_cached_or_a_folder(value, expected):
    """Off unless somebody asks for it."""
    settings = load_settings(environment={"WILDGATE_DEEP_ENCODER": value, "WILDGATE_CACHE": "/c"}).settings
    assert settings.deep_encoder_path == expected
