"""Files of listings as `wildgate score --input` reads them, one JSON object a line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

import msgspec

from wildgate_service.bulk import InputRow, listing_of
from wildgate_service.errors import WildgateError
from wildgate_service.types import Listing


def lines_of(source: Path) -> Iterator[tuple[int, bytes]]:
    """Numbered lines, from 1; blank ones are passed over. Raises WildgateError if the file cannot be read."""
    try:
        with source.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if text.strip():
                    yield number, text
    except OSError as error:
        raise WildgateError(f"{source} cannot be read: {error.strerror}") from error


def listings_of(source: Path) -> Iterator[Listing]:
    """The listings of a file. Raises WildgateError with the line of the first that is none."""
    for number, line in lines_of(source):
        try:
            yield listing_of(msgspec.json.decode(line, type=InputRow))
        except (ValueError, RecursionError) as error:
            raise WildgateError(f'{source}:{number}: not a listing: {error}; a line is like {{"title": "…"}}') from error
