"""What changed between two lexicons: rules, forms and levels, and what that changes for listings.

Both sides are compared as compiled, so that a folder and a compiled file can be held against each other. What no matcher reads
(titles, examples, sources) is told of two folders only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service.lexicon.compiler import lexicon_in_memory
from wildgate_service.lexicon.lock import content_hash
from wildgate_service.lexicon.rules import read_rules
from wildgate_service.match.stored import load_compiled
from wildgate_service.match.tables import CompiledLexicon, Form


class LevelChange(Struct, frozen=True):
    """A form that is on both sides, at two levels."""

    form: str
    before: str
    after: str


class RuleChange(Struct, frozen=True):
    """What changed inside one rule. `fields` are names of what the matcher reads, apart from forms."""

    rule_id: str
    fields: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    levels: tuple[LevelChange, ...] = ()
    others: tuple[str, ...] = ()  # forms that match otherwise: edges, requires, taxa, gloss


class RuleForms(Struct, frozen=True):
    """A rule on one side only, and its forms."""

    rule_id: str
    forms: tuple[str, ...]


class LexiconDiff(Struct, frozen=True):
    """All differences. `prose` are rules of which only what no matcher reads changed, or whose status did."""

    before: str
    after: str
    added: tuple[RuleForms, ...]
    removed: tuple[RuleForms, ...]
    changed: tuple[RuleChange, ...]
    prose: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.prose)


def open_lexicon(path: Path) -> CompiledLexicon:
    """A lexicon folder compiled in memory, or a compiled file. Raises LexiconError."""
    return lexicon_in_memory(path) if path.is_dir() else load_compiled(path)


def diff_lexicons(before: Path, after: Path, opened: Callable[[Path], CompiledLexicon] = open_lexicon) -> LexiconDiff:
    """The differences of two lexicon folders or compiled files, which `opened` makes lexicons of. Raises LexiconError."""
    one, other = opened(before), opened(after)
    forms_before, forms_after = _forms_by_rule(one), _forms_by_rule(other)
    changed = tuple(
        change
        for rule_id in sorted(one.rows.keys() & other.rows.keys())
        if (change := _rule_change(rule_id, one, other, forms_before[rule_id], forms_after[rule_id])) is not None
    )
    return LexiconDiff(
        before=one.version,
        after=other.version,
        added=tuple(RuleForms(rule_id, tuple(forms_after[rule_id])) for rule_id in sorted(other.rows.keys() - one.rows.keys())),
        removed=tuple(RuleForms(rule_id, tuple(forms_before[rule_id])) for rule_id in sorted(one.rows.keys() - other.rows.keys())),
        changed=changed,
        prose=_prose(before, after, {change.rule_id for change in changed}),
    )


def _forms_by_rule(lexicon: CompiledLexicon) -> dict[str, dict[str, Form]]:
    """Rule id → form → how it is matched as it is written; generated spellings are left out."""
    forms: dict[str, dict[str, Form]] = {rule_id: {} for rule_id in lexicon.rows}
    for form in lexicon.forms:
        if not form.view:
            forms[lexicon.rules[form.rule].id].setdefault(form.form, form)
    return forms


def _rule_change(
    rule_id: str, one: CompiledLexicon, other: CompiledLexicon, before: dict[str, Form], after: dict[str, Form]
) -> RuleChange | None:
    row, new = (msgspec.structs.asdict(lexicon.rows[rule_id]) for lexicon in (one, other))
    both = sorted(before.keys() & after.keys())
    change = RuleChange(
        rule_id,
        fields=tuple(name for name in row if row[name] != new.get(name)),
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        levels=tuple(LevelChange(form, before[form].level, after[form].level) for form in both if before[form].level != after[form].level),
        others=tuple(form for form in both if _otherwise(before[form]) != _otherwise(after[form])),
    )
    return None if change == RuleChange(rule_id) else change


def _otherwise(form: Form) -> Form:
    """A form without its level and its rule's number, which says nothing."""
    return msgspec.structs.replace(form, rule=0, level="with_company")


def _prose(before: Path, after: Path, told: set[str]) -> tuple[str, ...]:
    if not (before.is_dir() and after.is_dir()):
        return ()
    one, other = ({rule.id: content_hash(rule) for rule in read_rules(path)} for path in (before, after))
    return tuple(sorted(rule_id for rule_id in one.keys() & other.keys() if one[rule_id] != other[rule_id] and rule_id not in told))


# --- shown -------------------------------------------------------------------------------------------


def as_json(diff: LexiconDiff) -> dict[str, Any]:
    """Plain values."""
    built: dict[str, Any] = msgspec.to_builtins(diff)
    return built


def as_text(diff: LexiconDiff) -> str:
    """A summary, then a line for each difference: `+` added, `-` removed, `~` changed."""
    return "\n".join([f"{diff.before} → {diff.after}", *_summary(diff), *_lines(diff)])


def _summary(diff: LexiconDiff) -> Iterator[str]:
    if not diff:
        yield "the same rules and forms"
        return
    counts = Counter(
        forms_added=sum(len(rule.forms) for rule in diff.added) + sum(len(change.added) for change in diff.changed),
        forms_removed=sum(len(rule.forms) for rule in diff.removed) + sum(len(change.removed) for change in diff.changed),
        levels=sum(len(change.levels) for change in diff.changed),
    )
    yield (
        f"rules: {len(diff.added)} added, {len(diff.removed)} removed, {len(diff.changed)} changed, {len(diff.prose)} in words only; "
        f"forms: {counts['forms_added']} added, {counts['forms_removed']} removed, {counts['levels']} at another level"
    )


def _lines(diff: LexiconDiff) -> Iterator[str]:
    yield from (f"- {rule.rule_id}: {_quoted(rule.forms)}" for rule in diff.removed)
    yield from (f"+ {rule.rule_id}: {_quoted(rule.forms)}" for rule in diff.added)
    for change in diff.changed:
        yield f"~ {change.rule_id}{': ' + ', '.join(change.fields) if change.fields else ''}"
        yield from (f"    - {form}" for form in change.removed)
        yield from (f"    + {form}" for form in change.added)
        yield from (f"    ~ {level.form}: {level.before} → {level.after}" for level in change.levels)
        yield from (f"    ~ {form}: matched or explained otherwise" for form in change.others)
    yield from (f"~ {rule_id}: only what no matcher reads" for rule_id in diff.prose)


def _quoted(forms: Iterable[str]) -> str:
    return ", ".join(forms)
