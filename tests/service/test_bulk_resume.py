"""Bulk runs that are ended, killed or refused, and gone on with: the output is that of a run that was left alone."""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from wildgate_service.bulk import Block, Done, Place, Run, blocks, in_order, journal, run, score_file
from wildgate_service.errors import WildgateError
from wildgate_service.policy import default_policy

ALONE = Run(lexicons=None, policy=None, workers=1)
FORMATS = ("jsonl", "csv", "parquet", "jsonl.gz")
ROWS = [
    {"id": str(n), "title": f"Blue bicycle {n}", "description": f"{n} kg" + 900 * " " if n % 30 else "Elephant ivory"} for n in range(6_000)
]
# A process as its users run it, with states so often that a kill within seconds finds one.
MOST_KILLS = 4
COMMAND = "from wildgate_service.bulk import journal; journal.COMMIT_SECONDS = 0.05; from wildgate_service.cli import main; main()"


def write_rows(path: Path, rows: list[dict]) -> Path:
    """The rows in the format of the file's ending."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


class PulledPlugError(BaseException):
    """Ends a run where nothing of it can say good-bye."""


@pytest.fixture
def score(tmp_path, monkeypatch, engine):
    """Score ten rows in blocks of one or some, up to so many blocks; returns the output's path."""
    monkeypatch.setattr(run, "local_engine", lambda *_: engine)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 1)
    monkeypatch.setattr(journal, "COMMIT_SECONDS", 0)

    def scored(ending: str = "jsonl", name: str = "out", *, until: int | None = None, rows=ROWS[:10], workers: int = 1, **options):
        source = tmp_path / f"in.{ending.removesuffix('.gz')}"
        if not source.exists():
            write_rows(source, rows)
        with monkeypatch.context() as patch:
            if until is not None:
                patch.setattr(run, "answered", _up_to(until))
            given = Run(lexicons=None, policy=options.pop("policy", None), workers=workers)
            score_file(source, tmp_path / f"{name}.{ending}", source.suffix[1:], given, **options)
        return tmp_path / f"{name}.{ending}"

    return scored


def _up_to(count: int):
    """`answered`, for so many blocks."""
    left = iter(range(count))
    answered = run.answered

    def once(*given):
        if next(left, None) is None:
            raise PulledPlugError
        return answered(*given)

    return once


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("out"))


# --- going on ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("torn", [0, 9], ids=["whole blocks", "a block torn off"])
def test_a_run_that_was_ended_is_gone_on_with(score, tmp_path, ending, torn):
    """Its output is that of a run that was left alone; until then the old one stays, with two files beside it."""
    whole = score(ending, "whole").read_bytes()
    output = tmp_path / f"out.{ending}"
    output.write_bytes(b"old")
    for until in (3, 4):
        with pytest.raises(PulledPlugError):
            score(ending, until=until)
        assert (names(tmp_path), output.read_bytes()) == ([output.name, f"{output.name}.partial", f"{output.name}.resume"], b"old")
        with (tmp_path / f"{output.name}.partial").open("ab") as file:
            file.write(b"x" * torn)
    assert score(ending, until=3).read_bytes() == whole
    assert names(tmp_path) == [output.name]


def test_a_run_that_is_gone_on_with_scores_nothing_twice(score, tmp_path):
    """The state counts what was scored before."""
    with pytest.raises(PulledPlugError):
        score(until=7)
    state = json.loads((tmp_path / "out.jsonl.resume").read_bytes())
    assert (state["listings"], state["place"]["line"]) == (7, 7)
    score(until=3)


def test_a_run_in_which_nothing_was_scored_leaves_nothing(score, tmp_path):
    """Not even an empty file."""
    with pytest.raises(PulledPlugError):
        score(until=0)
    assert names(tmp_path) == []


def test_a_run_goes_on_with_the_day_on_which_it_began(score, tmp_path):
    """A listing that does not say when it was posted is judged by the lists of one day, in the whole file."""
    shark = [{"id": str(n), "title": "Isurus oxyrinchus fins for sale, 5 kg", "market": "SG"} for n in range(2)]
    with pytest.raises(PulledPlugError):
        score(until=1, rows=shark)
    state = tmp_path / "out.jsonl.resume"
    state.write_text(json.dumps(json.loads(state.read_bytes()) | {"today": "2015-03-01T00:00:00Z"}), encoding="utf-8")
    answers = [json.loads(row) for row in score().read_bytes().splitlines()]
    assert [answer["taxa"][0]["appendix"] for answer in answers] == ["II", ""]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_run_killed_after_its_output_appeared_is_ended_by_the_next(score, tmp_path, ending, monkeypatch):
    """Nothing is scored again."""
    output = tmp_path / f"out.{ending}"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _pull_the_plug)
        with pytest.raises(PulledPlugError):
            score(ending)
    there = output.read_bytes()
    assert (score(ending, until=0).read_bytes(), names(tmp_path)) == (there, [output.name])


def _pull_the_plug(path: Path, **_: bool) -> None:
    if path.exists():
        raise PulledPlugError


# --- refusing ------------------------------------------------------------------------------------


def test_another_input_is_refused(score, tmp_path):
    """With what changed and what to do; then nothing is changed."""
    with pytest.raises(PulledPlugError):
        score(until=3)
    before = (tmp_path / "out.jsonl.partial").read_bytes()
    write_rows(tmp_path / "in.jsonl", ROWS[:9])
    with pytest.raises(WildgateError, match=r"begun with something else \(input was .*, is .*\); give --restart to begin anew, or another"):
        score()
    assert (tmp_path / "out.jsonl.partial").read_bytes() == before
    assert len(score(restart=True).read_bytes().splitlines()) == 9


def test_another_policy_is_refused_even_under_its_old_version(score, tmp_path):
    """Half a file by one and half by the other would be no answer."""
    mine = tmp_path / "mine.toml"
    mine.write_text(default_policy().read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(PulledPlugError):
        score(until=3, policy=mine)
    mine.write_text(mine.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    with pytest.raises(WildgateError, match=r"something else \(policy was \S+ with hash \w+, is \S+ with hash \w+\)"):
        score(policy=mine)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("out.jsonl.resume", b"{", "out.jsonl.resume is no state of a run"),
        ("out.jsonl.partial", b"", "out.jsonl.partial is shorter than out.jsonl.resume says"),
    ],
)
def test_a_damaged_state_is_refused(score, tmp_path, name, content, said):
    """Rather than guessed at."""
    with pytest.raises(PulledPlugError):
        score(until=3)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WildgateError, match=said):
        score()


def test_two_runs_do_not_write_one_output(score, tmp_path):
    """A lock of another process stands for the other run."""
    holder = "import fcntl, sys; file = open(sys.argv[1], 'ab'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    partial = tmp_path / "out.jsonl.partial"
    with subprocess.Popen([sys.executable, "-c", holder, str(partial)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(WildgateError, match=r"out\.jsonl\.partial is being written by another run"):
            score()
        other.stdin.close()
    assert len(score().read_bytes().splitlines()) == 10


# --- processes -----------------------------------------------------------------------------------

BLOCKS = [Block(Place(n, n), Place(n + 1, n + 1), n + 1) for n in range(40)]


def _number(block: Block) -> Done:
    return Done(b"%d" % block.start.at, 1, 0)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_blocks_come_back_in_order(workers):
    """Though the first take longest."""

    def work(block: Block) -> Done:
        time.sleep(0.02 if block.start.at % 5 == 0 else 0)
        return _number(block)

    found = list(in_order(BLOCKS, work, workers, pytest.fail))
    assert [(block.start.at, done.answers) for block, done in found] == [(n, b"%d" % n) for n in range(40)]


def test_no_more_is_begun_than_a_process_may_be_ahead():
    """So that memory does not grow with the file."""
    begun = []

    def endless():
        for block in BLOCKS:
            begun.append(block)
            yield block

    answers = in_order(endless(), _number, 2, pytest.fail)
    next(answers)
    assert len(begun) <= 9
    answers.close()


def test_a_process_that_dies_is_reported_and_its_block_done_once_more(tmp_path):
    """Killed for its memory, say."""

    def work(block: Block) -> Done:
        if block.start.at == 17 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return _number(block)

    said: list[str] = []
    found = list(in_order(BLOCKS, work, 2, said.append))
    assert [done.answers for _, done in found] == [b"%d" % n for n in range(40)]
    assert said == ["a scoring process died (killed by SIGKILL) at the listings of lines 18 to 18; they are scored again"]


def test_a_block_that_two_processes_die_of_ends_the_run():
    """It says where the listings lie."""

    def work(block: Block) -> Done:
        if block.start.at == 17:
            os._exit(3)
        return _number(block)

    said: list[str] = []
    with pytest.raises(WildgateError, match=r"died \(status 3\) at the listings of lines 18 to 18, twice; perhaps for its memory"):
        list(in_order(BLOCKS, work, 2, said.append))
    assert len(said) == 1


def test_an_error_in_a_process_is_that_of_the_run():
    """A file that cannot be read any further."""

    def work(block: Block) -> Done:
        raise WildgateError(f"block {block.start.at} cannot be read")

    with pytest.raises(WildgateError, match="block 0 cannot be read"):
        list(in_order(BLOCKS, work, 1, pytest.fail))
    with pytest.raises(WildgateError, match=r"block \d+ cannot be read"):
        list(in_order(BLOCKS, work, 2, pytest.fail))


# --- as its users run it -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory, encoder_path):
    """Inputs of thousands of rows, and what an undisturbed run makes of each."""
    assert encoder_path.exists()
    made = tmp_path_factory.mktemp("bulk")
    for ending in ("jsonl", "parquet"):
        write_rows(made / f"in.{ending}", ROWS)
        with start(made, ending, f"whole.{ending}") as process:
            process.communicate()
        assert process.returncode == 0
    return made


def start(folder: Path, ending: str, output: str, **options) -> subprocess.Popen[bytes]:
    """A run on two processes, in a session of its own."""
    arguments = ["score", "--workers", "2", "--input", f"in.{ending}", "--output", output]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments], cwd=folder, stderr=subprocess.PIPE, start_new_session=True, **options
    )


def change_of(state: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a state is written, or the process has ended."""
    before = _written(state)
    while _written(state) == before and process.poll() is None:
        time.sleep(0.005)


def _written(state: Path) -> int:
    try:
        return state.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_run_killed_again_and_again_gives_the_output_of_one_that_was_not(folder, ending):
    """At moments that nobody chose: kill -9 of the parent, whose processes end by themselves."""
    output, lots, kills = folder / f"killed.{ending}", random.Random(ending), 0  # noqa: S311
    for _ in range(MOST_KILLS):
        with start(folder, ending, output.name) as process:
            change_of(folder / f"{output.name}.resume", process)
            time.sleep(lots.uniform(0, 0.3))
            process.kill()
            process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if output.exists():
            break
    with start(folder, ending, output.name) as process:
        process.communicate()
    assert kills
    assert output.read_bytes() == (folder / f"whole.{ending}").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_that_can_be_gone_on_with(folder, number):
    """With its number in the status and a sentence that says so; ^C reaches all of its processes."""
    output = folder / f"{number.name}.jsonl"
    with start(folder, "jsonl", output.name) as process:
        change_of(folder / f"{output.name}.resume", process)
        os.killpg(process.pid, number)
        _, said = process.communicate()
    assert process.returncode == 128 + number
    assert said.decode() == f"wildgate: stopped by {number.name}; the same command goes on from there\n"
    with start(folder, "jsonl", output.name) as process:
        process.communicate()
    assert (process.returncode, output.read_bytes()) == (0, (folder / "whole.jsonl").read_bytes())


@pytest.mark.slow
def test_a_full_disk_is_an_error_after_which_the_run_can_be_gone_on_with(folder):
    """A limit on the size of files stands for the disk."""
    output = folder / "full.jsonl"
    limit = (folder / "whole.jsonl").stat().st_size // 2
    with start(folder, "jsonl", output.name, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) as process:
        _, said = process.communicate()
    assert process.returncode == 2
    assert said.decode().endswith(
        f"{output} cannot be written: File too large; what is scored is kept, the same command goes on from there\n"
    )
    assert (folder / "full.jsonl.partial").stat().st_size > limit // 2
    with start(folder, "jsonl", output.name) as process:
        process.communicate()
    assert output.read_bytes() == (folder / "whole.jsonl").read_bytes()
