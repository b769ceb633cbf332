"""The linter: small checks with stable codes, each with a message, a hint and a place.

| code | finding |
|---|---|
| LEX001 | the file is not a list of rules, or not YAML |
| LEX002 | a field is missing, unknown or of the wrong kind |
| LEX003 | an id is malformed, used twice, or not of the file's language |
| LEX004 | a taxon is not in taxa.csv, a taxon rule has none, or a cue has one |
| LEX005 | a group in cancels or weakens is unknown |
| LEX006 | cancels or weakens on a rule that is no context, or a context with neither |
| LEX007 | an evasion cue without cue_type, or another rule with one |
| LEX008 | a raw invisible or bidirectional character |
| LEX009 | a form stands twice in its rule |
| LEX010 | a form matches itself only after a fold that leaves nothing of it |
| LEX011 | a code word at level alone |
| LEX012 | a fuzzy form that is too short, has several words, or is near another form |
| LEX013 | a short form of an alphabetic script at level alone |
| LEX014 | a description that does not begin "Detects " |
| LEX015 | fewer than three examples of a kind, or an example on both sides |
| LEX016 | a restricted rule in the public lexicon |
| LEX017 | the lock does not know the rule, or knows it with other content |
| LEX018 | a form in capitals, with blanks around it, or not composed (NFC) |
| LEX019 | a substring form |
| LEX020 | a context that cancels within more than 24 code points |
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.lock import lock_findings
from wildgate_service.lexicon.rules import Entry, Rule, rule_files, rules_of_text
from wildgate_service.lexicon.taxa import GROUPS, read_taxa
from wildgate_service.match.company import AMOUNT
from wildgate_service.match.tables import EVERY_GROUP, TaxonRow, one_deletion
from wildgate_service.normalize import fold
from wildgate_service.types import TAXON_KINDS, Level, RuleKind

FUZZY_LETTERS = 7
SHORT_LETTERS = 4
MOST_NEAR = 24
FEWEST_EXAMPLES = 3
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
INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
ZERO_WIDTH_JOINERS = re.compile("(?<=[\u0600-\u06ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u2600-\U0001faff\ufe0f])[\u200c\u200d]")


class Finding(Struct, frozen=True, order=True):
    """One finding; prints as `file:line: CODE message (hint)`."""

    file: str
    line: int
    code: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.message} ({self.hint})"


Problem = tuple[str, str, str]  # code, message, hint


def lint(root: Path) -> list[Finding]:
    """All findings of a lexicon folder, in order of file and line."""
    findings: list[Finding] = []
    try:
        taxa = read_taxa(root)
    except LexiconError as error:
        return [Finding(error.file, error.line, "LEX004", _bare(error), "mend the table first")]
    rules: list[Rule] = []
    for file in rule_files(root):
        name = str(file.relative_to(root))
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        found, parsed = _lint_file(text, name, taxa)
        findings += found
        rules += parsed
    findings += _duplicate_ids(rules)
    findings += [Finding(*place, "LEX017", message, hint) for place, message, hint in lock_findings(root, rules)]
    return sorted(findings)


def lint_text(text: str, taxa: dict[str, TaxonRow] | None = None, file: str = "rules.yml") -> list[Finding]:
    """Findings of one rule file's text by itself; without `taxa` the taxa it names are not checked."""
    findings, rules = _lint_file(text, file, taxa)
    return sorted(findings + _duplicate_ids(rules))


def _lint_file(text: str, file: str, taxa: dict[str, TaxonRow] | None) -> tuple[list[Finding], list[Rule]]:
    findings = [
        Finding(
            file,
            number,
            "LEX008",
            f"raw invisible character U+{ord(found[0]):04X}",
            "write it as an escape in double quotes",
        )
        for number, line in enumerate(text.splitlines(), 1)
        for found in INVISIBLE.finditer(ZERO_WIDTH_JOINERS.sub("", line))
    ]
    try:
        rules = list(rules_of_text(text, file))
    except LexiconError as error:
        code = "LEX001" if "not YAML" in str(error) or "list of rules" in str(error) else "LEX002"
        return [
            *findings,
            Finding(file, error.line, code, _bare(error), "CONVENTIONS.md and SCHEMA.json say what a rule holds"),
        ], []
    for rule in rules:
        problems = [problem for check in CHECKS for problem in check(rule)]
        problems += _check_taxa(rule, taxa) if taxa is not None else []
        findings += [Finding(rule.file, rule.line, code, f"{rule.id}: {message}", hint) for code, message, hint in problems]
    return findings, rules


def _bare(error: LexiconError) -> str:
    """The message without the place, which a finding has of its own."""
    return str(error).removeprefix(f"{error.file}:{error.line}: ")


def _check_taxa(rule: Rule, taxa: dict[str, TaxonRow]) -> Iterator[Problem]:
    for taxon in dict.fromkeys((*rule.taxa, *(taxon for entry in rule.entries for taxon in entry.taxa))):
        if taxon not in taxa:
            yield "LEX004", f"taxon {taxon} is not in taxa.csv", "use a key of its first column"


def _check_id(rule: Rule) -> Iterator[Problem]:
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z]{4})?(-[a-z0-9]+)+", rule.id):
        yield "LEX003", "malformed id", "write <language>-<slug> in lower case"
    elif not rule.id.startswith(f"{rule.language.lower()}-") and not rule.id.startswith(f"{rule.language.split('-')[0]}-"):
        yield "LEX003", f"id does not begin with its language {rule.language}", "begin it with the language"
    folder = Path(rule.file).parent.name
    if folder not in {rule.language, "", "."}:
        yield "LEX003", f"language {rule.language} in folder {folder}", "move the rule or mend its language"


def _check_has_taxa(rule: Rule) -> Iterator[Problem]:
    if (rule.kind in TAXON_KINDS) != bool(rule.taxa):
        yield (
            "LEX004",
            f"a {rule.kind} with {len(rule.taxa)} taxa",
            "species, product and code_word have taxa; the other kinds none",
        )


def _check_reach(rule: Rule) -> Iterator[Problem]:
    reaches = [reach for reach in (rule.cancels, rule.weakens) if reach]
    for reach in reaches:
        for group in reach.groups:
            if group != EVERY_GROUP and group not in GROUPS:
                yield "LEX005", f"unknown taxon group {group}", "CONVENTIONS.md and taxa.csv list the groups"
    if bool(reaches) != (rule.kind is RuleKind.BENIGN_CONTEXT):
        yield (
            "LEX006",
            f"a {rule.kind} with {len(reaches)} of cancels and weakens",
            "a benign_context needs one; other kinds have none",
        )
    if rule.cancels and rule.cancels.within > MOST_NEAR:
        yield (
            "LEX020",
            f"cancels within {rule.cancels.within}",
            f"at most {MOST_NEAR}; use weakens for farther contexts",
        )


def _check_cue_type(rule: Rule) -> Iterator[Problem]:
    allowed = {RuleKind.EVASION_CUE: EVASIONS, RuleKind.TRADE_CUE: {"", AMOUNT}}.get(rule.kind, {""})
    if rule.cue_type not in allowed:
        yield (
            "LEX007",
            f"cue_type {rule.cue_type!r} on a {rule.kind}",
            "evasion cues have one; trade cues of prices and weights have amount",
        )


def _check_forms(rule: Rule) -> Iterator[Problem]:
    seen: set[str] = set()
    for entry in rule.entries:
        folded = fold(entry.form).strip()
        key = unicodedata.normalize("NFC", entry.form) if rule.protects_marks(entry) else folded
        if not folded:
            yield "LEX010", f"form {entry.form!r} folds to nothing", "the fold drops such characters; remove the form"
        if key in seen:
            yield (
                "LEX009",
                f"form {entry.form!r} stands twice (after folding)",
                "remove one; case, width and marks fold by themselves",
            )
        seen.add(key)
        if entry.form != entry.form.strip() or entry.form != entry.form.lower() or entry.form != unicodedata.normalize("NFC", entry.form):
            yield (
                "LEX018",
                f"form {entry.form!r} has capitals, outer blanks or is not NFC",
                "lower case, no outer blanks, NFC",
            )
        if entry.match == "substring" and folded.isascii():
            yield "LEX019", f"form {entry.form!r} matches inside words", "use prefix, or list the words"


def _check_levels(rule: Rule) -> Iterator[Problem]:
    for entry in rule.entries:
        folded = fold(entry.form).strip()
        alone = rule.kind in TAXON_KINDS and rule.level_of(entry) is Level.ALONE
        if alone and rule.kind is RuleKind.CODE_WORD:
            yield "LEX011", f"code word {entry.form!r} at level alone", "a code word needs company"
        if alone and folded.isascii() and len(folded) <= SHORT_LETTERS:
            yield "LEX013", f"short form {entry.form!r} at level alone", "short Latin forms need company"


def _check_fuzzy(rule: Rule) -> Iterator[Problem]:
    for entry in rule.entries:
        folded = fold(entry.form).strip()
        if entry.fuzzy and (not folded.isalpha() or len(folded) < FUZZY_LETTERS):
            yield "LEX012", f"fuzzy form {entry.form!r}", f"one word of at least {FUZZY_LETTERS} letters"
        if entry.fuzzy and (near := _near_form(entry, rule)):
            yield "LEX012", f"fuzzy form {entry.form!r} is one edit from {near!r}", "list both without fuzzy"


def _near_form(entry: Entry, rule: Rule) -> str:
    folded = fold(entry.form).strip()
    others = {fold(other.form).strip() for other in rule.entries if other.level and other is not entry}
    return next((other for other in others if other in one_deletion(folded)), "")


def _check_description(rule: Rule) -> Iterator[Problem]:
    if not rule.description.startswith("Detects "):
        yield "LEX014", "description does not begin with Detects", 'begin it "Detects "'


def _check_examples(rule: Rule) -> Iterator[Problem]:
    for name, texts in (("match", rule.examples.match), ("no_match", rule.examples.no_match)):
        if len(set(texts)) < FEWEST_EXAMPLES:
            yield "LEX015", f"{len(set(texts))} different {name} examples", f"at least {FEWEST_EXAMPLES}"
    both = set(rule.examples.match) & set(rule.examples.no_match)
    if both:
        yield "LEX015", f"example on both sides: {both.pop()!r}", "an example either matches or does not"


def _check_visibility(rule: Rule) -> Iterator[Problem]:
    if rule.visibility == "restricted":
        yield "LEX016", "restricted rule in the public lexicon", "keep restricted packs at a private path"


CHECKS: tuple[Callable[[Rule], Iterator[Problem]], ...] = (
    _check_id,
    _check_has_taxa,
    _check_reach,
    _check_cue_type,
    _check_forms,
    _check_levels,
    _check_fuzzy,
    _check_description,
    _check_examples,
    _check_visibility,
)


def _duplicate_ids(rules: list[Rule]) -> list[Finding]:
    first: dict[str, Rule] = {}
    findings = []
    for rule in rules:
        other = first.setdefault(rule.id, rule)
        if other is not rule:
            message = f"{rule.id}: id stands already at {other.file}:{other.line}"
            findings.append(Finding(rule.file, rule.line, "LEX003", message, "ids are unique and never reused"))
    return findings
