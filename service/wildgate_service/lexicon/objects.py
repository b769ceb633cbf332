"""Objects: what one rule file comes to by itself, so that a change in one file costs one file. `compiler` links them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from wildgate_service.lexicon.patterns import Pattern, glue_words, patterns_of, spelled_words
from wildgate_service.lexicon.rules import Rule, rules_of_text
from wildgate_service.lexicon.sounds import Sound
from wildgate_service.match.tables import Form, RuleRow
from wildgate_service.types import TAXON_KINDS


class RuleHead(Struct, frozen=True, array_like=True):
    """What linking needs of a rule beside its forms.

    `row` is without groups, which are the tables' to say; `taxa` are all that rule and entries name.
    """

    row: RuleRow
    taxa: tuple[str, ...]
    forms: int
    sourced_forms: int
    file: str
    line: int


class LexiconObject(Struct, frozen=True, array_like=True):
    """One rule file. `patterns[i]` finds form number `uses[i]`, in bare readings as `bare[i]`, by sound as `sounds[i]`.

    The forms' rules count from `first`.
    """

    heads: tuple[RuleHead, ...]
    patterns: tuple[str, ...]
    uses: tuple[int, ...]
    bare: tuple[tuple[str, ...], ...]
    sounds: tuple[tuple[Sound, ...], ...]
    forms: tuple[Form, ...]
    words: tuple[frozenset[str], frozenset[str]]  # those of taxon rules' forms that bear a misspelling, and of the others'
    glue: frozenset[str]  # those that may be written together with a form
    first: int = 0


def object_of(rules: Iterable[Rule]) -> LexiconObject:
    """Make the object of some rules. Raises LexiconError with file and line."""
    heads: list[RuleHead] = []
    patterns: list[Pattern] = []
    forms: list[Form] = []
    uses: list[int] = []
    for number, rule in enumerate(rules):
        heads.append(_head(rule))
        for entry in rule.entries:
            for pattern in patterns_of(number, rule, entry):
                if not forms or pattern.form is not forms[-1]:
                    forms.append(pattern.form)
                uses.append(len(forms) - 1)
                patterns.append(pattern)
    texts, bare = tuple(pattern.text for pattern in patterns), tuple(pattern.bare for pattern in patterns)
    sounds = tuple(pattern.sounds for pattern in patterns)
    of_taxa = [head.row.kind in TAXON_KINDS for head in heads]
    plain = [(pattern.text, of_taxa[pattern.form.rule]) for pattern in patterns if not pattern.form.view]
    words = tuple(frozenset(word for text, taxon in plain if taxon is wanted for word in spelled_words(text)) for wanted in (True, False))
    glue = frozenset(word for text, _ in plain for word in glue_words(text))
    return LexiconObject(tuple(heads), texts, tuple(uses), bare, sounds, tuple(forms), (words[0], words[1]), glue)


def object_of_text(text: str, file: str) -> LexiconObject:
    """Make the object of a rule file's text, without its deprecated rules. Raises LexiconError with file and line."""
    return object_of([rule for rule in rules_of_text(text, file) if rule.status != "deprecated"])


def place(objects: Iterable[LexiconObject]) -> Iterator[LexiconObject]:
    """The objects with their rules numbered one after the other; one that stands where it stood is the same."""
    first = 0
    for each in objects:
        yield _moved(each, first)
        first += len(each.heads)


def _moved(each: LexiconObject, first: int) -> LexiconObject:
    by = first - each.first
    if not by:
        return each
    forms = tuple(msgspec.structs.replace(form, rule=form.rule + by) for form in each.forms)
    return msgspec.structs.replace(each, forms=forms, first=first)


def _head(rule: Rule) -> RuleHead:
    return RuleHead(
        row=RuleRow(
            id=rule.id,
            kind=rule.kind,
            language=rule.language,
            taxa=rule.taxa,
            groups=(),
            cue_type=rule.cue_type,
            restricted=rule.visibility == "restricted",
            reviewed=bool(rule.reviewed_by),
            cancels=rule.cancels.groups if rule.cancels else (),
            cancels_within=rule.cancels.within if rule.cancels else 0,
            weakens=rule.weakens.groups if rule.weakens else (),
            weakens_within=rule.weakens.within if rule.weakens else 0,
        ),
        taxa=tuple(dict.fromkeys((*rule.taxa, *(taxon for entry in rule.entries for taxon in entry.taxa)))),
        forms=len(rule.entries),
        sourced_forms=sum(bool(rule.sources_of(entry)) for entry in rule.entries),
        file=rule.file,
        line=rule.line,
    )


# --- kept on disk, for the next process ----------------------------------------------------------

Objects = dict[str, LexiconObject]
_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[bytes], Objects] = msgspec.msgpack.Decoder(Objects).decode


def load_objects(path: Path) -> Objects:
    """The objects kept in a file, by the key they were kept under; none if it is missing or damaged."""
    try:
        return _decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return {}


def encode_objects(objects: Objects) -> bytes:
    """What `load_objects` reads."""
    return _encode(objects)
