"""The public lexicon and restricted packs, read together: what the commands for analysts need."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.rules import Rule, rule_files, rules_of_text
from wildgate_service.lexicon.taxa import read_taxa
from wildgate_service.match.tables import TaxonRow


def pack_name(pack: Path) -> str:
    """What errors and versions call a pack: its folder's name."""
    return pack.resolve().name


def rules_with_packs(root: Path, packs: Iterable[Path] = (), *, holding: str = "") -> tuple[Rule, ...]:
    """Every rule of the files whose text holds some words; those of a pack say `<pack>/rules/…` as their file. Raises LexiconError."""
    folders = [("", root), *((f"{pack_name(pack)}/", pack) for pack in packs)]
    return tuple(
        rule
        for prefix, folder in folders
        for path in rule_files(folder)
        if holding in (text := _text(path))
        for rule in rules_of_text(text, f"{prefix}{path.relative_to(folder)}")
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"cannot be read: {error}", file=str(path), line=1) from error


def taxa_with_packs(root: Path, packs: Iterable[Path] = ()) -> dict[str, TaxonRow]:
    """The taxa of the public tables and those that packs add. Raises LexiconError."""
    taxa = read_taxa(root)
    for pack in packs:
        if (pack / "taxa.csv").exists():
            taxa |= read_taxa(pack)
    return taxa
