"""Checks of a rule's own fields: id, language, taxa, reach, references, dates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from wildgate_service.groups import GROUPS
from wildgate_service.lexicon.linter.finding import Problem
from wildgate_service.lexicon.rules import Rule
from wildgate_service.match.company import AMOUNT
from wildgate_service.match.tables import EVERY_GROUP, TaxonRow
from wildgate_service.types import TAXON_KINDS, RuleKind

MOST_NEAR = 24
UNREVIEWED = "unreviewed"
SHORTEST_CITATION = 5  # code points
PLACEHOLDERS = frozenset({"unreviewed", "unsourced", "unknown", "source", "to do", "internet", "wikipedia", "google"})
LOOKS_LIKE_URL = re.compile(r"^\w+:/|^\w+:\w+\.|://|^www\.|^[\w.-]+\.[a-z]{2,}/", re.IGNORECASE)
LANGUAGES = frozenset(
    "en zh-Hans zh-Hant th vi id ms ja ko hi ar ru es pt fr de it nl pl tr sw tl km my lo bn cs fa ne ro ta uk ur la zxx".split()  # noqa: SIM905  (read as a line)
)
EVASIONS = frozenset(
    {
        "contact_off_platform",
        "price_by_message",
        "payment_untraceable",
        "shipping_disguise",
        "no_papers",
        "private_group",
        "visual_only",
        "sting_fear",
    }
)


def check_taxa(rule: Rule, taxa: Mapping[str, TaxonRow]) -> Iterator[Problem]:
    """Every taxon that a rule names is in the table."""
    for taxon in dict.fromkeys((*rule.taxa, *(taxon for entry in rule.entries for taxon in entry.taxa))):
        if taxon not in taxa:
            yield Problem("LEX004", f"taxon {taxon} is not in taxa.csv", "use a key of its first column")


def check_visibility(rule: Rule, *, restricted: bool) -> Iterator[Problem]:
    """Public rules in the public folder, restricted ones in packs."""
    if restricted and rule.visibility == "public":
        yield Problem("LEX016", "public rule in a restricted pack", "write visibility: restricted, or move it to the public lexicon")
    if not restricted and rule.visibility == "restricted":
        yield Problem("LEX016", "restricted rule in the public lexicon", "keep restricted packs at a private path")


def check_id(rule: Rule) -> Iterator[Problem]:
    """`<language>-<slug>`, in the folder of the language."""
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z]{4})?(-[a-z0-9]+)+", rule.id):
        yield Problem("LEX003", "malformed id", "write <language>-<slug> in lower case")
    elif not rule.id.startswith(f"{rule.language.lower()}-") and not rule.id.startswith(f"{rule.language.split('-')[0]}-"):
        yield Problem("LEX003", f"id does not begin with its language {rule.language}", "begin it with the language")
    folder = Path(rule.file).parent.name
    if folder not in {rule.language, "", "."}:
        yield Problem("LEX003", f"language {rule.language} in folder {folder}", "move the rule or mend its language")


def check_language(rule: Rule) -> Iterator[Problem]:
    """One of SCHEMA.json's."""
    if rule.language not in LANGUAGES:
        yield Problem("LEX021", f"unknown language {rule.language!r}", "SCHEMA.json lists them; a new one is added there and to the linter")


def check_has_taxa(rule: Rule) -> Iterator[Problem]:
    """Taxon rules have taxa, the others none."""
    if (rule.kind in TAXON_KINDS) != bool(rule.taxa):
        hint = "species, product and code_word have taxa; the other kinds none"
        yield Problem("LEX004", f"a {rule.kind} with {len(rule.taxa)} taxa", hint)


def check_reach(rule: Rule) -> Iterator[Problem]:
    """Contexts say of what they speak, and how near."""
    reaches = [reach for reach in (rule.cancels, rule.weakens) if reach]
    for reach in reaches:
        for group in reach.groups:
            if group != EVERY_GROUP and group not in GROUPS:
                yield Problem("LEX005", f"unknown taxon group {group}", "CONVENTIONS.md and taxa.csv list the groups")
    if bool(reaches) != (rule.kind is RuleKind.BENIGN_CONTEXT):
        hint = "a benign_context needs one; other kinds have none"
        yield Problem("LEX006", f"a {rule.kind} with {len(reaches)} of cancels and weakens", hint)
    if rule.cancels and rule.cancels.within > MOST_NEAR:
        hint = f"at most {MOST_NEAR}; use weakens for farther contexts"
        yield Problem("LEX020", f"cancels within {rule.cancels.within}", hint)


def check_cue_type(rule: Rule) -> Iterator[Problem]:
    """Evasion cues have one."""
    allowed = {RuleKind.EVASION_CUE: EVASIONS, RuleKind.TRADE_CUE: {"", AMOUNT}}.get(rule.kind, {""})
    if rule.cue_type not in allowed:
        hint = "evasion cues have one; trade cues of prices and weights have amount"
        yield Problem("LEX007", f"cue_type {rule.cue_type!r} on a {rule.kind}", hint)


def check_description(rule: Rule) -> Iterator[Problem]:
    """It says what is detected."""
    if not rule.description.startswith("Detects "):
        yield Problem("LEX014", "description does not begin with Detects", 'begin it "Detects "')


def check_status(rule: Rule) -> Iterator[Problem]:
    """What a speaker checked form by form is past the experiment."""
    if rule.reviewed_by.strip() and rule.status == "experimental":
        yield Problem("LEX026", f"reviewed by {rule.reviewed_by} and still experimental", "make it test or stable, or empty reviewed_by")


def check_references(rule: Rule) -> Iterator[Problem]:
    """Of the rule and of each entry."""
    yield from _references(rule.references, 0)
    for entry in rule.entries:
        yield from _references(entry.references, entry.line)


def _references(references: tuple[str, ...], line: int) -> Iterator[Problem]:
    if UNREVIEWED in references and len(references) > 1:
        yield Problem("LEX027", "unreviewed beside a reference", "sourced or unreviewed: remove one", line)
    for reference in references:
        if reference != UNREVIEWED and (wrong := _unfollowable(reference)):
            yield Problem("LEX027", f"reference {reference!r} {wrong}", "a URL, a full citation, or the single word unreviewed", line)


def _unfollowable(reference: str) -> str:
    """What is wrong with a locator, or "". A note may follow an address, and a citation may hold one that begins anywhere."""
    address = reference.strip().partition(" ")[0]
    if not LOOKS_LIKE_URL.search(address):
        is_citation = len(reference.strip()) >= SHORTEST_CITATION and reference.strip().casefold() not in PLACEHOLDERS
        return "" if is_citation else "is no citation"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return "is no URL"
    if parts.scheme not in {"http", "https"}:
        return "does not begin with https:// or http://"
    return "" if re.fullmatch(r"(?:[\w-]+\.)+[\w-]{2,}", host) else "names no host"


def check_dates(rule: Rule) -> Iterator[Problem]:
    """ISO dates in order."""
    days = [_day(text) for text in (rule.date, rule.modified)]
    for name, text, day in zip(("date", "modified"), (rule.date, rule.modified), days, strict=True):
        if day is None:
            yield Problem("LEX028", f"{name} {text!r} is no date", "write it as 2026-01-31")
    if days[0] and days[1] and days[0] > days[1]:
        yield Problem("LEX028", f"date {rule.date} is after modified {rule.modified}", "modified is the day of the last change")


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None


RULE_CHECKS: tuple[Callable[[Rule], Iterator[Problem]], ...] = (
    check_id,
    check_language,
    check_has_taxa,
    check_reach,
    check_cue_type,
    check_description,
    check_status,
    check_references,
    check_dates,
)
