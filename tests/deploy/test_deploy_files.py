"""What is shipped for operations names settings, values and packages that exist. None of it is run here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wildgate_service.settings import FIELDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "wildgate"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".lock")
IN_IMAGE = ("postgres", "otel", "report", "http")  # extras
VARIABLE = re.compile(r"\bWILDGATE_([A-Z_]+)\b")
NOT_SETTINGS = {"BIND", "VERSION"}  # of the compose file itself
VALUE = re.compile(r"\.Values((?:\.[A-Za-z]+)+)")


def read(path):
    return path.read_text(encoding="utf-8")


def locked():
    """Version and number of hashes of each package of the lock file."""
    found = {}
    for line in read(DEPLOY / "requirements.lock").replace("\\\n", " ").splitlines():
        if pinned := re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;]+)", line):
            found[canonicalize_name(pinned[1])] = (pinned[2], line.count("--hash=sha256:"))
    return found


def wanted():
    """What service and SDK need in the image."""
    service, sdk = (tomllib.loads(read(ROOT / file))["project"] for file in ("pyproject.toml", "sdk/pyproject.toml"))
    extras = [each for extra in IN_IMAGE for each in service["optional-dependencies"][extra]]
    return [Requirement(each) for each in (*service["dependencies"], *sdk["dependencies"], *extras) if not each.startswith("wildgate")]


def test_every_package_is_pinned_by_hash():
    """Pip --require-hashes would refuse the others, in the image build alone."""
    assert [name for name, (_, hashes) in locked().items() if not hashes] == []


def test_what_is_pinned_is_what_the_projects_need():
    """`make lock` was run since the dependencies changed."""
    pinned = locked()
    missing = [str(each) for each in wanted() if canonicalize_name(each.name) not in pinned]
    assert missing == []
    assert [str(each) for each in wanted() if not each.specifier.contains(pinned[canonicalize_name(each.name)][0], prereleases=True)] == []


@pytest.mark.parametrize(
    "path", sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".lock"), ids=lambda path: path.name
)
def test_variables_are_settings(path):
    """Unknown ones keep the service from starting."""
    named = {name.rstrip("_").lower() for name in VARIABLE.findall(read(path)) if name not in NOT_SETTINGS} - {""}
    assert sorted(named - set(FIELDS)) == []


@pytest.mark.parametrize("path", sorted((CHART / "templates").iterdir()), ids=lambda path: path.name)
def test_templates_use_values_that_there_are(path):
    """A misspelled one would be rendered as nothing."""
    values = yaml.safe_load(read(CHART / "values.yaml"))
    for dotted in VALUE.findall(read(path)):
        found = values
        for name in dotted[1:].split("."):
            assert name in found, f".Values{dotted}"
            found = found[name]


def test_settings_of_the_chart_are_settings():
    """So are those that it sets by name."""
    assert set(yaml.safe_load(read(CHART / "values.yaml"))["settings"]) <= set(FIELDS)


def test_versions_agree():
    """Chart, compose file and package are released together."""
    chart, project = yaml.safe_load(read(CHART / "Chart.yaml")), tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    compose = yaml.safe_load(read(DEPLOY / "compose" / "compose.yaml"))
    assert {chart["appVersion"], project["version"], re.search(r":-([\d.]+)", compose["services"]["wildgate"]["image"])[1]} == {
        project["version"]
    }


def test_nothing_runs_as_root_or_writes_to_its_root():
    """The container's bounds are what stands behind a defect."""
    service = yaml.safe_load(read(DEPLOY / "compose" / "compose.yaml"))["services"]["wildgate"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert re.search(r"^USER 10001:10001$", read(DEPLOY / "Containerfile"), re.MULTILINE)
    deployment = read(CHART / "templates" / "deployment.yaml")
    assert deployment.count("readOnlyRootFilesystem: true") == deployment.count("image: ") == 2


def test_files_of_the_compose_file_exist():
    """Folders that it mounts from the repository."""
    compose = yaml.safe_load(read(DEPLOY / "compose" / "compose.yaml"))
    mounted = [
        volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", ()) if volume.startswith(".")
    ]
    assert [path for path in mounted if not (DEPLOY / "compose" / path).exists()] == []
