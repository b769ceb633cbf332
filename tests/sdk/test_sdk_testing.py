"""The fake, the fixture, counters, tracing, and the README's own code."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import wildgate
from wildgate import AsyncClient, Client, Decision, Listing, Receipt, ReportCount, Taxon, lifecycle
from wildgate._stats import DegradedLog
from wildgate.testing import FakeWildgate

IVORY = Listing(id="42", title="🐘 Ivory bangle", attributes={"Material": "IVORY"})


def test_the_fake_allows_by_default(fake: FakeWildgate) -> None:
    """Tests of other things need no script."""
    assert fake.client().score(IVORY).allowed


def test_a_rule_fits_any_case_and_field(fake: FakeWildgate) -> None:
    """And says where."""
    fake.when("ivory", "review", score=0.7, taxa=(Taxon("elephant"),))
    decision = fake.client().score(IVORY)
    fields = [match.field for match in decision.matches]
    assert (decision.review, decision.score, fields) == (
        True,
        0.7,
        ["title", "attributes[0].value"],
    )


def test_the_first_rule_that_fits_decides(fake: FakeWildgate) -> None:
    """In the order of the script."""
    fake.when("bangle", "allow")
    fake.when("ivory", "block")
    assert fake.client().score(IVORY).allowed


def test_queued_answers_come_first_and_in_order(fake: FakeWildgate) -> None:
    """Then the rules again."""
    fake.when("ivory", "block")
    fake.answer("allow", Decision(action=wildgate.Action.REVIEW, request_id="", score=0.5))
    actions = [str(fake.client().score(IVORY).action) for _ in range(3)]
    assert actions == ["allow", "review", "block"]


def test_the_fake_keeps_what_it_was_asked(fake: FakeWildgate) -> None:
    """As the caller's own values."""
    fake.client().score(IVORY)
    assert fake.listings == [IVORY]


def test_less_explanation_can_be_asked_for(fake: FakeWildgate) -> None:
    """By the client, or by one call."""
    fake.when("ivory", "block")
    client = fake.client(explain="taxa")
    shown = [
        client.score(IVORY),
        client.score(IVORY, explain="none"),
        client.score(IVORY, explain="full"),
    ]
    assert [(len(each.taxa), len(each.matches)) for each in shown] == [(1, 0), (0, 0), (1, 2)]


def test_a_fault_ends_after_its_times(fake: FakeWildgate) -> None:
    """Then all is well again."""
    fake.fail("RESOURCE_EXHAUSTED", times=1)
    client = fake.client(on_unavailable="review")
    assert [client.score(IVORY).answered for _ in range(2)] == [False, True]


def test_recover_ends_faults(fake: FakeWildgate) -> None:
    """And keeps the rest of the script."""
    fake.fail("RESOURCE_EXHAUSTED")
    fake.recover()
    assert fake.client().score(IVORY).answered


def test_reset_forgets_everything(fake: FakeWildgate) -> None:
    """For fakes shared between tests."""
    fake.when("ivory", "block")
    fake.client().score(IVORY)
    fake.reset()
    forgotten = list(fake.listings)
    assert (forgotten, fake.client().score(IVORY).action) == ([], "allow")


def test_the_report_is_scripted(fake: FakeWildgate) -> None:
    """For tests of dashboards."""
    count = ReportCount("", "", 5, 3, 1, 1, 1)
    fake.report = wildgate.TransparencyReport("", "", count, (), (), {"removed": 1}, {}, 2.5, (Receipt("log", 5, "00"),))
    report = fake.client().transparency_report("2026-01-01", "2026-01-31")
    assert (report.total, dict(report.outcomes), report.median_hours_to_act) == (
        count,
        {"removed": 1},
        2.5,
    )


def test_the_fixture_is_installed_with_the_package(pytestconfig: pytest.Config) -> None:
    """By the entry point pytest11."""
    if not pytestconfig.pluginmanager.hasplugin("wildgate"):
        pytest.skip("the package is on the path but not installed")


@pytest.fixture
def redirected(monkeypatch: pytest.MonkeyPatch, fake: FakeWildgate) -> FakeWildgate:
    """Lead every client of the README to the fake."""
    fake.when("Ivory", "block")
    for name, kind in (("Client", Client), ("AsyncClient", AsyncClient)):

        def make(_: str, kind: Any = kind, **options: Any) -> Any:
            return kind(fake.target, **{**options, "insecure": True, "timeout": 10.0})

        monkeypatch.setattr(wildgate, name, make)
        monkeypatch.setattr(lifecycle, name, make)
    return fake


README = Path(wildgate.__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL) if README.exists() else []


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_readme_runs(block: str, redirected: FakeWildgate) -> None:
    """Every block of Python, and the tests in it."""
    names: dict[str, Any] = {"KEY": "key"}
    exec(compile(block, str(README), "exec"), names)  # noqa: S102 our own text
    for name, found in list(names.items()):
        if name.startswith("test_"):
            redirected.reset()
            found(redirected)
    if "wildgate" in names:
        names["wildgate"].close()


def test_warnings_come_once_per_interval(caplog: pytest.LogCaptureFixture) -> None:
    """With the number of decisions since the last."""
    moments = iter([0.0, 1.0, 59.0, 60.0])
    log = DegradedLog(interval=60, clock=lambda: next(moments))
    for _ in range(4):
        log.add("unavailable", "allow")
    assert [record.args for record in caplog.records] == [
        ("unavailable", "allow", 1),
        ("unavailable", "allow", 3),
    ]


def test_the_warning_is_seen_without_any_logging_set_up() -> None:
    """The logger has no handler that would swallow it."""
    assert logging.getLogger("wildgate").handlers == []


def test_a_call_is_traced_if_opentelemetry_is_there(make_client: Any, fake: FakeWildgate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client span, whose context the service gets."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    monkeypatch.setattr("wildgate._calls.find_tracer", lambda: provider.get_tracer("test"))
    make_client(fake.target).score(IVORY)
    names = [span.name for span in exporter.get_finished_spans()]
    assert (names, "traceparent" in fake.metadata[0]) == (
        ["wildgate.v1.ScoringService/ScoreListing"],
        True,
    )


def test_a_service_of_asyncio_can_use_the_fake(fake: FakeWildgate) -> None:
    """With a client of its own loop."""

    async def main() -> bool:
        async with fake.async_client() as client:
            return (await client.score(IVORY)).allowed

    assert asyncio.run(main())
