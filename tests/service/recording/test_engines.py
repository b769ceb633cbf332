"""SQLite and PostgreSQL beside each other: the same data gives the same reports, to the byte."""

from __future__ import annotations

import re
from datetime import date

import pytest
from click.testing import CliRunner
from wildgate_service.cli.report import command as report
from wildgate_service.simulation import Plan, write_year
from wildgate_service.statements.facts import StatementFacts
from wildgate_service.store import open_store

pytestmark = pytest.mark.postgres

START, END = date(2026, 1, 1), date(2026, 12, 31)
FORMATS = ("json", "csv", "dsa")
# Facts of a chain are random, and reports say when they were made.
CHAIN = re.compile(
    rb'"?(log_id|chain_hash|signed_time|public_key|signature|generated_time)"?[^\n}]*|^(checkpoint|about,,generated)[^\n]*$', re.MULTILINE
)


@pytest.fixture(scope="module")
def both(fresh_file_url, postgres_server):
    """The same simulated year in both, with drawn listings, moderators and complaints; their URLs."""
    urls = fresh_file_url(), postgres_server.fresh_store()
    for url in urls:
        with open_store(url) as store:
            write_year(store, Plan(decisions=8_000, chunk=1_000, offers=0.05, degraded=0.002))
    return urls


@pytest.mark.parametrize("form", FORMATS)
def test_reports_are_the_same_to_the_byte(both, tmp_path, monkeypatch, form):
    """Public report and Annex I, but for what names the chain."""
    monkeypatch.setenv("WILDGATE_SECRETS_FILE", str(tmp_path / "wildgate.secrets"))
    made = []
    for number, url in enumerate(both):
        folder = tmp_path / str(number)
        span = ["--from", str(START), "--to", str(END), "--format", form, "--output", str(folder)]
        done = CliRunner().invoke(report, [*span, "--store", url])
        assert done.exit_code == 0, done.output
        made.append({file.name: CHAIN.sub(b"", file.read_bytes()) for file in folder.iterdir()})
    assert made[0] == made[1]
    assert any(made[0].values())


def test_what_statements_and_cases_are_made_of_is_the_same(both):
    """Measure by measure, in the same order."""
    facts = []
    for url in both:
        with open_store(url, read_only=True) as store:
            tenants = sorted({measure.tenant for measure in store.measures(START, END)})
            statements = [each for tenant in tenants for each in store.statement_facts(START, END, tenant=tenant)]
            facts.append((statements, store.measures(START, END), store.cases(START, END), store.following(), store.findings(START, END)))
    assert facts[0] == facts[1]
    assert all(isinstance(each, StatementFacts) for each in facts[0][0])
    assert facts[0][0]
