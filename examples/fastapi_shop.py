"""A small shop in FastAPI that asks Wildgate before it publishes: published, held for a moderator, or refused with the notice.

    pip install fastapi uvicorn python-multipart wildgate
    export WILDGATE_CLIENT_TARGET=127.0.0.1:50051 WILDGATE_CLIENT_INSECURE=true WILDGATE_CLIENT_ON_UNAVAILABLE=review
    uvicorn --workers 3 --app-dir examples fastapi_shop:app

Listings are kept in the file that SHOP_DATABASE names; what the shop did is told to Wildgate after the seller has been answered.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from html import escape
from typing import Annotated

from fastapi import BackgroundTasks, FastAPI, Form
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from wildgate import Action, Decision, Listing, Outcome, OutcomeKind, WildgateError, WildgateInvalidRequestError
from wildgate.lifecycle import Clients

wildgate = Clients.from_environment()
app = FastAPI(lifespan=wildgate.lifespan)  # each worker connects when it starts, and closes when it ends

STATES = {Action.ALLOW: OutcomeKind.PUBLISHED, Action.REVIEW: OutcomeKind.HELD, Action.BLOCK: OutcomeKind.REMOVED}
SAYINGS = {"published": "It is published.", "held": "It is held until somebody has looked at it.", "removed": "It cannot be published."}
SCHEMA = "create table if not exists listings (id integer primary key, title text, description text, state text, request_id text)"
FORM = """<form method="post" action="/">
  <label>Title <input name="title" required maxlength="1000"></label>
  <label>Description <textarea name="description" maxlength="20000"></textarea></label>
  <button>Post</button>
</form>"""


def database() -> sqlite3.Connection:
    """The shop's database, which all workers share."""
    connection = sqlite3.connect(os.environ.get("SHOP_DATABASE", "shop.db"), timeout=30)
    connection.execute(SCHEMA)
    return connection


@app.get("/")
def shelf() -> HTMLResponse:
    """What is for sale, and a form."""
    return page()


@app.post("/")
async def post(background: BackgroundTasks, title: Annotated[str, Form()], description: Annotated[str, Form()] = "") -> HTMLResponse:
    """Publish, hold or refuse what a seller posts."""
    listing = Listing(title=title, description=description)
    try:
        decision = await wildgate.aio.score(listing)  # never longer than its deadline, whatever becomes of the service
    except WildgateInvalidRequestError as error:  # too long, or half of a character
        return await run_in_threadpool(page, notice=error.message, status=400)
    state = STATES[decision.action]
    await run_in_threadpool(keep, listing, state, decision.request_id)
    background.add_task(tell, decision, state)
    return await run_in_threadpool(page, state, decision.notice, 422 if decision.blocked else 201)


async def tell(decision: Decision, state: OutcomeKind) -> None:
    """Tell Wildgate what was done; a shop that must lose no outcome keeps it and tells it in a job, as flask_shop.py does."""
    try:
        await wildgate.aio.report_outcomes([Outcome.of(decision, state, {"means": "automated"})])
    except WildgateError as error:
        print(f"outcome of request {decision.request_id} was not told: {error.reason}")  # noqa: T201  (a shop has a log)


def keep(listing: Listing, state: str, request_id: str) -> None:
    """Keep the listing."""
    with closing(database()) as connection, connection:
        row = (listing.title, listing.description, state, request_id)
        connection.execute("insert into listings (title, description, state, request_id) values (?, ?, ?, ?)", row)


def page(state: str = "", notice: str = "", status: int = 200) -> HTMLResponse:
    """The one page of the shop."""
    with closing(database()) as connection:
        rows = connection.execute("select title from listings where state = 'published' order by id desc limit 50").fetchall()
    parts = ["<!doctype html><title>A small shop</title>"]
    if state:
        parts.append(f'<p id="state" data-state="{state}">{SAYINGS[state]}</p>')
    if notice:
        parts.append(f'<p id="notice" role="alert">{escape(notice)}</p>')
    parts += [FORM, "<ul>", *(f"<li>{escape(title)}</li>" for (title,) in rows), "</ul>"]
    return HTMLResponse("".join(parts), status)
