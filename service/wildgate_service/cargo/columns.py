"""Which column of a file of bookings holds what, by its header."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence

from wildgate_service.cargo.tables import FOLDER
from wildgate_service.errors import WildgateError
from wildgate_service.normalize import fold

DESCRIPTION = "description"


def known_headers() -> dict[str, tuple[str, ...]]:
    """Headers by field, folded: `columns.toml`."""
    return {field: tuple(names) for field, names in tomllib.loads((FOLDER / "columns.toml").read_text("utf-8")).items()}


def folded(header: str) -> str:
    """A header as headers are compared: lower case, no marks, one blank for all signs."""
    return re.sub(r"[\W_]+", " ", fold(header)).strip()


def columns_of(headers: Sequence[str], given: Mapping[str, str]) -> dict[str, int]:
    """Field → index of its column, by what was given (field → header), else by what is known.

    Raises WildgateError if a header that was given is not there, or none holds the description of goods.
    """
    known = known_headers()
    there = {folded(header): index for index, header in reversed(list(enumerate(headers)))}
    found = {field: next((there[name] for name in names if name in there), None) for field, names in known.items()}
    for field, header in given.items():
        if field not in known:
            raise WildgateError(f"--column {field}: there is no such field; it is one of {', '.join(known)}")
        if folded(header) not in there:
            raise WildgateError(f"--column {field}={header}: the file has no such column; it has {', '.join(headers)}")
        found[field] = there[folded(header)]
    if found[DESCRIPTION] is None:
        message = f"no column is known to hold the description of goods among {', '.join(headers)}"
        raise WildgateError(f"{message}; name it with --column {DESCRIPTION}=HEADER")
    return {field: index for field, index in found.items() if index is not None}
