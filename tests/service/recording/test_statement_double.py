"""The stand-in of the EU's database: its calls, shapes and limits as they are documented."""

from __future__ import annotations

import json
from collections import Counter

import httpx2
import pytest
from wildgate_service.statements.double import Double, Fault, Faults
from wildgate_service.statements.double_server import serving

from .test_statement_rules import SOUND

TOKEN = "a-token"  # noqa: S105  (of nothing)


def statements(*puids, **changes):
    return [SOUND | {"puid": puid} | changes for puid in puids]


class Asked:
    """A double with what is sent to it as objects."""

    def __init__(self, token=TOKEN, **options):
        self.now = 0.0
        self.token = token
        self.double = Double(TOKEN, clock=lambda: self.now, **options)

    def __call__(self, method, path, body=None):
        """Send one call; its status and answer."""
        reply = self.double.answer(method, path, f"Bearer {self.token}", json.dumps(body).encode())
        return reply.status, json.loads(reply.body) if reply.content_type == "application/json" and reply.body else reply.body

    def post(self, *sent):
        """Send a batch."""
        return self("POST", "/api/v1/statements", {"statements": list(sent)})


@pytest.fixture
def asked():
    return Asked()


def test_a_statement_is_created_and_can_be_read(asked):
    """With what the database adds; the single call says its puid and number."""
    status, made = asked("POST", "/api/v1/statement", SOUND)
    assert (status, made["puid"], made["id"], made["category"]) == (201, "a-1_b", 1, SOUND["category"])
    assert {"uuid", "created_at", "platform_name", "permalink", "self"} <= set(made)
    status, read = asked("GET", f"/api/v1/statement/{made['uuid']}")
    assert (status, read["uuid"]) == (200, made["uuid"])


def test_a_batch_is_created_in_its_order_and_says_no_puids(asked):
    """Up to a hundred."""
    status, made = asked.post(*statements(*map(str, range(100))))
    assert (status, len(made["statements"]), "puid" in made["statements"][0]) == (201, 100, False)
    assert [each["uuid"] for each in made["statements"]] == [each["uuid"] for each in asked.double.statements.values()]


@pytest.mark.parametrize("body", [{}, {"statements": []}, {"statements": statements(*map(str, range(101)))}, {"statements": "x"}, []])
def test_a_batch_of_none_or_too_many_has_the_shape_of_a_single_error(asked, body):
    """The error is one of the field `statements`."""
    status, answer = asked("POST", "/api/v1/statements", body)
    assert (status, set(answer), list(answer["errors"])) == (422, {"message", "errors"}, ["statements"])


def test_what_is_wrong_in_a_single_statement(asked):
    """The first text, and how many more."""
    status, answer = asked("POST", "/api/v1/statement", {**SOUND, "category": "x", "puid": "a b", "content_date": "1999-01-01"})
    assert (status, list(answer["errors"])) == (422, ["category", "content_date", "puid"])
    assert answer["message"].endswith("(and 2 more errors)")


def test_what_is_wrong_in_a_batch_is_said_by_place_and_nothing_is_stored(asked):
    """Counted from nought, and without a message."""
    status, answer = asked.post(*statements("a"), *statements("b", category="x"), *statements("c"))
    assert (status, list(answer), list(answer["errors"]), asked.double.statements) == (422, ["errors"], ["statement_1"], {})
    assert list(answer["errors"]["statement_1"]) == ["category"]


def test_a_puid_that_is_there_in_both_shapes(asked):
    """The single error has it under `existing`, that of a batch among the errors; nothing else of the batch is stored."""
    asked("POST", "/api/v1/statement", SOUND)
    single, batch = asked("POST", "/api/v1/statement", SOUND), asked.post(SOUND, *statements("new"))
    unique, all_unique = (
        "The identifier given is not unique within this platform.",
        "The platform identifier(s) are not all unique within this call.",
    )
    assert single == (422, {"message": unique, "errors": {"puid": [unique]}, "existing": {"puid": "a-1_b"}})
    assert batch == (422, {"message": all_unique, "errors": {"puid": [all_unique], "existing_puids": ["a-1_b"]}})
    assert list(asked.double.statements) == ["a-1_b"]


def test_a_puid_twice_in_one_batch(asked):
    """It is not unique either."""
    status, answer = asked.post(SOUND, SOUND)
    assert (status, answer["errors"]["existing_puids"], asked.double.statements) == (422, ["a-1_b"], {})


def test_whether_a_puid_is_there(asked):
    """302 or 404, both with the puid."""
    asked.post(SOUND)
    answers = [asked("GET", f"/api/v1/statement/existing-puid/{puid}") for puid in ("a-1_b", "other")]
    assert [(status, answer["puid"]) for status, answer in answers] == [(302, "a-1_b"), (404, "other")]


def test_what_does_not_count_is_dropped_without_a_word(asked):
    """And lists are sorted, each value once."""
    sent = SOUND | {"incompatible_content_ground": "x", "territorial_scope": ["SE", "DE", "SE"], "unknown": 1, "source_identity": "x"}
    _, made = asked("POST", "/api/v1/statement", sent)
    assert (made["territorial_scope"], {"incompatible_content_ground", "unknown", "source_identity"} & set(made)) == (["DE", "SE"], set())


def test_another_token_is_refused(asked):
    """Whatever is asked."""
    assert Asked(token=f"new-{TOKEN}")("GET", "/api/ping") == (401, {"message": "Unauthenticated."})
    assert asked("GET", "/api/ping") == (200, {"you_say": "ping", "i_say": "pong"})


def test_the_limit_of_a_second(asked):
    """Two hundred calls, then plain text, until the next second."""
    statuses = Counter(asked("GET", "/api/ping")[0] for _ in range(201))
    _, text = asked("GET", "/api/ping")
    asked.now = 1.0
    assert (statuses, text, asked("GET", "/api/ping")[0]) == ({200: 200, 429: 1}, b"Limit Reached. Please do not overload the API", 200)


@pytest.mark.parametrize(
    ("fault", "status", "stored"),
    [
        (Fault.LIMITED, 429, 0),
        (Fault.FAILED, 500, 0),
        (Fault.FAILED_AFTER, 500, 1),
        (Fault.DROPPED, 0, 0),
        (Fault.DROPPED_AFTER, 0, 1),
        (Fault.STALLED, 201, 1),
    ],
)
def test_what_a_fault_answers_and_leaves(fault, status, stored):
    """Status 0 is a dropped connection."""
    asked = Asked(faults=Faults(share=1, kinds=(fault,)))
    assert (asked.post(SOUND)[0], len(asked.double.statements), asked.double.faults) == (status, stored, {fault: 1})


def test_a_late_call_holds_its_puids_until_it_is_stored(until):
    """Meanwhile they are neither there nor free."""
    asked = Asked(faults=Faults(share=1, kinds=(Fault.LATE,), late_seconds=0.2))
    assert asked.post(SOUND)[0] == 0
    asked.double._plan = Faults()
    assert (asked.post(SOUND)[0], asked("GET", "/api/v1/statement/existing-puid/a-1_b")[0]) == (422, 404)
    until(lambda: asked.double.statements, "the late call")
    assert asked("GET", "/api/v1/statement/existing-puid/a-1_b")[0] == 302


def test_faults_are_drawn_by_a_seed():
    """The same calls meet the same ones."""

    def run(seed):
        asked = Asked(faults=Faults(share=0.5, seed=seed, kinds=(Fault.FAILED, Fault.LIMITED)))
        return [asked("GET", "/api/ping")[0] for _ in range(40)]

    assert (run(1) == run(1), run(1) == run(2), set(run(1))) == (True, False, {200, 429, 500})


def test_over_the_network():
    """Connections are kept; a dropped one is none of the server's."""
    double = Double(TOKEN)
    with serving(double) as url, httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        made = client.post("/api/v1/statements", json={"statements": [SOUND]})
        found = client.get("/api/v1/statement/existing-puid/a-1_b")
        nothing = client.get("/elsewhere")
        double._plan = Faults(share=1, kinds=(Fault.DROPPED,))
        with pytest.raises(httpx2.RequestError):
            client.get("/api/ping")
    assert (made.status_code, found.status_code, nothing.status_code) == (201, 302, 404)
