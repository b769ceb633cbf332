"""The tables that bookings are read by: patterns, places, words of shipping."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
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

    `words` finds goods in a folded text, `goods_of` says which they mean, by word or by its open beginning and `*`; `named` are codes of
    places by folded name, `names` finds them; `countries` are all country codes; `wrappings` finds what goods are packed in.
    """

    patterns: Patterns
    words: re.Pattern[str]
    goods_of: dict[str, str]
    named: dict[str, str]
    names: re.Pattern[str]
    countries: frozenset[str]
    wrappings: re.Pattern[str]

    def goods_called(self, word: str) -> str:
        """The goods that a word found by `words` means."""
        beginnings = (f"{word[:end]}*" for end in range(len(word), 0, -1))
        return next(self.goods_of[each] for each in (word, *beginnings) if each in self.goods_of)


@cache
def load_tables() -> CargoTables:
    """Read the tables that ship. Raises WildgateError if a rule names what no table has."""
    patterns = msgspec.convert(tomllib.loads((FOLDER / "patterns.toml").read_text("utf-8")), Patterns)
    _check(patterns)
    words = {fold(word): name for name, goods in patterns.goods.items() for word in goods.words}
    named = {fold(name): row["code"] for row in _rows("places.tsv") for name in row["names"].split("|")}
    wrappings = [fold(row["term"]) for row in _rows("shipping_terms.tsv") if row["kind"] == WRAPPING]
    return CargoTables(
        patterns,
        _any_of(words),
        words,
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


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Any of some folded words, the longest first; `*` leaves the ending of one open. Scripts without blanks have no word ends."""
    longest_first = sorted(words, key=len, reverse=True)
    latin = _by_first_letter([word for word in longest_first if word.isascii()])
    others = [re.escape(word) for word in longest_first if not word.isascii()]
    return re.compile("|".join([f"(?<![a-z0-9])(?:{latin})(?![a-z0-9])", *others]))


def _by_first_letter(words: Sequence[str]) -> str:
    """Alternatives, of which only those are tried that begin with the letter that is there."""
    begun: dict[str, list[str]] = {}
    for word in words:
        begun.setdefault(word[0], []).append(re.escape(word[1:].removesuffix("*")) + ("[a-z]*" if word.endswith("*") else ""))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in begun.items())


def _check(patterns: Patterns) -> None:
    for rule in patterns.rules:
        unknown = ((rule.origins | rule.through | rule.destinations) - set(patterns.places)) | (
            (rule.goods | rule.beside) - set(patterns.goods)
        )
        if unknown:
            raise WildgateError(
                f"rule {rule.id} of {FOLDER / 'patterns.toml'} names {', '.join(sorted(unknown))}, which no table there has"
            )
