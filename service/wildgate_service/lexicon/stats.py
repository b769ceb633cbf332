"""Counts of the lexicons: by language, by language and taxon group, and what of it somebody has checked.

Scientific names and names taken from an index are counted apart: they are looked up, not gathered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from wildgate_service.groups import GROUPS
from wildgate_service.lexicon.packs import rules_with_packs, taxa_with_packs
from wildgate_service.lexicon.rules import Entry, Rule, read_version
from wildgate_service.match.tables import TaxonRow
from wildgate_service.types import TAXON_KINDS

INDEX_FILE = "index_names"
SCIENTIFIC = "la"
NOBODYS = frozenset({"zxx"})  # emoji and amounts have no speakers
COLUMNS = ("rules", "forms", "taxon forms", "sourced", "checked", "unreviewed")


class Stats(Struct, frozen=True):
    """`languages`: language → column of COLUMNS → count. `groups`: taxon group → language → forms that name it.

    `scientific` and `index` are forms that none of the other figures hold. `unreviewed_languages` are those of which no rule has a
    reviewer.
    """

    version: str
    languages: dict[str, dict[str, int]]
    total: dict[str, int]
    groups: dict[str, dict[str, int]]
    scientific: int
    index: int
    unreviewed_languages: tuple[str, ...]
    reviewed_languages: tuple[str, ...]


def count_lexicons(root: Path, packs: tuple[Path, ...] = ()) -> Stats:
    """The counts of a lexicon folder with its packs, deprecated rules left out. Raises LexiconError."""
    rules = [rule for rule in rules_with_packs(root, packs) if rule.status != "deprecated"]
    return count_rules(rules, taxa_with_packs(root, packs), read_version(root))


def count_rules(rules: Iterable[Rule], taxa: Mapping[str, TaxonRow], version: str) -> Stats:
    """The same of some rules."""
    aside: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    groups: dict[str, Counter[str]] = {group: Counter() for group in GROUPS}
    reviewed: set[str] = set()
    for rule in rules:
        apart = _counted_apart(rule)
        if apart:
            aside[apart] += len(rule.entries)
            continue
        language = counts.setdefault(rule.language, Counter())
        language["rules"] += 1
        if rule.reviewed_by.strip():
            reviewed.add(rule.language)
        for entry in rule.entries:
            _count_form(language, rule, entry)
            for group in _groups(rule, entry, taxa):
                groups[group][rule.language] += 1
    total: Counter[str] = sum(counts.values(), Counter())
    return Stats(
        version=version,
        languages={language: _row(counts[language]) for language in sorted(counts)},
        total=_row(total),
        groups={group: dict(sorted(forms.items())) for group, forms in groups.items()},
        scientific=aside[SCIENTIFIC],
        index=aside[INDEX_FILE],
        unreviewed_languages=tuple(sorted(counts.keys() - reviewed - NOBODYS)),
        reviewed_languages=tuple(sorted(reviewed)),
    )


def _counted_apart(rule: Rule) -> str:
    if rule.language == SCIENTIFIC:
        return SCIENTIFIC
    return INDEX_FILE if Path(rule.file).stem == INDEX_FILE else ""


def _count_form(counts: Counter[str], rule: Rule, entry: Entry) -> None:
    sourced, checked = bool(rule.sources_of(entry)), bool(rule.reviewed_by.strip())
    counts["forms"] += 1
    counts["taxon forms"] += rule.kind in TAXON_KINDS
    counts["sourced"] += sourced
    counts["checked"] += checked
    counts["unreviewed"] += not (sourced or checked)


def _groups(rule: Rule, entry: Entry, taxa: Mapping[str, TaxonRow]) -> set[str]:
    """Groups that a form names; none for cues and contexts."""
    return {taxa[taxon].group for taxon in entry.taxa or rule.taxa if taxon in taxa}


def _row(counts: Counter[str]) -> dict[str, int]:
    return {column: counts[column] for column in COLUMNS}


# --- shown -------------------------------------------------------------------------------------------


def as_json(stats: Stats) -> dict[str, Any]:
    """Plain values; a language that has no form of a group is not in it."""
    return {
        "version": stats.version,
        "languages": stats.languages,
        "total": stats.total,
        "groups": stats.groups,
        "scientific_names": stats.scientific,
        "index_names": stats.index,
        "languages_without_review": stats.unreviewed_languages,
    }


def as_text(stats: Stats) -> str:
    """Tables for a terminal."""
    rows = [["language", *COLUMNS], *_language_rows(stats)]
    matrix = [["taxon group", *stats.languages, "all"], *_group_rows(stats)]
    return "\n".join([*_aligned(rows), "", "Forms of species, products and code words by taxon group (· none):", *_aligned(matrix), "",
                      *_sentences(stats)])  # fmt: skip


def as_markdown(stats: Stats) -> str:
    """A page of documentation."""
    return "\n".join(
        [
            "# What the lexicons cover",
            "",
            "Made by `wildgate lexicon stats --format markdown`; do not edit. A form is one way of writing something; figures say how many",
            "there are, not how good. *Sourced*: a locator is given. *Checked*: a speaker of the language went through its rule.",
            "*Unreviewed*: neither; it comes from general knowledge.",
            "",
            *_sentences(stats),
            "",
            "## By language",
            "",
            *_markdown_table([["language", *COLUMNS], *_language_rows(stats)]),
            "",
            "## By taxon group and language",
            "",
            "Forms of species, products and code words; `·` is a gap. A form of several groups is counted in each.",
            "",
            *_markdown_table([["taxon group", *stats.languages, "all"], *_group_rows(stats)]),
            "",
        ]
    )


def _language_rows(stats: Stats) -> list[list[str]]:
    rows = [[language, *(f"{count:,}" for count in counts.values())] for language, counts in stats.languages.items()]
    return [*rows, ["all", *(f"{count:,}" for count in stats.total.values())]]


def _group_rows(stats: Stats) -> list[list[str]]:
    return [
        [group, *(str(forms.get(language, "·")) for language in stats.languages), f"{sum(forms.values()):,}" if forms else "·"]
        for group, forms in stats.groups.items()
    ]


def _sentences(stats: Stats) -> list[str]:
    total = stats.total
    sentences = [
        f"Version {stats.version}: {total['forms']:,} forms in {len(stats.languages)} languages (`zxx`: emoji and amounts).",
        f"{total['sourced']:,} have a source, {total['checked']:,} were checked by a speaker, {total['unreviewed']:,} neither.",
        f"Counted apart: {stats.scientific:,} scientific names and {stats.index:,} names taken from an index.",
    ]
    if stats.unreviewed_languages:
        sentences.append(f"No speaker has reviewed any rule of {_listed(stats.unreviewed_languages)}.")
    if stats.reviewed_languages:
        sentences.append(f"Some rule was reviewed by a speaker in {_listed(stats.reviewed_languages)}.")
    return sentences


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _aligned(rows: list[list[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        " ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]) for row in rows
    ]


def _markdown_table(rows: list[list[str]]) -> list[str]:
    head, *body = rows
    line = "|---" + "|---:" * (len(head) - 1) + "|"
    return [f"| {' | '.join(head)} |", line, *(f"| {' | '.join(row)} |" for row in body)]
