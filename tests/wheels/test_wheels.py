"""What is shipped works by itself: both wheels, in an empty environment, far from this checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheels
REPOSITORY = Path(__file__).parents[2]
PACKED = [
    "lexicons/VERSION",
    "lexicons/taxa.csv",
    "lexicons/protection.csv",
    "lexicons/rules/en/ivory.yml",
    "policies/default.toml",
    "models/fusion-v1/config.json",
]


def run(*command: str | Path, folder: Path, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it in a folder, with nothing of ours on its path and a cache of its own or the one given; fails with all that it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WILDGATE_", "PYTHON", "VIRTUAL_ENV"))}
    clean["WILDGATE_CACHE"] = str(cache or folder / "cache")
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def build(folder: Path, source: Path) -> Path:
    """The wheel of a source folder."""
    before = set(folder.glob("*.whl"))
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, source, folder=folder)
    (wheel,) = set(folder.glob("*.whl")) - before
    return wheel


def environment(folder: Path, *wheels: Path) -> Path:
    """Python of a new environment that holds these wheels and what they ask for."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wheels, folder=folder)
    return python


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheel of the SDK and that of the service."""
    folder = tmp_path_factory.mktemp("dist")
    return build(folder, REPOSITORY / "sdk"), build(folder, REPOSITORY)


@pytest.fixture(scope="module")
def service_python(tmp_path_factory, wheels):
    """Python with both."""
    return environment(tmp_path_factory.mktemp("service"), *wheels)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache that the first command fills and the others find, for compiling the lexicons takes most of a minute."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def sdk_python(tmp_path_factory, wheels):
    """Python with the SDK alone."""
    return environment(tmp_path_factory.mktemp("sdk"), wheels[0])


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_services_wheel_holds_lexicons_policy_and_models(wheels):
    """And no test, benchmark or copy of the SDK."""
    held = names(wheels[1])
    assert [name for name in PACKED if f"wildgate_service/{name}" not in held] == []
    assert {name.partition("/")[0] for name in held if "dist-info" not in name} == {"wildgate_service"}


def test_the_installed_command_scores_a_text(service_python, tmp_path, cache):
    """From another folder, without an encoder, and with the lexicons of the wheel."""
    command = service_python.with_name("wildgate")
    answer = json.loads(run(command, "score", "--text", "Elephant ivory bangle for sale", folder=tmp_path, cache=cache).stdout)
    assert "en-ivory-named" in {match["rule_id"] for match in answer["matches"]}
    assert (answer["action"] != "allow", answer["degraded"]) == (True, ["encoder_missing"])
    version = (REPOSITORY / "lexicons" / "VERSION").read_text(encoding="utf-8").strip()
    assert (answer["lexicon_version"].partition("+")[0], answer["taxa"][0]["group"]) == (version, "elephant")


def test_the_installed_service_is_not_this_checkout(service_python, tmp_path):
    """Else the test above would prove nothing."""
    code = "import wildgate, wildgate_service; print(wildgate.__file__, wildgate_service.__file__, sep='\\n')"
    for file in run(service_python, "-c", code, folder=tmp_path).stdout.split():
        assert Path(file).is_relative_to(service_python.parents[1])


@pytest.mark.parametrize("command", ["lexicon test --rule en-ivory-named", "lexicon stats", "policy check", "settings"])
def test_what_looks_at_shipped_files_finds_them(service_python, tmp_path, cache, command):
    """Without a checkout."""
    run(service_python.with_name("wildgate"), *command.split(), folder=tmp_path, cache=cache)


def test_the_sdks_wheel_holds_its_package_alone(wheels):
    """No lexicon, no model, nothing of the service; and the marker of its types."""
    held = [name for name in names(wheels[0]) if "dist-info" not in name]
    assert {name.partition("/")[0] for name in held} == {"wildgate"}
    of_plugs = {Path(name).suffix for name in held if name.startswith("wildgate/contrib/")}
    assert {Path(name).suffix for name in held if not name.startswith("wildgate/contrib/")} <= {".py", ".pyi", ".typed", ""}
    assert of_plugs <= {".py", ".css", ".html", ".json"}  # pages of moderators, and notices
    assert "wildgate/py.typed" in held
    assert [name for name in held if "lexicons" in name or "service" in name] == []


def test_the_sdk_needs_grpcio_and_protobuf_alone(sdk_python, tmp_path):
    """All that pip brought along, but grpcio's own needs."""
    listed = json.loads(run(sdk_python, "-m", "pip", "list", "--format", "json", folder=tmp_path).stdout)
    found = {package["name"].lower().replace("_", "-") for package in listed}
    assert found - {"pip", "setuptools", "typing-extensions"} == {"wildgate", "grpcio", "protobuf"}


def test_the_sdk_loads_by_itself(sdk_python, tmp_path):
    """Every exported name, the client, and the fake for tests."""
    code = (
        "import wildgate, wildgate.testing\n"
        "for name in wildgate.__all__: getattr(wildgate, name)\n"
        "wildgate.Client('127.0.0.1:1', insecure=True, on_unavailable='review').close()\n"
        "print('loaded')"
    )
    assert run(sdk_python, "-c", code, folder=tmp_path).stdout == "loaded\n"


def test_the_service_is_not_in_the_sdk(sdk_python, tmp_path):
    """No platform host carries the lexicons."""
    code = "import importlib.util; print(importlib.util.find_spec('wildgate_service'))"
    assert run(sdk_python, "-c", code, folder=tmp_path).stdout == "None\n"
