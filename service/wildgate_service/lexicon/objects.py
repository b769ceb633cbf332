"""Objects: what a rule comes to by itself, so that a change in one rule costs one rule. `linking` makes tables of them.

A lexicon has thousands, and a change touches a few: they are kept sealed, as bytes with what is asked of all.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from wildgate_service.lexicon.patterns import Pattern, glue_words, patterns_of, phrases_of, spelled_words
from wildgate_service.lexicon.rules import Rule, rules_of_text
from wildgate_service.lexicon.sounds import Sound
from wildgate_service.match.tables import Form, RuleRow
from wildgate_service.types import TAXON_KINDS


class RuleHead(Struct, frozen=True, array_like=True):
    """What linking needs of a rule beside its forms.

    `row` is without groups, which are the tables' to say; `taxa` are all that rule and entries name; `line` counts from the object's first.
    """

    row: RuleRow
    taxa: tuple[str, ...]
    forms: int
    sourced_forms: int
    file: str
    line: int


class LexiconObject(Struct, frozen=True, array_like=True):
    """Some rules of one file, as a rule one.

    `patterns[i]` finds form number `uses[i]`, in bare readings as `bare[i]`, by sound as `sounds[i]`.
    """

    heads: tuple[RuleHead, ...]
    patterns: tuple[str, ...]
    uses: tuple[int, ...]
    bare: tuple[tuple[str, ...], ...]
    sounds: tuple[tuple[Sound, ...], ...]
    forms: tuple[Form, ...]


class Words(Struct, frozen=True, array_like=True):
    """The words of an object, as `Tables` has them of all."""

    words: tuple[frozenset[str], frozenset[str]]  # those of taxon rules' forms that bear a misspelling, and of the others'
    phrases: tuple[frozenset[str], frozenset[str]]  # of the same forms, what says where a word may be put right
    glue: frozenset[str]  # those that may be written together with a form


class Sealed(Struct, frozen=True, array_like=True):
    """An object as it is kept."""

    heads: tuple[RuleHead, ...]
    forms: int
    object: bytes
    words: bytes

    def opened(self) -> LexiconObject:
        """The object."""
        return _decode_object(self.object)

    def all_words(self) -> Words:
        """Its words."""
        return _decode_words(self.words)


_encode = msgspec.msgpack.Encoder().encode
_decode_object = msgspec.msgpack.Decoder(LexiconObject).decode
_decode_words = msgspec.msgpack.Decoder(Words).decode


def object_of(rules: Iterable[Rule]) -> Sealed:
    """Make the object of some rules, sealed. Raises LexiconError with file and line."""
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
    plain = [(pattern, of_taxa[pattern.form.rule]) for pattern in patterns if not pattern.form.view]
    by_kind = [[pattern for pattern, taxon in plain if taxon is wanted] for wanted in (True, False)]
    words = tuple(frozenset(word for pattern in kind for word in spelled_words(pattern.text)) for kind in by_kind)
    beside = tuple(frozenset(phrase for pattern in kind for phrase in phrases_of(pattern)) for kind in by_kind)
    glue = frozenset(word for pattern, _ in plain for word in glue_words(pattern.text))
    made = LexiconObject(tuple(heads), texts, tuple(uses), bare, sounds, tuple(forms))
    return Sealed(made.heads, len(forms), _encode(made), _encode(Words((words[0], words[1]), (beside[0], beside[1]), glue)))


def object_of_text(text: str, file: str) -> Sealed:
    """The same from the text of a rule file or a part of it, without its deprecated rules. Raises LexiconError with file and line."""
    return object_of([rule for rule in rules_of_text(text, file) if rule.status != "deprecated"])


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
            cancels_forms=rule.cancels.forms if rule.cancels else (),
            weakens=rule.weakens.groups if rule.weakens else (),
            weakens_within=rule.weakens.within if rule.weakens else 0,
        ),
        taxa=tuple(dict.fromkeys((*rule.taxa, *(taxon for entry in rule.entries for taxon in entry.taxa)))),
        forms=len(rule.entries),
        sourced_forms=sum(bool(rule.sources_of(entry)) for entry in rule.entries),
        file=rule.file,
        line=rule.line,
    )
