"""`wildgate score` as its users run it: a process, files, an exit status."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from wildgate_service.cli import root
from wildgate_service.policy import default_policy

OFFER = "Elephant ivory bangle for sale, DM me"
TUSK = "Elephant tusk for sale, DM me"  # which the small lexicon knows
KEYS = [
    "id",
    "action",
    "score",
    "language",
    "taxa",
    "matches",
    "evidence",
    "reason",
    "notice",
    "lexicon_version",
    "model_version",
    "policy_version",
]
ROWS = [
    b'{"id": "offer", "title": "Elephant ivory bangle for sale", "market": "SG"}',
    b'{"id": "bike", "title": "Blue bicycle", "kind": "listing", "language": "en"}',
    b'{"id": "cut", "title": ',
    b'{"id": 4, "title": 4}',
    b'{"id": "bytes", "title": "\xff"}',
    b'{"id": "half", "title": "\\ud83d"}',
    b"",
    b'{"id": "emoji", "title": "' + "🐘".encode() * 1_000_000 + b'"}',
    b'{"id": "kind", "title": "x", "kind": "advert"}',
    '{"id": "象", "title": "象牙手镯 加微信", "attributes": {"材质": "象牙"}}'.encode(),
    b'{"id": "empty"}',
]


def wildgate(folder: Path, *arguments: str | bytes | Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line to its end in a folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WILDGATE_")}
    code = "from wildgate_service.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, env=inherited | variables, capture_output=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def _built(encoder_path):
    """Build the encoder before the first process looks for it."""
    assert encoder_path.exists()


@pytest.fixture(scope="module")
def small(tmp_path_factory, make_small_lexicon, cache_beside):
    """Settings with a small lexicon, for what is not about the shipped one: that takes each process seconds to load."""
    return {"WILDGATE_LEXICONS": str(make_small_lexicon(tmp_path_factory.mktemp("small"))), **cache_beside}


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The rows above, scored by one process with the lexicons that ship."""
    folder = tmp_path_factory.mktemp("scored")
    (folder / "in.jsonl").write_bytes(b"\n".join(ROWS) + b"\n")
    return folder, wildgate(folder, "score", "--input", "in.jsonl", "--output", "out.jsonl")


# --- one text ------------------------------------------------------------------------------------


def test_a_text_is_answered_with_exactly_the_documented_keys(tmp_path):
    """One line of JSON on standard output, nothing on standard error, nothing written."""
    done = wildgate(tmp_path, "score", "--text", OFFER)
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (0, b"", [])
    assert list(answer) == KEYS
    assert (answer["action"], answer["language"]) == ("block", "en")
    assert {tuple(taxon) for taxon in answer["taxa"]} == {("group", "scientific_name", "appendix")}
    assert {tuple(match) for match in answer["matches"]} == {("rule_id", "kind", "form", "surface", "field", "start", "end", "views")}
    assert {tuple(evidence) for evidence in answer["evidence"]} == {("name", "weight")}
    first = answer["matches"][0]
    assert OFFER[first["start"] : first["end"]] == first["surface"] == "Elephant ivory"


def test_explain_says_on_standard_error_what_each_stage_made_of_a_text(tmp_path, small):
    """The answer stays on standard output, alone."""
    done = wildgate(tmp_path, "score", "--explain", "--text", "3lephant tu5k for sale", **small)
    assert json.loads(done.stdout)["matches"][0]["views"] == ["leetspeak"]
    said = {line.split()[0] for line in done.stderr.decode().splitlines()}
    assert said >= {"document", "skeleton", "bare", "match", "language", "evidence", "decision"}


def test_without_the_encoder_a_text_is_answered_and_marked(tmp_path, small):
    """The lexicons alone see an offer."""
    done = wildgate(tmp_path, "score", "--text", TUSK, WILDGATE_ENCODER=str(tmp_path / "nowhere"), **small)
    answer = json.loads(done.stdout)
    assert (done.returncode, list(answer)) == (0, [*KEYS, "degraded"])
    assert (answer["degraded"], answer["model_version"].endswith("/no-encoder")) == (["encoder_missing"], True)
    assert answer["action"] != "allow"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the listing has no text"),
        ("🐘" * 20_001, "description has 20001 code points, the limit is 20000"),
        (b"elephant\xffivory for sale", "--text is not UTF-8"),
    ],
    ids=["empty", "too long", "not UTF-8"],
)
def test_a_text_that_cannot_be_scored_is_a_usage_error(tmp_path, text, said, small):
    """Said on one line, without a traceback."""
    done = wildgate(tmp_path, "score", "--text", text, **small)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


# --- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give either --text TEXT or --input FILE --output FILE"),
        (["--text", "x", "--input", "in.jsonl", "--output", "out.jsonl"], "give either --text TEXT or --input FILE --output FILE"),
        (["--input", "in.jsonl"], "--input and --output go together"),
        (["--text", "x", "--output", "out.jsonl"], "--input and --output go together"),
        (["--input", "in.jsonl", "--output", "./in.jsonl"], "--output is the input file"),
        (["--input", "in.jsonl", "--output", "out.jsonl", "--explain"], "--explain needs --text"),
        (["--input", "nowhere.jsonl", "--output", "out.jsonl"], "'nowhere.jsonl' does not exist"),
        (["--input", "in.jsonl", "--output", "out.jsonl", "--format", "xml"], "'xml' is not one of 'jsonl', 'csv', 'parquet'"),
        (["--input", "in.jsonl", "--output", "out.jsonl", "--workers", "0"], "0 is not in the range"),
        (["--text", "x", "--policy", "nowhere.toml"], "'nowhere.toml' does not exist"),
        (["--text", "x", "--loud"], "No such option"),
    ],
)
def test_a_usage_error_has_status_2_and_says_what_is_wrong(tmp_path, monkeypatch, arguments, said):
    """Nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_bytes(ROWS[0])
    done = CliRunner().invoke(root, ["score", *arguments])
    assert (done.exit_code, done.stdout, [path.name for path in tmp_path.iterdir()]) == (2, "", ["in.jsonl"])
    assert said in done.stderr


def test_a_usage_error_ends_the_process_with_status_2(tmp_path):
    """As one of those above does."""
    done = wildgate(tmp_path, "score")
    assert (done.returncode, done.stdout) == (2, b"")
    assert "give either --text TEXT or --input FILE --output FILE" in done.stderr.decode()


def test_a_broken_policy_is_an_error_that_names_file_and_key(tmp_path, small):
    """No output appears."""
    policy = default_policy().read_text(encoding="utf-8").replace("review = 0.5", "review = 5", 1)
    (tmp_path / "mine.toml").write_text(policy, encoding="utf-8")
    (tmp_path / "in.jsonl").write_bytes(ROWS[0])
    done = wildgate(tmp_path, "score", "--policy", "mine.toml", "--input", "in.jsonl", "--output", "out.jsonl", **small)
    assert done.returncode == 2
    line = policy[: policy.index("review = 5\n")].count("\n") + 1
    assert f"policy mine.toml: line {line}: thresholds.review: 5.0 is not between 0 and 1.01" in done.stderr.decode()
    assert not (tmp_path / "out.jsonl").exists()


def test_a_policy_of_ones_own_is_heeded(tmp_path, small):
    """Its version is in the answer."""
    policy = default_policy().read_text(encoding="utf-8")
    policy = re.sub(r'version = ".*"', 'version = "7.7.7-mine"', policy, count=1).replace("block = 0.87", "block = 1.01", 1)
    (tmp_path / "mine.toml").write_text(policy, encoding="utf-8")
    answer = json.loads(wildgate(tmp_path, "score", "--policy", "mine.toml", "--text", TUSK, **small).stdout)
    assert (answer["action"], answer["policy_version"]) == ("review", "7.7.7-mine")


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_broken_lexicon_is_an_error_that_names_file_and_line(tmp_path, workers, small):
    """Once, and not by each process."""
    shutil.copytree(small["WILDGATE_LEXICONS"], tmp_path / "lexicons")
    (tmp_path / "lexicons" / "rules" / "en" / "ivory.yml").write_text("- id: en-ivory\n  title: x\n- id: [\n", encoding="utf-8")
    (tmp_path / "in.jsonl").write_bytes(ROWS[0])
    done = wildgate(
        tmp_path, "score", "--lexicons", "lexicons", "--workers", workers, "--input", "in.jsonl", "--output", "out.jsonl", **small
    )
    assert done.returncode == 2
    assert done.stderr.decode().startswith("wildgate: rules/en/ivory.yml:4: not YAML")
    assert not (tmp_path / "out.jsonl").exists()


# --- a file --------------------------------------------------------------------------------------


def test_every_line_but_blank_ones_has_its_answer_in_its_place(scored):
    """What failed has a line number, and its id if that could be read."""
    folder, _ = scored
    answers = [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]
    assert [(answer.get("id"), answer.get("action"), answer.get("line")) for answer in answers] == [
        ("offer", "block", None),
        ("bike", "allow", None),
        (None, None, 3),
        (4, None, 4),
        (None, None, 5),
        (None, None, 6),
        ("emoji", None, 8),
        ("kind", None, 9),
        ("象", "block", None),
        ("empty", None, 11),
    ]


def test_answers_and_failures_have_exactly_the_documented_keys(scored):
    """Three kinds of lines and no other."""
    folder, _ = scored
    answers = [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]
    assert {tuple(answer) for answer in answers} == {tuple(KEYS), ("line", "error"), ("id", "line", "error")}


def test_a_run_with_failed_lines_ends_with_status_1_and_is_silent(scored):
    """Progress is for terminals."""
    _, done = scored
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_a_million_emoji_are_refused_as_too_long(scored):
    """With the length and the limit."""
    folder, _ = scored
    (error,) = [line for line in (folder / "out.jsonl").read_bytes().splitlines() if b'"emoji"' in line]
    assert json.loads(error)["error"] == "title has 1000000 code points, the limit is 1000"


@pytest.mark.slow
def test_two_processes_give_what_one_gives(scored):
    """Byte for byte, and the same status."""
    folder, _ = scored
    done = wildgate(folder, "score", "--workers", "2", "--input", "in.jsonl", "--output", "two.jsonl")
    assert (done.returncode, done.stderr) == (1, b"")
    assert (folder / "two.jsonl").read_bytes() == (folder / "out.jsonl").read_bytes()


@pytest.mark.slow
def test_two_processes_keep_the_order_over_many_chunks(tmp_path, small):
    """Each takes five hundred lines at a time."""
    rows = (json.dumps({"id": number, "title": f"Blue bicycle {number}"}) for number in range(3_001))
    (tmp_path / "in.jsonl").write_text("\n".join(rows), encoding="utf-8")
    done = wildgate(tmp_path, "score", "--workers", "2", "--input", "in.jsonl", "--output", "out.jsonl", **small)
    answers = [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert (done.returncode, answers) == (0, list(range(3_001)))


def test_the_format_is_that_of_the_inputs_ending(tmp_path, small):
    """Unless it is said."""
    (tmp_path / "in.csv").write_text(f'id,title\n1,"{TUSK}"\n', encoding="utf-8")
    done = wildgate(tmp_path, "score", "--input", "in.csv", "--output", "out.data", **small)
    with (tmp_path / "out.data").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (done.returncode, row["id"], row["action"]) == (0, "1", "block")


def test_a_file_of_another_format_than_said_is_one_error(tmp_path, small):
    """Without a traceback, and without output."""
    (tmp_path / "in.jsonl").write_bytes(ROWS[0])
    done = wildgate(tmp_path, "score", "--format", "parquet", "--input", "in.jsonl", "--output", "out.parquet", **small)
    assert (done.returncode, [path.name for path in tmp_path.iterdir()]) == (2, ["in.jsonl"])
    assert done.stderr.decode().startswith("wildgate: in.jsonl cannot be read as parquet")


def test_progress_is_shown_on_a_terminal(tmp_path, small):
    """On standard error, how many and how many failed."""
    (tmp_path / "in.jsonl").write_bytes(ROWS[1] + b"\n" + ROWS[2])
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    code = "from wildgate_service.cli import main; main()"
    arguments = ["score", "--input", "in.jsonl", "--output", "out.jsonl"]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=tmp_path, stderr=theirs, env=os.environ | small) as process:
        os.close(theirs)
        shown = _all_of(ours)
    os.close(ours)
    assert (process.returncode, b"2 listings, 1 failed" in shown) == (1, True)


def _all_of(terminal: int) -> bytes:
    """All that is written to a terminal until its other side is closed."""
    shown = b""
    with suppress(OSError):  # Linux's way to say that the other side is closed
        while select.select([terminal], [], [], 120)[0] and (read := os.read(terminal, 4096)):
            shown += read
    return shown
