"""From an entry of a rule to the patterns that the automata search for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.rules import Entry, Rule
from wildgate_service.lexicon.sounds import Sound, sounds_of
from wildgate_service.lexicon.spellings import ROMANIZED, spellings
from wildgate_service.match.boundaries import Edge, edge_of, is_dense, is_unspaced
from wildgate_service.match.misspelling import ANY_WORD
from wildgate_service.match.tables import Form
from wildgate_service.match.undisguise import LONGEST_GLUE, SHORTEST, SHORTEST_GLUE, SHORTEST_SYLLABLES
from wildgate_service.match.views import KANA
from wildgate_service.match.written import letters_worth
from wildgate_service.normalize import fold
from wildgate_service.normalize.bare import bare_form
from wildgate_service.normalize.marks import fold_with_marks, has_marks
from wildgate_service.types import CUES, TAXON_KINDS, Level, RuleKind

SHORT_ROMANIZED = 7  # a spelling in Latin letters with fewer of them is too often another word to be more than company asks for
FUZZY_LETTERS = 7  # of a word that bears a misspelling unless its entry says otherwise
FUZZY_CUE_LETTERS = 5  # the same of a cue, which is no more than company


class Pattern(NamedTuple):
    """A folded spelling of a form: `text` is searched for in skeletons, `bare` in bare readings, `sounds` in sound readings."""

    text: str
    form: Form
    bare: tuple[str, ...] = ()
    sounds: tuple[Sound, ...] = ()


def patterns_of(number: int, rule: Rule, entry: Entry) -> Iterator[Pattern]:
    """The folded form, for a form of several words that with hyphens, and its other spellings.

    Spellings of one kind share one `Form`.
    """
    text = fold(entry.form).strip()
    if not text:
        raise LexiconError(f"rule {rule.id}: form {entry.form!r} folds to nothing", file=rule.file, line=rule.line)
    form = _form(number, rule, entry, text)
    yield Pattern(text, form, _bare(text, entry), sounds_of(entry.form, rule.language, entry.reading) if entry.match != "amount" else ())
    words = text.split(" ")
    if len(words) > 1 and text.replace(" ", "").isalpha():
        yield Pattern("-".join(words), form)
    if rule.kind is not RuleKind.BENIGN_CONTEXT and entry.match != "amount":
        yield from _spelled(form, rule, entry)


def _spelled(form: Form, rule: Rule, entry: Entry) -> Iterator[Pattern]:
    """The other spellings of an entry, one view after the other."""
    found = spellings(entry.form, rule.language, entry.reading, is_cue=rule.kind in CUES)
    for view, group in groupby(found, key=lambda each: each.view):
        texts = [fold(each.text).strip() for each in group]
        short = view in ROMANIZED and max(map(len, texts)) < SHORT_ROMANIZED
        shared = msgspec.structs.replace(
            form,
            view=view,
            marked="",
            fuzzy=False,
            level=Level.COMPANY_ONLY if short and rule.kind in TAXON_KINDS else form.level,
            left=form.left if entry.match == "substring" else edge_of(texts[0][0], first=True),
            right=form.right if entry.match in {"substring", "prefix"} else edge_of(texts[0][-1], first=False),
        )
        yield from (Pattern(text, shared, _bare(text, entry) if view == KANA else ()) for text in texts)


def _bare(text: str, entry: Entry) -> tuple[str, ...]:
    """The shapes of a spelling that is long enough to be read through a disguise."""
    written_in_letters = entry.match != "amount" and any(map(str.isalpha, entry.form))
    return bare_form(text) if written_in_letters and letters_worth(text) >= SHORTEST else ()


def _form(number: int, rule: Rule, entry: Entry, pattern: str) -> Form:
    left = {"substring": Edge.FREE, "amount": Edge.NUMBER}.get(entry.match, edge_of(pattern[0], first=True))
    right = Edge.FREE if entry.match in {"substring", "prefix"} else edge_of(pattern[-1], first=False)
    marked = fold_with_marks(entry.form) if rule.protects_marks(entry) else ""
    return Form(
        rule=number,
        form=unicodedata.normalize("NFC", entry.form),
        gloss=entry.gloss,
        level=rule.level_of(entry),
        left=left,
        right=right,
        marked=marked if has_marks(marked) or rule.protects_marks(entry) else "",
        requires=entry.requires.kinds if entry.requires else (),
        within=entry.requires.within if entry.requires else 0,
        sourced=bool(rule.sources_of(entry)),
        fuzzy=_is_fuzzy(rule, entry, pattern),
        taxa=entry.taxa,
    )


def _is_fuzzy(rule: Rule, entry: Entry, pattern: str) -> bool:
    """Whether a form is read one letter wrong by itself: as its entry says, else if it is long and no innocent word."""
    if entry.fuzzy is not None:
        return entry.fuzzy
    if not pattern.isalpha():
        return False
    if rule.kind in CUES:
        return letters_worth(pattern) >= FUZZY_CUE_LETTERS
    return letters_worth(pattern) >= FUZZY_LETTERS and rule.level_of(entry) is not Level.COMPANY_ONLY


def spelled_words(text: str) -> Iterator[str]:
    """The words of a folded form that may be misspelled, masked or drawn with signs: those of scripts that part words with blanks."""
    return (word for word in ANY_WORD.findall(text) if not is_unspaced(word[0]))


def phrases_of(pattern: Pattern) -> Iterator[str]:
    """What says where a word may be put right: the form if it is one word that bears it, else each two words side by side."""
    words = ANY_WORD.findall(pattern.text)
    if len(words) == 1 and pattern.form.fuzzy:
        yield words[0]
    yield from map(" ".join, pairwise(words))


def glue_words(text: str) -> Iterator[str]:
    """What of a folded form may be written together with another: its words, and all of it as one."""
    words = [word for word in text.split() if word.isalpha() and not is_unspaced(word[0])]
    return (
        word
        for word in (*words, "".join(words))
        if (SHORTEST_SYLLABLES if is_dense(word[:1] or " ") else SHORTEST_GLUE) <= len(word) <= LONGEST_GLUE
    )
