"""Statements as psycopg takes them: `?` and `:name` become its placeholders."""

from __future__ import annotations

import re
from functools import lru_cache

# A quoted text, which stays, a cast, which is no parameter, or a parameter.
TOKEN = re.compile(r"'[^']*'|::|:(?P<name>[a-z_]+)|\?")


@lru_cache(maxsize=512)
def translate(statement: str) -> bytes:
    """The statement for psycopg.

    >>> translate("SELECT 1 FROM a WHERE b = ? AND c::int = :d AND e LIKE '?%'")
    b"SELECT 1 FROM a WHERE b = %s AND c::int = %(d)s AND e LIKE '?%%'"
    """
    return TOKEN.sub(_placeholder, statement.replace("%", "%%")).encode()


def _placeholder(found: re.Match[str]) -> str:
    if found["name"]:
        return f"%({found['name']})s"
    return "%s" if found[0] == "?" else found[0]
