"""A booking: what a listing of kind CARGO_BOOKING says of goods, way, code and load.

Attributes with these names are read; what they leave out is looked for in title and description.

    origin, destination     a port or country: UN/LOCODE ("NGLOS"), ISO 3166 ("NG") or name ("Lagos, Nigeria")
    transit                 ports between them, parted by comma, semicolon or slash
    hs_code                 of the Harmonized System, with or without dots: "0801.31", "08013100"
    gross_weight_kg         kilograms of the whole booking
    packages                how many
    containers              how many of which: "2x40HC", "1X20GP", "22G1"
    shipper_type, consignee_type   "company", "forwarder" or "person"
    transport               "sea", "air", "road" or "rail"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from wildgate_service.cargo.routes import Place, place_of, places_of, way_in
from wildgate_service.cargo.tables import CargoTables
from wildgate_service.normalize import fold
from wildgate_service.types import Listing

PERSONS = frozenset({"person", "private", "private person", "individual", "natural person", "particulier", "particular", "pessoa singular"})
_HS = re.compile(r"(?<![a-z])(?:h\.? ?s\.?|hts|tariff|ncm)(?: ?code| ?no\.?)*[ .:#]*(\d{4}(?:[. ]?\d{2}){0,3})(?!\d)")
_CODE = re.compile(r"\d{4,10}")
_SIZE = re.compile(r"(\d{1,3}) ?[x*] ?(20|40|45)(?!\d)")
_ISO_SIZE = re.compile(r"(?<![a-z0-9])([24l])[0-9][gprutvbh][0-9p](?![a-z0-9])")
_ANY_SIZE = re.compile(r"(?<!\d)(20|40|45)(?: ?ft|'|gp|dv|dc|hc|hq|rf|rh|ot)")
_NUMBER = re.compile(r"\d[\d., ]*")
HEADING = 4  # digits of an HS heading
UNSPECIFIED = "unspecified"
THOUSAND = 3  # digits behind a separator that parts thousands
UNITS = {"20": 1, "40": 2, "45": 2, "2": 1, "4": 2, "l": 2}  # twenty-foot units, by what sizes begin with


class Booking(Struct, frozen=True):
    """What is known of it. `goods` are (name in the tables, the words that say it) in the order of the text.

    `code` are the digits of the HS code, `kilograms` the gross weight, `units` twenty-foot units; "" and None where nothing is said.
    """

    goods: tuple[tuple[str, str], ...] = ()
    origin: Place | None = None
    destination: Place | None = None
    transit: tuple[Place, ...] = ()
    code: str = ""
    kilograms: float | None = None
    units: int | None = None
    private: bool = False
    air: bool = False


def booking_of(listing: Listing, tables: CargoTables) -> Booking:
    """Read a listing as a booking."""
    told = {fold(each.name).strip().replace(" ", "_"): each.value for each in listing.attributes}
    text = fold(f"{listing.title}\n{listing.description}")
    way = way_in(text, tables)
    code = _code_of(told.get("hs_code", ""), text)
    return Booking(
        goods=tuple(_goods_in(text, tables)) or tuple(_goods_under(code, text, tables)),
        origin=place_of(told.get("origin", ""), tables) or way[0],
        destination=place_of(told.get("destination", ""), tables) or way[1],
        transit=tuple(places_of(told.get("transit", ""), tables)),
        code=code,
        kilograms=number_of(told.get("gross_weight_kg", "")),
        units=_units_of(fold(told.get("containers", "")) or text),
        private=any(fold(told.get(name, "")).strip() in PERSONS for name in ("shipper_type", "consignee_type")),
        air="air" in fold(told.get("transport", "")),
    )


def number_of(text: str) -> float | None:
    """The first number of a text, whichever sign parts its thousands.

    >>> number_of("24,000 KGS"), number_of("24.000,50"), number_of("1 250.5 kg"), number_of("n/a")
    (24000.0, 24000.5, 1250.5, None)
    """
    found = _NUMBER.search(text)
    if not found:
        return None
    digits = found[0].replace(" ", "").rstrip(".,")
    whole, sign, rest = digits.rpartition(max(".,", key=digits.rfind))
    if sign and len(rest) == THOUSAND and whole.count(sign) + 1 == digits.count(sign):
        other = "." if sign == "," else ","
        whole, rest = (whole + rest, "") if other not in digits else (whole, rest)
    return float(f"{re.sub('[.,]', '', whole) or (0 if sign else rest)}.{(rest if sign else '') or 0}")


def _goods_in(text: str, tables: CargoTables) -> Iterator[tuple[str, str]]:
    """Goods by their words, each once; not what they are packed in."""
    seen = set()
    for found in tables.words.finditer(tables.wrappings.sub(lambda wrapping: "," * len(wrapping[0]), text)):
        name = tables.goods_called(found[0])
        if name not in seen:
            seen.add(name)
            yield name, found[0]


def _goods_under(code: str, text: str, tables: CargoTables) -> Iterator[tuple[str, str]]:
    """What the HS code says of goods that no known word says, by the heading that the table names first; or that nothing is said at all."""
    headed = (name for name, goods in tables.patterns.goods.items() if len(goods.hs[0]) == HEADING and code.startswith(goods.hs[0]))
    name = next(headed, None) if code else None
    if name:
        yield name, f"HS {code}"
    elif not text.strip():
        yield UNSPECIFIED, "nothing said"


def _code_of(told: str, text: str) -> str:
    """The digits of the HS code, told or in the text."""
    digits = _CODE.search(re.sub(r"[. \u00a0]", "", told))
    if digits:
        return digits[0]
    found = _HS.search(text)
    return re.sub(r"\D", "", found[1]) if found else ""


def _units_of(text: str) -> int | None:
    counted = sum(int(count) * UNITS[size] for count, size in _SIZE.findall(text))
    if counted:
        return counted
    sizes = _ISO_SIZE.findall(text) or _ANY_SIZE.findall(text)
    return sum(UNITS[size] for size in sizes) or None
