"""What is wrong with a policy's sentences: languages that are missing, slots that nothing fills, slots that a translation lost."""

from __future__ import annotations

import string
from collections.abc import Collection, Iterable, Iterator

from wildgate_service.decide.sentences import LAST_RESORT
from wildgate_service.policy.file import PolicyFile, Problem
from wildgate_service.policy.lines import Path

REASONS = ("block", "review", "covered", "legal", "allow", "unnamed", "explained", "unlisted", "crowded")
NOTICES = ("block", "review")
SLOTS = frozenset({"groups", "surfaces", "score", "cues", "market"})
FEWER_SLOTS = {"allow": frozenset[str](), "unnamed": frozenset({"score"})}  # where no form was found


def problems_of_templates(file: PolicyFile, languages: Collection[str]) -> Iterator[Problem]:
    """Everything that is wrong with reasons and notices."""
    yield from _languages(file, languages)
    yield from _moderators(file)
    for language, reasons in file.reasons.items():
        yield from _reasons(language, reasons, file.reasons.get(LAST_RESORT, {}))
    for name, notices in file.notices.items():
        if name not in NOTICES:
            yield Problem(("notices", name), f"unknown notice; known are {', '.join(NOTICES)}")
        for language, text in notices.items():
            yield from slot_problems(("notices", name, language), text, frozenset())


def _languages(file: PolicyFile, languages: Collection[str]) -> Iterator[Problem]:
    """A language that is missing; English must not be, since it stands in for the others."""
    kept: dict[Path, dict[str, str] | dict[str, dict[str, str]]] = {
        ("reasons",): file.reasons,
        **{("notices", name): file.notices.get(name, {}) for name in NOTICES},
    }
    for path, sentences in kept.items():
        if LAST_RESORT not in sentences:
            yield Problem((*path, LAST_RESORT), "is missing, and stands in for languages that are")
        missing = [language for language in languages if language not in {LAST_RESORT, *sentences}]
        if missing:
            yield Problem(path, f"missing, so that English stands in: {', '.join(missing)}", warning=True)


def _moderators(file: PolicyFile) -> Iterator[Problem]:
    asked: list[tuple[Path, str]] = [(("moderator_language",), file.moderator_language)]
    for name, tables in (("markets", file.markets), ("tenants", file.tenants)):
        asked += [((name, key, "moderator_language"), table.moderator_language) for key, table in tables.items()]
    for path, language in asked:
        if language and language not in file.reasons:
            yield Problem(path, f"there are no reasons in {language}; there are {', '.join(file.reasons)}")


def _reasons(language: str, reasons: dict[str, str], english: dict[str, str]) -> Iterator[Problem]:
    path = ("reasons", language)
    for name, text in reasons.items():
        if name not in REASONS:
            yield Problem((*path, name), f"unknown reason; known are {', '.join(REASONS)}")
            continue
        wrong = list(slot_problems((*path, name), text, FEWER_SLOTS.get(name, SLOTS)))
        yield from wrong
        if not wrong and (lost := _names(english.get(name, "")) - _names(text)):
            yield Problem((*path, name), f"says nothing of {_listed(lost)}, which the English one does", warning=True)
    for name in REASONS:
        if name not in reasons:
            stands_in = language != LAST_RESORT
            yield Problem(path, f"{name} is missing{', so that English stands in' if stands_in else ''}", warning=stands_in)


def slot_problems(path: Path, text: str, slots: frozenset[str]) -> Iterator[Problem]:
    """What keeps a sentence from being filled in."""
    try:
        unknown = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None and name not in slots]
        if not unknown:
            text.format(**dict.fromkeys(slots, ""))
    except ValueError as error:
        yield Problem(path, f"cannot be filled in: {error}; every slot is text")
        return
    yield from (Problem(path, f"unknown slot {{{name}}}; known are {_listed(slots) or 'none here'}") for name in unknown)


def _names(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}
    except ValueError:
        return set()


def _listed(slots: Iterable[str]) -> str:
    return ", ".join(sorted(slots))
