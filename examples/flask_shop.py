"""A small shop in Flask that asks Wildgate before it publishes: published, held for a moderator, or refused with the notice.

    pip install flask gunicorn wildgate
    export WILDGATE_CLIENT_TARGET=127.0.0.1:50051 WILDGATE_CLIENT_INSECURE=true WILDGATE_CLIENT_ON_UNAVAILABLE=review
    gunicorn --workers 3 --chdir examples flask_shop:app
    flask --app examples/flask_shop catch-up      # every minute, by cron

Listings are kept in the file that SHOP_DATABASE names. Forms want a token against forgery (flask-wtf) in a shop that has visitors.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import click
from flask import Flask, render_template_string, request
from wildgate import Action, Decision, Listing, Means, Outcome, OutcomeKind, WildgateInvalidRequestError
from wildgate.lifecycle import Clients

wildgate = Clients.from_environment()  # connects to nothing yet: each worker makes its own client at its first listing
app = Flask(__name__)

STATES = {Action.ALLOW: OutcomeKind.PUBLISHED, Action.REVIEW: OutcomeKind.HELD, Action.BLOCK: OutcomeKind.REMOVED}
SAYINGS = {"published": "It is published.", "held": "It is held until somebody has looked at it.", "removed": "It cannot be published."}
SCHEMA = """
create table if not exists listings (id integer primary key, title text, description text, state text, answered integer);
create table if not exists outcomes (outcome_id text primary key, request_id text, applied text, action text, reason text);
"""
PAGE = """<!doctype html>
<title>A small shop</title>
{% if state %}<p id="state" data-state="{{ state }}">{{ saying }}</p>{% endif %}
{% if notice %}<p id="notice" role="alert">{{ notice }}</p>{% endif %}
<form method="post" action="/">
  <label>Title <input name="title" required maxlength="1000" value="{{ title }}"></label>
  <label>Description <textarea name="description" maxlength="20000">{{ description }}</textarea></label>
  <button>Post</button>
</form>
<ul>{% for each in shelf %}<li>{{ each[0] }}</li>{% endfor %}</ul>
"""


def database() -> sqlite3.Connection:
    """The shop's database, which all workers share."""
    connection = sqlite3.connect(os.environ.get("SHOP_DATABASE", "shop.db"), timeout=30)
    connection.executescript(SCHEMA)
    return connection


@app.get("/")
def shelf() -> str:
    """What is for sale, and a form."""
    return page()


@app.post("/")
def post() -> tuple[str, int]:
    """Publish, hold or refuse what a seller posts."""
    listing = Listing(title=request.form["title"], description=request.form.get("description", ""))
    try:
        decision = wildgate.sync.score(listing)  # never longer than its deadline, whatever becomes of the service
    except WildgateInvalidRequestError as error:  # too long, or half of a character
        return page(listing, notice=error.message), 400
    state = STATES[decision.action]
    with closing(database()) as connection, connection:
        row = (listing.title, listing.description, state, decision.answered)
        connection.execute("insert into listings (title, description, state, answered) values (?, ?, ?, ?)", row)
        keep_outcome(connection, decision)
    return page(listing, state, decision.notice), 422 if decision.blocked else 201


def keep_outcome(connection: sqlite3.Connection, decision: Decision) -> None:
    """Keep, in the transaction that did it, what is still to be told of a listing."""
    done = Outcome.of(decision, STATES[decision.action])
    facts = (done.outcome_id, decision.request_id, done.applied, done.degraded_action, done.degraded_reason)
    connection.execute("insert into outcomes values (?, ?, ?, ?, ?)", facts)


@app.cli.command("catch-up")
def catch_up() -> None:
    """Score what nothing answered, and tell Wildgate what became of listings."""
    with closing(database()) as connection:
        click.echo(f"{score_again(connection)} scored again, {tell(connection)} outcomes told")


def score_again(connection: sqlite3.Connection) -> int:
    """Decide what is held because nothing answered; returns how many were."""
    rows = connection.execute("select id, title, description from listings where not answered and state = 'held' limit 1000").fetchall()
    results = wildgate.sync.score_batch(Listing(title=title, description=description) for _, title, description in rows)
    answered = [(row[0], each.decision) for row, each in zip(rows, results, strict=True) if each.decision and each.decision.answered]
    with connection:
        for number, decision in answered:
            connection.execute("update listings set state = ?, answered = 1 where id = ?", (STATES[decision.action], number))
            keep_outcome(connection, decision)
    return len(answered)


def tell(connection: sqlite3.Connection) -> int:
    """Report the outcomes that are kept; one that is told twice is recorded once. Returns how many were recorded."""
    rows = connection.execute("select outcome_id, request_id, applied, action, reason from outcomes limit 1000").fetchall()
    results = wildgate.sync.report_outcomes(outcome(*row) for row in rows)
    recorded = [(each.outcome_id,) for each in results if each.error is None]
    with connection:
        connection.executemany("delete from outcomes where outcome_id = ?", recorded)
    return len(recorded)


def outcome(outcome_id: str, request_id: str, applied: str, action: str | None, reason: str) -> Outcome:
    """An outcome as it was kept."""
    return Outcome(
        outcome_id=outcome_id,
        request_id=request_id,
        applied=OutcomeKind(applied),
        means=Means.AUTOMATED,
        degraded_action=Action(action) if action else None,
        degraded_reason=reason,
    )


def page(listing: Listing | None = None, state: str = "", notice: str = "") -> str:
    """The one page of the shop."""
    with closing(database()) as connection:
        rows = connection.execute("select title from listings where state = 'published' order by id desc limit 50").fetchall()
    typed = {"title": listing.title, "description": listing.description} if listing and state != "published" else {}
    return render_template_string(PAGE, shelf=rows, state=state, saying=SAYINGS.get(state), notice=notice, **typed)
