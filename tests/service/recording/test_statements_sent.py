"""Statements are sent once each, whatever the database, the network or somebody with kill -9 does."""

from __future__ import annotations

import json
import logging
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from datetime import date
from time import sleep

import pytest
from click.testing import CliRunner
from wildgate_service.cli.statements import command, read_token
from wildgate_service.errors import SettingsError, WildgateError
from wildgate_service.secrets import load_secrets
from wildgate_service.statements.database import Busy, Database, Duplicate, Invalid, Stored, SubmissionError, Unclear
from wildgate_service.statements.double import Double, Fault, Faults
from wildgate_service.statements.double_server import serving
from wildgate_service.statements.files import read_days, write_days
from wildgate_service.statements.journal import Journal
from wildgate_service.statements.make import Complete
from wildgate_service.statements.submit import Counts, Patience, Submitter
from wildgate_service.store import open_store
from wildgate_service.types import Action, Listing

from .conftest import NOON
from .test_statement_rules import SOUND

TOKEN = "secret-token-4711"  # noqa: S105  (of nothing)
DAY = NOON.date()
RUN = (sys.executable, "-c", "from wildgate_service.cli import main; main()")


def complete(*puids, **changes):
    """Statements as they are made, all of one day."""
    return [Complete(day=DAY, outcome_id="o", statement=SOUND | {"puid": puid} | changes) for puid in puids]


@pytest.fixture
def folder(tmp_path):
    """A folder of five statements."""
    write_days(complete(*"abcde"), DAY, DAY, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    return file


class Script:
    """A database that answers as it is told, then as the real one would: `answers` to sending, `asked` to asking."""

    def __init__(self, *answers, asked=()):
        self.answers, self.asked, self.there, self.sent = list(answers), list(asked), set(), []

    def send(self, statements):
        """Answer as told, else as the database does."""
        puids = [each["puid"] for each in statements]
        self.sent.append("".join(puids))
        answer = self.answers.pop(0) if self.answers else None
        if callable(answer):
            answer = answer(self, puids)
        if answer is None and (known := self.there & set(puids)):
            answer = Duplicate(frozenset(known))
        if answer is None:
            answer = Stored(tuple(f"id-{puid}" for puid in puids))
        if isinstance(answer, Stored):
            self.there |= set(puids)
        return answer

    def exists(self, puid):
        """Answer as told, else whether it is there."""
        return self.asked.pop(0) if self.asked else puid in self.there


def stored_but_unheard(script, puids):
    """The answer got lost."""
    script.there |= set(puids)
    return Unclear("no answer")


@pytest.fixture
def run(folder):
    """Sends the folder's statements to a script; the counts, and the seconds that were waited."""

    def with_script(script, **patience):
        waited = []
        with Journal(folder / "journal") as journal:
            submitter = Submitter(script, journal, Patience(sleep=waited.append, **patience))
            for _ in submitter.submit(read_days(folder)):
                pass
        return submitter.counts, waited

    return with_script


# --- answers ---------------------------------------------------------------------------------------


def test_what_was_stored_is_not_sent_again(run):
    """The journal knows."""
    script = Script()
    assert run(script) == (Counts(stored=5), [])
    assert (run(script)[0], script.sent) == (Counts(before=5), ["abcde"])


def test_those_named_as_wrong_are_refused_and_the_rest_is_sent(run, folder):
    """What they lack is in the journal; unchanged they are not tried again."""
    script = Script(Invalid({1: ["category: x"], 3: ["puid: y"]}))
    assert (run(script)[0], script.sent) == (Counts(stored=3, refused=2), ["abcde", "ace"])
    assert b'{"refused":{"b":["category: x"],"d":["puid: y"]}}' in (folder / "journal").read_bytes()
    assert (run(script)[0], len(script.sent)) == (Counts(before=3, refused=2), 2)


def test_a_refused_statement_that_changed_is_tried_again(run, folder):
    """Say, after the policy was mended."""
    run(Script(Invalid({1: ["x"]})))
    write_days([*complete(*"acde"), *complete("b", decision_facts="other")], DAY, DAY, folder)
    script = Script()
    assert (run(script)[0], script.sent) == (Counts(stored=1, before=4), ["b"])


def test_where_the_database_names_none_halves_find_it(run):
    """Down to the one that is refused by itself."""

    def refusing_d(_, puids):
        return Invalid({}) if "d" in puids else None

    script = Script(*[refusing_d] * 9)
    assert (run(script)[0], sorted(script.there)) == (Counts(stored=4, refused=1), list("abce"))


def test_what_is_there_from_elsewhere_counts_as_there(run):
    """Only after asking."""
    script = Script()
    script.there |= {"b", "e"}
    assert (run(script)[0], script.sent) == (Counts(stored=3, before=2), ["abcde", "acd"])


def test_a_duplicate_that_is_not_there_is_still_on_its_way(run):
    """The database holds a puid while it works on an earlier call: wait, and it is there."""
    script = Script(Duplicate(frozenset("b")), Duplicate(frozenset("b")), asked=[False, False])
    counts, waited = run(script)
    assert (counts, len(waited), script.sent) == (Counts(stored=5), 2, ["abcde"] * 3)


def test_too_many_calls_wait_as_long_as_they_are_told(run):
    """Or longer each time, where nothing is said."""
    counts, waited = run(Script(Busy(7.0), Busy(None), Busy(None), Busy(None)), first=1.0)
    assert (counts, waited[0]) == (Counts(stored=5), 7.0)
    assert [0.5 <= seconds / expected <= 1 for seconds, expected in zip(waited[1:], (2, 4, 8), strict=True)] == [True] * 3


def test_a_database_that_is_busy_for_ever_and_says_come_at_once_is_given_up(run):
    """It is not overrun meanwhile."""
    with pytest.raises(SubmissionError, match="gave up after"):
        run(Script(*[Busy(0.0)] * 99), total=30.0)


def test_without_an_answer_it_asks_before_it_sends_again(run):
    """What was stored unheard counts as stored by this run, and is sent once."""
    script = Script(stored_but_unheard)
    assert (run(script)[0], script.sent) == (Counts(stored=5), ["abcde"])
    assert run(Script(Unclear("answer 500")))[0] == Counts(before=5)


def test_asking_is_repeated_until_it_is_answered(run):
    """A 500 there tells nothing."""
    script = Script(stored_but_unheard, asked=[Unclear("answer 500"), Busy(1.0)])
    assert (run(script)[0], script.sent) == (Counts(stored=5), ["abcde"])


def test_patience_ends(run):
    """With what to do; nothing is lost."""
    with pytest.raises(SubmissionError, match=r"gave up after .* seconds .answer 500.; the same command goes on"):
        run(Script(*[Unclear("answer 500")] * 99), total=30.0)
    assert run(Script())[0] == Counts(stored=5)


def test_a_statement_that_changed_after_it_was_stored_is_said(run, folder):
    """The database takes no corrections."""
    run(Script())
    write_days([*complete(*"abcd"), *complete("e", decision_facts="other")], DAY, DAY, folder)
    script = Script()
    assert (run(script)[0], script.sent) == (Counts(before=4, changed=1), [])


def test_a_puid_in_two_days_is_sent_once(run, folder):
    """A correction moved it, and the old day was not exported again."""
    other = date(2026, 3, 11)
    moved = [Complete(day=other, outcome_id="o", statement=SOUND | {"puid": "a", "application_date": "2026-03-11"})]
    write_days(moved, other, other, folder)
    assert run(Script())[0] == Counts(stored=5, changed=1)


def test_a_statement_that_was_broken_by_hand_is_not_sent(run, folder):
    """The rules are checked once more."""
    write_days([*complete(*"abcd"), *complete("e", category="x")], DAY, DAY, folder)
    script = Script()
    assert (run(script)[0], script.sent) == (Counts(stored=4, refused=1), ["abcd"])


# --- the journal -----------------------------------------------------------------------------------


def test_what_was_on_its_way_when_it_was_killed_is_asked_for(run, folder):
    """Three were stored, two not."""
    with Journal(folder / "journal") as journal:
        journal.sending(read_days(folder))
    script = Script()
    script.there |= set("abc")
    assert (run(script)[0], script.sent) == (Counts(stored=2, before=3), ["de"])


class Killed(BaseException):
    """Nothing runs after it."""


class Steps:
    """Counts the steps of a submitter, and kills it at one."""

    def __init__(self, at):
        self.left = at

    def __call__(self):
        """Pass a step."""
        self.left -= 1
        if self.left < 0:
            raise Killed


class Mortal(Script):
    """Dies before or after what it does; b is wrong, and nothing that is there may be sent."""

    def __init__(self, there, steps):
        super().__init__()
        self.there, self._pass = there, steps

    def send(self, statements):
        """Store all, or none because of b."""
        self._pass()
        puids = [each["puid"] for each in statements]
        assert not self.there & set(puids)
        answer = Invalid({puids.index("b"): ["x"]}) if "b" in puids else super().send(statements)
        self._pass()
        return answer

    def exists(self, puid):
        """Whether it is there."""
        self._pass()
        return super().exists(puid)


def mortal_journal(path, steps):
    """A journal that dies before a line, in the middle of it, or after it."""

    class MortalJournal(Journal):
        def _append(self, line):
            steps()
            before = path.stat().st_size
            super()._append(line)
            try:
                steps()
            except Killed:
                os.truncate(path, (before + path.stat().st_size) // 2)
                raise
            steps()

    return MortalJournal(path)


@pytest.mark.parametrize("second", [4, 99])
@pytest.mark.parametrize("first", range(18))
def test_killed_at_any_step_and_again_each_is_stored_once(folder, first, second):
    """A third run finds all done, and says what was refused."""
    there = set()
    for at in (first, second, 99):
        steps = Steps(at)
        with suppress(Killed), mortal_journal(folder / "journal", steps) as journal:
            submitter = Submitter(Mortal(there, steps), journal)
            for _ in submitter.submit(read_days(folder)):
                pass
    assert there == set("acde")
    assert (submitter.counts.refused, submitter.counts.stored + submitter.counts.before) == (1, 4)


def test_half_a_line_at_the_end_is_cut_off(run, folder):
    """A power cut may leave one."""
    run(Script())
    with (folder / "journal").open("ab") as file:
        file.write(b'{"sending":{"z')
    assert run(Script())[0] == Counts(before=5)
    assert (folder / "journal").read_bytes().endswith(b"}\n")


def test_a_damaged_line_ends_it(run, folder):
    """What was sent is then not known."""
    (folder / "journal").write_bytes(b"x\n{}\n")
    with pytest.raises(WildgateError, match="journal, line 1 is damaged: restore the file from a backup"):
        run(Script())


def test_two_submitters_do_not_send_at_once(folder):
    """The second is told."""
    with Journal(folder / "journal"), pytest.raises(WildgateError, match="in use: another submitter"):
        Journal(folder / "journal")


# --- the database ----------------------------------------------------------------------------------


@pytest.fixture
def served():
    """A double on the network, and a connection to it."""
    double = Double(TOKEN)
    with serving(double) as url, Database(url, TOKEN, seconds=0.5) as database:
        yield double, database, url


def test_answers_of_the_double_are_understood(served):
    """Every shape."""
    double, database, _ = served
    assert len(database.send([SOUND]).ids) == 1
    assert database.send([SOUND]) == Duplicate(frozenset({"a-1_b"}))
    assert (database.exists("a-1_b"), database.exists("other")) == (True, False)
    assert list(database.send([SOUND | {"puid": "b"}, SOUND | {"category": "x", "puid": "c"}]).problems) == [1]
    for fault, expected in (
        (Fault.LIMITED, Busy(0.0)),
        (Fault.FAILED, Unclear("answer 500")),
        (Fault.STALLED, Unclear("no answer (ReadTimeout)")),
    ):
        double._plan = Faults(share=1, kinds=(fault,), stall_seconds=1.0)
        assert database.send([SOUND | {"puid": "d"}]) == expected


def test_a_wrong_token_ends_it_without_being_shown(served):
    """No retry helps."""
    _, _, url = served
    with Database(url, "another-token") as database, pytest.raises(SubmissionError, match="does not know the token") as caught:
        database.send([SOUND])
    assert "another-token" not in str(caught.value)


def test_another_server_at_the_address_is_noticed(served):
    """A 404 of a page that there is not is no word about a statement."""
    _, _, url = served
    with Database(f"{url}/wrong", TOKEN) as database:
        for call in (lambda: database.send([SOUND]), lambda: database.exists("a")):
            with pytest.raises(SubmissionError, match="answers 404, which the database would not: check the address"):
                call()


@pytest.mark.parametrize(
    ("url", "said"), [("transparency.dsa.ec.europa.eu", "is no address"), ("http://example.org", "would carry the token in the clear")]
)
def test_addresses_that_are_refused(url, said):
    """Before anything is sent."""
    with pytest.raises(SubmissionError, match=said):
        Database(url, TOKEN)


def test_the_token_is_in_no_log(served, caplog):
    """However much is logged."""
    _, database, _ = served
    with caplog.at_level(logging.DEBUG):
        database.send([SOUND])
    assert (bool(caplog.records), TOKEN in caplog.text) == (True, False)


@pytest.mark.parametrize(
    ("text", "mode", "said"), [("x", 0o644, "chmod 600"), ("a b", 0o600, "the token alone"), ("", 0o600, "the token alone")]
)
def test_token_files_that_are_refused(tmp_path, text, mode, said):
    """Others may read it, or it holds something else."""
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(SettingsError, match=said):
        read_token(file)


# --- the commands ----------------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path, samples):
    """A store with a statement on each of two days, one incomplete and one left out; the arguments that name it."""
    url = f"sqlite:///{tmp_path / 'wildgate.db'}"
    records = [samples.record(Action.BLOCK, listing=Listing(market=market)) for market in ("DE", "FR", "IT", "SG")]
    means = ["automated", "moderator", "unknown", "automated"]
    with open_store(url) as store:
        store.append(records)
        store.append_outcomes(
            [
                samples.outcome(decision_id=record.decision_id, hours=24.0 * (number % 2), means=said)
                for number, (record, said) in enumerate(zip(records, means, strict=True))
            ]
        )
    load_secrets(tmp_path / "wildgate.secrets").tenant_key("acme")
    return ["--store", url, "--tenant", "acme", "--from", "2026-03-10", "--to", "2026-03-12"]


def exported(arguments, output, *more):
    return CliRunner().invoke(command, ["export", *arguments, "--output", str(output), *more])


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_export_writes_a_file_a_day_and_the_same_bytes_again(recorded, tmp_path):
    """With incomplete and left out ones beside them."""
    first, second = (exported(recorded, tmp_path / name) for name in "ab")
    assert (first.exit_code, first.output) == (1, f"2 statements, 1 incomplete, 1 left out: {tmp_path / 'a'}\n")
    assert list(contents(tmp_path / "a")) == [
        "incomplete-2026-03-10.jsonl",
        "left-out-2026-03-11.jsonl",
        "statements-2026-03-10.jsonl",
        "statements-2026-03-11.jsonl",
    ]
    assert (second.exit_code, contents(tmp_path / "a")) == (1, contents(tmp_path / "b"))
    incomplete = json.loads((tmp_path / "a" / "incomplete-2026-03-10.jsonl").read_bytes())
    assert [each["field"] for each in incomplete["incomplete"]] == ["automated_decision"]


def test_a_day_that_is_exported_again_is_replaced(recorded, tmp_path):
    """What is no longer so is gone."""
    old = tmp_path / "a" / "statements-2026-03-12.jsonl"
    old.parent.mkdir()
    old.write_text("{}\n")
    exported(recorded, tmp_path / "a")
    assert not old.exists()


@pytest.mark.parametrize(
    ("days", "said"),
    [(("2026-03-10", "2026-03-09"), "lies before"), (("2026-03-10", "9999-12-30"), "is not over"), (("x", "y"), "is not a day")],
)
def test_days_that_export_refuses(recorded, tmp_path, days, said):
    """A day that goes on may still bring corrections."""
    result = exported(recorded[:4], tmp_path / "a", "--from", days[0], "--to", days[1])
    assert (result.exit_code, said in result.output) == (2, True)


def test_export_then_submit(recorded, tmp_path, token_file):
    """Through the double, twice: the second time nothing is left to send."""
    out = tmp_path / "a"
    exported(recorded, out)
    double = Double(TOKEN)
    with serving(double) as url:
        arguments = ["submit", str(out), "--url", url, "--token-file", str(token_file)]
        first, second = (CliRunner().invoke(command, arguments) for _ in "ab")
    assert (first.exit_code, first.output) == (0, "2 sent, 0 there before, 0 refused, 0 changed since they were sent\n")
    assert second.output.startswith("0 sent, 2 there before")
    journal = next(out.glob("submitted-127.0.0.1-*.jsonl"))
    assert (len(double.statements), stat.S_IMODE(journal.stat().st_mode), TOKEN in journal.read_text()) == (2, 0o600, False)


def test_the_double_is_a_command(token_file):
    """It says its address and answers there until it is ended."""
    arguments = [*RUN, "statements", "double", "--token-file", token_file, "--faults", "1", "--fault", "limited"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip().removeprefix("wildgate: double on ")
        with Database(url, TOKEN) as database:
            answer = database.send([SOUND])
        process.terminate()
    assert answer == Busy(0.0)


def test_statements_through_faults_and_kills(tmp_path, token_file):
    """Each exactly once, though calls go wrong in every way, the submitter is killed twice, and some were there before."""
    out, count = tmp_path / "out", 400
    puids = [f"p{number:04}" for number in range(count)]
    write_days(complete(*puids), DAY, DAY, out)
    double = Double(TOKEN, Faults(share=0.15, seed=7, late_seconds=0.05, stall_seconds=0.4))
    for puid in puids[::150]:
        double.hold(SOUND | {"puid": puid})
    with serving(double) as url:
        arguments = [
            *RUN,
            "statements",
            "submit",
            out,
            "--url",
            url,
            "--token-file",
            token_file,
            "--timeout",
            "0.2",
            "--first-wait",
            "0.01",
        ]
        for share in (0.1, 0.6):
            with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                while len(double.statements) < share * count and process.poll() is None:
                    sleep(0.005)
                os.kill(process.pid, signal.SIGKILL)
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[-300:] if done.returncode else "") == (0, "")
    assert (sorted(double.statements), len({each["uuid"] for each in double.statements.values()})) == (puids, count)
    assert double.faults
