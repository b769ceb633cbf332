"""`wildgate outcomes import`: outcomes from files."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from wildgate_service.cli.outcomes import command
from wildgate_service.outcome_files import OutcomeFileError
from wildgate_service.store import open_store
from wildgate_service.types import Action

from .conftest import NOON

DAY = NOON.date()


@pytest.fixture
def decided(url, samples):
    """A recorded decision of the tenant acme."""
    record = samples.record(Action.BLOCK)
    with open_store(url) as store:
        store.append([record])
    return record.decision_id


@pytest.fixture
def imported(url, tmp_path):
    """Imports a text as a file; returns exit status and what was printed."""

    def run(text, name="outcomes.jsonl"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(command, ["import", str(file), "--store", url, "--tenant", "acme"])
        if isinstance(result.exception, OutcomeFileError):
            raise result.exception
        return result.exit_code, result.output

    return run


def line(**fields):
    return json.dumps({"kind": "removed", "occurred_time": NOON.isoformat(), **fields}) + "\n"


def table(*rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "".join(",".join(cells) + "\n" for cells in [names, *([row.get(name, "") for name in names] for row in rows)])


def test_json_lines_are_recorded(imported, decided, url):
    """With all that they say."""
    status, output = imported(line(decision_id=decided, means="moderator", restrictions=["visibility_disabled"], territories=["SE"]))
    with open_store(url, read_only=True) as store:
        [measure] = store.measures(DAY, DAY)
    assert (status, output) == (0, "1 outcomes recorded, 0 were there before, 0 left out\n")
    assert (measure.restrictions, measure.territories) == (("visibility_disabled",), ("SE",))


def test_csv_is_recorded(imported, decided, url):
    """An empty cell is not said; lists are parted by blanks; numbers are numbers."""
    row = {"kind": "notice_received", "occurred_time": NOON.isoformat(), "decision_id": decided, "notice_source": "other", "items": "3"}
    removed = {
        "kind": "restricted",
        "occurred_time": NOON.isoformat(),
        "decision_id": decided,
        "restrictions": "visibility_demoted monetary_suspension",
    }
    status, _ = imported(table(row, removed), "outcomes.csv")
    with open_store(url, read_only=True) as store:
        ([measure], [case]) = store.measures(DAY, DAY), store.cases(DAY, DAY)
    assert (status, measure.restrictions, case.items) == (0, ("visibility_demoted", "monetary_suspension"), 3)


def test_a_file_read_again_records_nothing_twice(imported, decided):
    """Even if its lines have no ids."""
    text = line(decision_id=decided) + line(decision_id=decided, kind="reinstated")
    assert [imported(text)[1] for _ in range(2)] == [
        "2 outcomes recorded, 0 were there before, 0 left out\n",
        "0 outcomes recorded, 2 were there before, 0 left out\n",
    ]


def test_an_unknown_decision_is_named_and_the_rest_recorded(imported, decided, samples):
    """The status says so."""
    other = samples.uuid()
    status, output = imported(line(decision_id=other) + line(decision_id=decided))
    assert (status, other in output, output.startswith("1 outcomes recorded")) == (1, True, True)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"kind": "deleted"}, "deleted"),
        ({"occurred_time": "2026-03-10T12:00:00"}, "timezone"),
        ({"outcome_id": "7"}, "outcome_id '7' is no UUID"),
        ({"decision_id": ""}, "either decision_id or request_id"),
        ({"colour": "red"}, "colour"),
        ({"authority": "SE"}, "authority"),
    ],
)
def test_a_wrong_line_stops_the_import_before_anything_is_recorded(imported, decided, url, wrong, named):
    """It is named by number."""
    with pytest.raises(OutcomeFileError, match="line 2: ") as raised:
        imported(line(decision_id=decided) + line(**{"decision_id": decided, **wrong}))
    with open_store(url, read_only=True) as store:
        assert store.measures(DAY, DAY) == []
    assert named in str(raised.value)


def test_a_row_with_too_many_cells_is_named(imported, decided):
    """A comma too much must not shift what is said."""
    with pytest.raises(OutcomeFileError, match="line 2: it has more cells than the header"):
        imported(f"kind,decision_id\nremoved,{decided},x\n", "outcomes.csv")
