"""The tables that bookings are read by: patterns, places, words of shipping."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from wildgate_service.errors import WildgateError
from wildgate_service.normalize import fold

FOLDER = Path(__file__).parent
COUNTRY = 2  # letters of its code
WRAPPING = "wrapping"


class Goods(Struct, frozen=True, forbid_unknown_fields=True):
    """Goods by their words, where the Harmonized System puts them, who ships them, and what a twenty-foot unit of them weighs."""

    title: str
    words: tuple[str, ...]
    hs: tuple[str, ...]
    usual_from: frozenset[str] = frozenset()
    kilograms: tuple[int, int] | None = None

    @property
    def chapters(self) -> frozenset[str]:
        """The chapters of the Harmonized System in which they stand."""
        return frozenset(code[:2] for code in self.hs)


class Rule(Struct, frozen=True, forbid_unknown_fields=True, rename={"origins": "from", "destinations": "to"}):
    """One pattern: all that it says must hold of a booking. "" and empty say nothing."""

    id: str
    title: str
    description: str
    points: float
    seen_in: tuple[str, ...]
    goods: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    through: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()
    check: str = ""
    reviewed_by: str = ""


class OfText(Struct, frozen=True, forbid_unknown_fields=True):
    """Points that words for wildlife add, times the score, by the action they ask for; `commodity` where they name its groups alone."""

    block: float
    review: float
    commodity: float
    commodity_groups: frozenset[str]


class Load(Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of the usual weight from which a load is light or heavy, and the kilograms that make goods a lot."""

    light: float
    heavy: float
    lot_kilograms: int


class Patterns(Struct, frozen=True, forbid_unknown_fields=True):
    """`patterns.toml`."""

    version: str
    text: OfText
    load: Load
    places: dict[str, frozenset[str]]
    goods: dict[str, Goods]
    headings: dict[str, str]
    rules: tuple[Rule, ...]


class CargoTables(Struct, frozen=True):
    """All tables, ready to be searched.

    `words` finds goods in a folded text, `goods_of` says which a found word means, by the group of the pattern that found it; `named` are
    codes of places by folded name, `names` finds them; `countries` are all country codes; `wrappings` finds what goods are packed in.
    """

    patterns: Patterns
    words: re.Pattern[str]
    goods_of: tuple[str, ...]
    named: dict[str, str]
    names: re.Pattern[str]
    countries: frozenset[str]
    wrappings: re.Pattern[str]


@cache
def load_tables() -> CargoTables:
    """Read the tables that ship. Raises WildgateError if a rule names what no table has."""
    patterns = msgspec.convert(tomllib.loads((FOLDER / "patterns.toml").read_text("utf-8")), Patterns)
    _check(patterns)
    words = sorted(((fold(word), name) for name, goods in patterns.goods.items() for word in goods.words), key=lambda pair: -len(pair[0]))
    named = {fold(name): row["code"] for row in _rows("places.tsv") for name in row["names"].split("|")}
    wrappings = [row["term"] for row in _rows("shipping_terms.tsv") if row["kind"] == WRAPPING]
    return CargoTables(
        patterns,
        _words(words),
        tuple(name for _, name in sorted(words, key=lambda pair: not pair[0].isascii())),
        named,
        _any_of(named),
        frozenset(code for code in named.values() if len(code) == COUNTRY),
        _any_of(wrappings),
    )


def shipping_terms() -> dict[str, str]:
    """What abbreviations of shipping stand for, by the abbreviation in lower case."""
    return {row["term"]: row["means"] for row in _rows("shipping_terms.tsv") if row["kind"] != WRAPPING}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Any of some names as whole words, the longest first."""
    return re.compile("|".join(_whole(fold(name)) for name in sorted(names, key=len, reverse=True)))


def _words(words: list[tuple[str, str]]) -> re.Pattern[str]:
    """One group a word; those of Latin letters, which begin where a word does, before those of scripts without blanks."""
    latin = "|".join(f"({_ending(word)})" for word, _ in words if word.isascii())
    return re.compile("|".join([f"(?<![a-z0-9])(?:{latin})", *(f"({re.escape(word)})" for word, _ in words if not word.isascii())]))


def _whole(word: str) -> str:
    """A pattern of a word that stands by itself; those of scripts without blanks stand inside others."""
    return rf"(?<![a-z0-9]){_ending(word)}" if word.isascii() else re.escape(word)


def _ending(word: str) -> str:
    """A pattern of a word up to its end, which `*` leaves open."""
    stem = re.escape(word.removesuffix("*"))
    return rf"{stem}{'[a-z]*' if word.endswith('*') else ''}(?![a-z0-9])"


def _check(patterns: Patterns) -> None:
    for rule in patterns.rules:
        unknown = ((rule.origins | rule.through | rule.destinations) - set(patterns.places)) | (
            (rule.goods | rule.beside) - set(patterns.goods)
        )
        if unknown:
            raise WildgateError(
                f"rule {rule.id} of {FOLDER / 'patterns.toml'} names {', '.join(sorted(unknown))}, which no table there has"
            )
