"""Connect to the PostgreSQL that a URL names."""

from __future__ import annotations

from functools import partial
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from wildgate_service.errors import StoreError
from wildgate_service.store._database import Durability, Row
from wildgate_service.store._explained import MALFORMED
from wildgate_service.store._postgresql import PostgresqlDatabase
from wildgate_service.store._url import mask

SCHEMA = "wildgate"
SYNCHRONOUS = {"process": "local", "disk": "on"}
# What the URL may say otherwise. A dead network is noticed after some ten seconds while nothing is asked, after three while something is.
DEFAULTS = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 3000,
    "target_session_attrs": "primary",
    "fallback_application_name": "wildgate",
    "client_encoding": "utf8",
}
MILLISECONDS = 1000


def connect(url: str, *, durability: Durability, read_only: bool, busy_seconds: float, patience: float | None) -> PostgresqlDatabase:
    """Connect; `busy_seconds` is how long a lock is waited for, `patience` how long one operation may take.

    Raises StoreError that says what is wrong with the URL, the server or the database.
    """
    name = f"the store {mask(url)}"
    settings = {
        "synchronous_commit": SYNCHRONOUS[durability],
        "lock_timeout": str(round(busy_seconds * MILLISECONDS)),
        "statement_timeout": str(round((patience or 0) * MILLISECONDS)),
        "default_transaction_read_only": "on" if read_only else "off",
    }
    return PostgresqlDatabase(partial(_connection, _parameters(url, name), settings, name), name, patience)


def _parameters(url: str, name: str) -> dict[str, Any]:
    try:
        return {**DEFAULTS, **conninfo_to_dict(url)}
    except psycopg.ProgrammingError:  # whose text may quote a part of the password
        raise StoreError(f"{name} {MALFORMED}") from None


def _connection(parameters: dict[str, Any], settings: dict[str, str], name: str) -> psycopg.Connection[Row]:
    # psycopg takes a statement for prepared though the pipeline that was to prepare it failed before.
    connection: psycopg.Connection[Row] = psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)
    try:
        _refuse_other_encodings(connection, name)
        _set_up(connection, parameters, settings)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_other_encodings(connection: psycopg.Connection[Row], name: str) -> None:
    if connection.info.parameter_status("server_encoding") != "UTF8":
        message = f"{name} must be a database of encoding UTF8: createdb --encoding UTF8 --template template0"
        raise StoreError(message)


def _set_up(connection: psycopg.Connection[Row], parameters: dict[str, Any], settings: dict[str, str]) -> None:
    """The session's settings, in one round trip; a schema that the URL's `options` name stays."""
    if "search_path" not in str(parameters.get("options", "")):
        settings = {**settings, "search_path": SCHEMA}
    connection.execute(sql.SQL("; ").join(sql.SQL("SET {} = {}").format(sql.Identifier(key), value) for key, value in settings.items()))
