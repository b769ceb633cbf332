"""What PostgreSQL and psycopg complain of, in clear words: what is wrong, and what to do. Never with a password."""

from __future__ import annotations

from psycopg import Error, errors

# Others wrote the same, or both wait for each other: the transaction is undone and may be tried again.
CONFLICTS = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)
# The connection is of no use any more; another may be, perhaps to another host.
LOSSES = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,  # it was the primary and is a standby now
    errors.ProtocolViolation,
)
BY_CLASS: list[tuple[type[Error], str]] = [
    (errors.InsufficientPrivilege, "refuses this role: grant it what docs/postgresql.md lists"),
    (errors.ReadOnlySqlTransaction, "cannot be written: it is a standby, or opened to read alone; name its primary, or all hosts"),
    (errors.DiskFull, "is full: free space on its disk"),
    (errors.QueryCanceled, "did not answer in time: look at its load and at what waits in pg_stat_activity"),
    (errors.LockNotAvailable, "is locked by another session: look at pg_locks"),
    (errors.TooManyConnections, "has no connection left: raise its max_connections, or run fewer replicas"),
    (errors.UndefinedTable, "lacks a table: start the service once with a role that may make them"),
    (errors.DataError, "cannot keep a value: a text with a NUL character, or a number out of range"),
    (errors.UniqueViolation, "has this already"),
]
MALFORMED = "is no URL that libpq takes: postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with odd characters as %40"
# libpq says of a connection that failed no more than a sentence.
BY_SENTENCE = [
    ("Servname not supported", MALFORMED),  # a port that is none
    ("invalid port number", MALFORMED),
    ("invalid integer value", MALFORMED),
    ("password authentication failed", "refuses the password or the role: check both in the URL, or PGPASSFILE"),
    ("no password supplied", "wants a password: give it in the URL, in PGPASSWORD or PGPASSFILE"),
    ("no pg_hba.conf entry", "does not let this role in from here: add it to pg_hba.conf"),
    ("Peer authentication failed", "does not let this role in from here: add it to pg_hba.conf"),
    ("role", "does not know the role: createuser it, or name another in the URL"),
    ("database", "does not have the database: createdb it (UTF8), or name another in the URL"),
    ("Connection refused", "cannot be reached: is the server running, and are host and port right?"),
    ("No such file or directory", "cannot be reached: is the server running, and are host and port right?"),
    ("failed to resolve host", "cannot be reached: check the host in the URL"),
    ("could not translate host name", "cannot be reached: check the host in the URL"),
    ("timeout expired", "cannot be reached in time: check host, port and firewall"),
    ("too many clients", "has no connection left: raise its max_connections, or run fewer replicas"),
    ("read-only", "is a standby: name its primary, or all hosts"),
    ("in hot standby mode", "is a standby: name its primary, or all hosts"),
]
OF_MISSING = "does not exist"  # a role or a database
LOST = "broke the connection: what was answered is kept; it is tried again"


def explanation_of(error: Error, name: str) -> str:
    """One sentence about a store of that name."""
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    for kind, explanation in BY_CLASS:
        if isinstance(error, kind):
            return f"{name} {explanation}{code}"
    if error.sqlstate:
        return f"{name} failed: {error.diag.message_primary}{code}"
    text = str(error)
    for said, explanation in BY_SENTENCE:
        if said in text and (said not in {"role", "database"} or OF_MISSING in text):
            return f"{name} {explanation}"
    return f"{name} {LOST}"
