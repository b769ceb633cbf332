"""The dashboard, the rules and the alerts that ship: every name in them is one that a service shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from wildgate_service.monitoring.metrics import METRICS

REPOSITORY = Path(__file__).parents[2]
PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
DASHBOARD = json.loads((REPOSITORY / "deploy" / "grafana" / "wildgate.json").read_text(encoding="utf-8"))
SELECTED = re.compile(r"(?<![:\w])(wildgate_\w+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\bby \(([^)]*)\)")
LABEL = re.compile(r'(\w+)\s*[!=]~?\s*"')
PART = re.compile("_(bucket|sum|count)$")
TARGET_LABELS = {"job", "instance"}
LABELS = {metric.name: {*metric.labels, *TARGET_LABELS} for metric in METRICS}
HISTOGRAMS = {metric.name for metric in METRICS if metric.kind == "histogram"}


def rules(name):
    """The rules of a file."""
    content = yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


RECORDED = {rule["record"]: rule["expr"] for rule in rules("recording.yml")}
ALERTS = {rule["alert"]: rule for rule in rules("alerts.yml")}


def panels():
    """All panels that ask something."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


EXPRESSIONS = [
    *((f"panel {panel['title']}", target["expr"]) for panel in panels() for target in panel["targets"]),
    *(("annotation", each["expr"]) for each in DASHBOARD["annotations"]["list"]),
    *RECORDED.items(),
    *((name, rule["expr"]) for name, rule in ALERTS.items()),
]


@pytest.mark.parametrize(("place", "expression"), EXPRESSIONS)
def test_metrics_and_labels_exist(place, expression):
    """Those that are selected by, and those that are grouped by."""
    del place
    without_records = re.sub(r"\w+:wildgate_\w+:\w+", "", expression)
    known = set(TARGET_LABELS)
    for name, selector in SELECTED.findall(without_records):
        metric = name if name in LABELS else PART.sub("", name)
        allowed = LABELS[metric] | ({"le"} if metric in HISTOGRAMS else set())
        assert metric == name or metric in HISTOGRAMS
        assert set(LABEL.findall(selector)) <= allowed, f"{name}{{{selector}}}"
        known |= allowed
    for record in re.findall(r"\w+:wildgate_\w+:\w+", expression):
        assert record in RECORDED
        known |= {part.strip() for group in GROUPED.findall(RECORDED[record]) for part in group.split(",")}
        known |= set(record.partition(":")[0].split("_"))
    grouped = {part.strip() for group in GROUPED.findall(expression) for part in group.split(",")}
    assert grouped <= known


def test_every_name_is_in_a_real_scrape(shared_service):
    """The table of metrics is not believed by itself."""
    address = shared_service.wait_for("metrics_serving")["address"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        shown = {family.name for family in text_string_to_metric_families(answer.read().decode())}
    used = {name for _, expression in EXPRESSIONS for name, _ in SELECTED.findall(re.sub(r"\w+:wildgate_\w+:\w+", "", expression))}
    assert {PART.sub("", name).removesuffix("_total") for name in used} <= shown


def test_every_metric_is_on_the_dashboard():
    """What nobody looks at need not be counted."""
    shown = " ".join(expression for place, expression in EXPRESSIONS if place.startswith("panel"))
    assert [metric.name for metric in METRICS if metric.name not in shown] == []


def test_panels_lie_beside_one_another():
    """None over another, and none beyond the edge."""
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert (len(cells), max(x for x, _ in cells)) == (len(set(cells)), 23)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_means_and_what_to_do(name):
    """Its runbook is a section of operations.md, which is about it."""
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"].keys() == {"summary", "description", "runbook"}
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert f"\n### {name}\n" in (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_alert_has_a_unit_test():
    """One in which it fires."""
    content = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8"))
    fired = {each["alertname"] for test in content["tests"] for each in test["alert_rule_test"] if each["exp_alerts"]}
    assert fired == ALERTS.keys()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (apt-get install prometheus)")
@pytest.mark.parametrize("what", ["check config prometheus.yml", "check rules recording.yml alerts.yml", "test rules alerts_test.yml"])
def test_prometheus_takes_the_files(what):
    """Its own tool checks them, and runs the unit tests of the alerts."""
    ended = subprocess.run(["promtool", *what.split()], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
