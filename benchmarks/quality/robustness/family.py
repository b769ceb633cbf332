"""What a family of disguises is, and how one is applied to a text."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from random import Random
from typing import Any

from robustness.texts import Form, Text, plain
from robustness.words import Strength, Token, tokens, touched


@dataclass(frozen=True)
class Work:
    """What a disguise may depend on besides the word: the text's language, the strength, and a generator of its own."""

    language: str
    strength: Strength
    random: Random

    def share_of(self, count: int) -> int:
        """How many of so many letters are touched, at least one."""
        return max(1, round(self.strength.letters * count))


WordDisguise = Callable[[str, Work], str]
FormDisguise = Callable[[Form, Work], Form]


@dataclass(frozen=True)
class Family:
    """One way of disguising.

    `levels` says what light, medium and heavy do; `packages` are distributions that it rests on, with the modules to import;
    `languages` those it is for, empty: all in which it changes something.
    """

    name: str
    disguise: FormDisguise
    levels: str
    packages: tuple[tuple[str, str], ...] = ()
    languages: frozenset[str] = frozenset()

    def missing(self) -> list[str]:
        """The distributions that are not installed."""
        return [distribution for distribution, module in self.packages if not importable(module)]


@cache
def importable(module: str) -> bool:
    """Whether an optional package is there."""
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def load(module: str) -> Any:  # noqa: ANN401  (a package without types)
    """An optional package; `Family.missing` has said that it is there."""
    return import_module(module)


def disguised(family: Family, text: Text, strength: Strength, seed: int) -> Form | None:
    """The text under the disguise, or None where it does not apply, because its language or letters are not those of the family."""
    if family.languages and text.language not in family.languages:
        return None
    key = f"{seed}/{family.name}/{text.id}"
    if family.packages:
        seed_packages(f"{key}/{strength.name}")
    form = family.disguise(plain(text), Work(text.language, strength, Random(key)))
    return None if form == plain(text) else form


def seed_packages(key: str) -> None:
    """Seed the global generators, which third-party packages draw from."""
    random.seed(key)
    if importable("numpy"):
        load("numpy").random.seed(Random(key).getrandbits(32))


def by_word(disguise: WordDisguise, shares: tuple[float, float, float] | None = None) -> FormDisguise:
    """Disguise a share of the words of title and description; `shares` (light, medium, heavy) instead of the strength's own."""

    def apply(form: Form, work: Work) -> Form:
        share = shares[work.strength.level - 1] if shares else work.strength.words
        fields = [tokens(form.title, work.language), tokens(form.description, work.language)]
        every = [token for field in fields for token in field]
        chosen = touched((place for place, token in enumerate(every) if token.eligible), share, work.random)
        done = [_done(token, disguise, work, chosen=place in chosen) for place, token in enumerate(every)]
        cut = len(fields[0])
        return Form("".join(done[:cut]), "".join(done[cut:]), form.attributes)

    return apply


def _done(token: Token, disguise: WordDisguise, work: Work, *, chosen: bool) -> str:
    return disguise(token.text, work) if chosen else token.text
