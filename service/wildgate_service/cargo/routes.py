"""Where a booking goes: places by code or name, in a field of their own or in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from wildgate_service.cargo.tables import COUNTRY, CargoTables
from wildgate_service.normalize import fold

_LOCODE = re.compile(r"(?<![a-z0-9])([a-z]{2}) ?([a-z2-9]{3})(?![a-z0-9])")
_PARTED = re.compile(r"[,;/|+]")
_TO = re.compile(r" *(?:,[^,]{0,20})?(?: to | ?-+>? ?| ?→ ?| ?> ?|/| a | vers | den | para )+ *(?:port of )?")
_LOADED = re.compile(r"(?<![a-z])(?:pol|port of loading|load port|ex|from|origin)[ :.\-]*$")
_DISCHARGED = re.compile(r"(?<![a-z])(?:pod|port of discharge|discharge port|to|destination)[ :.\-]*$")
LABEL = 24  # code points before a place in which it is said what it is


class Place(Struct, frozen=True):
    """A port or country: its ISO 3166 country and the words that say it."""

    country: str
    words: str


def place_of(text: str, tables: CargoTables) -> Place | None:
    """The place that a field holds; a country that is named beside a port says which of several ports of a name it is."""
    folded = fold(text).strip()
    codes = [tables.named[found[0]] for found in tables.names.finditer(folded)]
    if codes:
        return Place(next((code for code in codes if len(code) == COUNTRY), codes[0])[:COUNTRY], text.strip())
    country = folded.upper()[:COUNTRY]
    if country in tables.countries and (len(folded) == COUNTRY or _LOCODE.fullmatch(folded)):
        return Place(country, text.strip())
    return None


def places_of(text: str, tables: CargoTables) -> Iterator[Place]:
    """All places of a field that are known."""
    yield from (place for part in _PARTED.split(text) if (place := place_of(part, tables)))


def way_in(text: str, tables: CargoTables) -> tuple[Place | None, Place | None]:
    """Origin and destination as a folded text says them: "pol … pod …", "from … to …", "Lagos-Haiphong"."""
    found = list(_places_in(text, tables))
    origin = next((place for start, _, place in found if _LOADED.search(text[max(0, start - LABEL) : start])), None)
    destination = next((place for start, _, place in found if _DISCHARGED.search(text[max(0, start - LABEL) : start])), None)
    for (_, end, one), (start, _, other) in pairwise(found):
        if _TO.fullmatch(text[end:start]):
            return origin or one, destination or other
    return origin, destination


def _places_in(text: str, tables: CargoTables) -> Iterator[tuple[int, int, Place]]:
    """Names of places and codes of ports in the tables, in the order of the text."""
    known = set(tables.named.values())
    named = [(found.start(), found.end(), Place(tables.named[found[0]][:COUNTRY], found[0])) for found in tables.names.finditer(text)]
    coded = [
        (found.start(), found.end(), Place(found[1].upper(), found[0]))
        for found in _LOCODE.finditer(text)
        if found[0].replace(" ", "").upper() in known
    ]
    yield from sorted([*named, *coded], key=lambda each: each[0])
