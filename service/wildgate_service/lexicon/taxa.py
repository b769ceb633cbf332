"""`taxa.csv` and `protection.csv`: what is traded, its group, and the lists that protect it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from pathlib import Path

from wildgate_service.errors import LexiconError
from wildgate_service.groups import GROUPS
from wildgate_service.match.tables import Listed, TaxonRow

TAXA_COLUMNS = ["taxon", "scientific_name", "rank", "group", "common_name"]
PROTECTION_COLUMNS = ["taxon", "list", "appendix", "market", "valid_from", "valid_to", "source", "note"]
UNION_COLUMNS = ["union", "market", "source"]

Place = tuple[str, str, str]  # taxon, list, market
Period = tuple[str, str, int]  # first day, last day ("" is open), line


def read_taxa(root: Path) -> dict[str, TaxonRow]:
    """Every taxon of a lexicon folder with its lists. Raises LexiconError with file and line."""
    return taxa_of(_text(root / "taxa.csv"), _text(root / "protection.csv"))


def taxa_of(taxa: str, protection: str, folder: str = "") -> dict[str, TaxonRow]:
    """Every taxon in the text of the two tables; `folder` stands before their names in errors. Raises LexiconError with file and line."""
    names = _names_of(taxa, f"{folder}taxa.csv")
    lists: dict[str, list[Listed]] = {taxon: [] for taxon in names}
    periods: dict[Place, list[Period]] = {}
    file = f"{folder}protection.csv"
    for line, row in _rows(protection, file, PROTECTION_COLUMNS):
        if row["taxon"] not in names:
            raise LexiconError(f"taxon {row['taxon']} is not in taxa.csv", file=file, line=line)
        periods.setdefault((row["taxon"], row["list"], row["market"]), []).append(_period(row, file, line))
        lists[row["taxon"]].append(Listed(row["list"], row["appendix"], row["market"], row["valid_from"], row["valid_to"]))
    _check_periods(periods, file)
    return {taxon: TaxonRow(*name, tuple(lists[taxon])) for taxon, name in names.items()}


def _names_of(taxa: str, file: str) -> dict[str, tuple[str, str]]:
    """Taxon → (scientific name, group)."""
    names: dict[str, tuple[str, str]] = {}
    first: dict[str, str] = {}
    for line, row in _rows(taxa, file, TAXA_COLUMNS):
        if row["group"] not in GROUPS:
            raise LexiconError(f"unknown taxon group {row['group']!r}", file=file, line=line)
        if row["taxon"] in names:
            raise LexiconError(f"taxon {row['taxon']} stands twice", file=file, line=line)
        other = first.setdefault(row["scientific_name"], row["taxon"])
        if other != row["taxon"]:
            raise LexiconError(f"{row['scientific_name']} is taxon {other} already; keep that key", file=file, line=line)
        names[row["taxon"]] = (row["scientific_name"], row["group"])
    return names


def _period(row: dict[str, str], file: str, line: int) -> Period:
    """When a row holds. Raises LexiconError if a date is not ISO, or the last day precedes the first."""
    for column in ("valid_from", "valid_to"):
        if row[column] and not _is_iso(row[column]):
            raise LexiconError(f"{column} {row[column]!r} is no date; write YYYY-MM-DD", file=file, line=line)
    if row["valid_to"] and row["valid_to"] < row["valid_from"]:
        message = f"{row['taxon']} leaves {row['list']} on {row['valid_to']}, before it enters on {row['valid_from']}"
        raise LexiconError(message, file=file, line=line)
    return row["valid_from"], row["valid_to"], line


def _is_iso(day: str) -> bool:
    try:
        return dt.date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def _check_periods(periods: dict[Place, list[Period]], file: str) -> None:
    """Raise LexiconError where a taxon stands twice on one list of one market on some day."""
    for (taxon, name, market), of_place in periods.items():
        for (_, last, _), (first, _, line) in itertools.pairwise(sorted(of_place)):
            if not last or first <= last:
                place = f"{name} of {market}" if market else name
                message = f"{taxon} stands twice on {place} from {first or 'the beginning'}; close the earlier row the day before"
                raise LexiconError(message, file=file, line=line)


def read_unions(root: Path) -> dict[str, tuple[str, ...]]:
    """Market → the unions whose lists hold there too. Raises LexiconError with file and line."""
    return unions_of(_text(root / "unions.csv"))


def unions_of(text: str) -> dict[str, tuple[str, ...]]:
    """The same from the text of the table."""
    unions: dict[str, tuple[str, ...]] = {}
    for _, row in _rows(text, "unions.csv", UNION_COLUMNS):
        unions[row["market"]] = (*unions.get(row["market"], ()), row["union"])
    return unions


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LexiconError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise LexiconError(f"not UTF-8 at byte {error.start}", file=path.name, line=1) from error


def _rows(text: str, file: str, columns: list[str]) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if reader.fieldnames != columns:
            raise LexiconError(f"columns must be {','.join(columns)}", file=file, line=1)
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise LexiconError(f"cannot be read: {error}", file=file, line=reader.line_num) from error
    torn = next((line for line, row in rows if None in row or None in row.values()), 0)
    if torn:
        raise LexiconError(f"a row has other than {len(columns)} columns", file=file, line=torn)
    return rows
