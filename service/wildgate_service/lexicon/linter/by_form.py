"""Checks of each form of a rule by itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from wildgate_service.lexicon.linter.finding import Problem
from wildgate_service.lexicon.linter.invisible import without_invisible
from wildgate_service.lexicon.linter.scripts import is_short, mixed_word
from wildgate_service.lexicon.rules import Entry, Rule
from wildgate_service.normalize import fold
from wildgate_service.types import TAXON_KINDS, Level, RuleKind

FUZZY_LETTERS = 7
PLACEHOLDER = re.compile(r"\W*(?:to ?do|tbd|fixme|xxx|gloss|meaning|\?+)?\W*", re.IGNORECASE)


def folded(entry: Entry) -> str:
    """A form as texts are folded."""
    return fold(entry.form).strip()


def as_written(form: str, language: str) -> str:
    """A form as CONVENTIONS.md wants it: NFC, lower case by the rules of its language, one blank between words, nothing invisible."""
    lowered = form.replace("İ", "i").replace("I", "ı") if language == "tr" else form
    return " ".join(unicodedata.normalize("NFC", without_invisible(lowered).lower()).split())


def duplicate_key(rule: Rule, entry: Entry) -> str:
    """Two entries of a rule with the same key match the same texts."""
    return unicodedata.normalize("NFC", entry.form).strip() if rule.protects_marks(entry) else folded(entry)


def check_forms(rule: Rule) -> Iterator[Problem]:
    """Written as they should be, once, and with something left when folded."""
    seen: set[str] = set()
    for entry in rule.entries:
        key = duplicate_key(rule, entry)
        if not folded(entry):
            hint = "the fold drops such characters; remove the form"
            yield Problem("LEX010", f"form {entry.form!r} folds to nothing", hint, entry.line)
        if key in seen:
            hint = "remove one; case, width and marks fold by themselves"
            yield Problem("LEX009", f"form {entry.form!r} stands twice (after folding)", hint, entry.line)
        seen.add(key)
        if entry.form != as_written(entry.form, rule.language) and folded(entry):
            message = f"form {entry.form!r} has capitals, needless blanks or invisible characters, or is not NFC"
            yield Problem("LEX018", message, "lower case, one blank between words, NFC; --fix does it", entry.line)
        if entry.match == "substring" and folded(entry).isascii():
            yield Problem("LEX019", f"form {entry.form!r} matches inside words", "use prefix, or list the words", entry.line)


def check_letters(rule: Rule) -> Iterator[Problem]:
    """A Latin letter in a Cyrillic word looks right and matches nothing that a seller writes."""
    for entry in rule.entries:
        if word := mixed_word(entry.form):
            hint = "write the word with the letters of one script"
            yield Problem("LEX030", f"form {entry.form!r}: {word!r} mixes look-alike scripts", hint, entry.line)


def check_levels(rule: Rule) -> Iterator[Problem]:
    """Code words and short forms need company; a form that needs none requires none."""
    for entry in rule.entries:
        alone = rule.kind in TAXON_KINDS and rule.level_of(entry) is Level.ALONE
        if alone and rule.kind is RuleKind.CODE_WORD:
            yield Problem("LEX011", f"code word {entry.form!r} at level alone", "a code word needs company", entry.line)
        if alone and is_short(folded(entry)):
            yield Problem("LEX013", f"short form {entry.form!r} at level alone", "forms so short need company", entry.line)
        if entry.requires and (alone or rule.kind not in TAXON_KINDS):
            why = "at level alone" if alone else f"of a {rule.kind}"
            hint = "choose with_company or company_only, or remove requires"
            yield Problem("LEX024", f"form {entry.form!r} {why} has requires, but needs no company", hint, entry.line)


def check_fuzzy(rule: Rule) -> Iterator[Problem]:
    """Misspellings are looked for of long single words."""
    for entry in rule.entries:
        word = folded(entry)
        if entry.fuzzy and (not word.isalpha() or len(word) < FUZZY_LETTERS):
            yield Problem("LEX012", f"fuzzy form {entry.form!r}", f"one word of at least {FUZZY_LETTERS} letters", entry.line)


def check_gloss(rule: Rule) -> Iterator[Problem]:
    """A moderator who does not read the language must learn from it what the form means."""
    hint = "say in English what it means, and what else"
    for entry in rule.entries:
        if PLACEHOLDER.fullmatch(entry.gloss):
            yield Problem("LEX025", f"form {entry.form!r} has the placeholder {entry.gloss!r} for a gloss", hint, entry.line)
        elif not re.search("[a-z]", entry.gloss, re.IGNORECASE):
            yield Problem("LEX025", f"form {entry.form!r} has a gloss without a Latin letter", hint, entry.line)
        elif rule.kind is RuleKind.CODE_WORD and fold(entry.gloss).strip() == folded(entry):
            yield Problem("LEX025", f"code word {entry.form!r} is its own gloss", hint, entry.line)


FORM_CHECKS: tuple[Callable[[Rule], Iterator[Problem]], ...] = (
    check_forms,
    check_letters,
    check_levels,
    check_fuzzy,
    check_gloss,
)
