"""Which languages an encoder reads: whether phrases lie nearest to their translations.

`phrases.tsv` has a language a column and a thing a row, 40 of them wildlife; an empty cell is a phrase that nobody wrote. The phrases were
written for this project and reviewed by no speaker; those in km, lo, my, sw and tl are the least reliable.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

PIVOT = "en"  # the others are held against it
READ_FROM = 0.4  # share of phrases found, of sixty, from which a language counts as read; chance is below .03

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
Phrases = dict[str, list[str]]


def read_phrases() -> Phrases:
    """The phrases by language, row by row; "" where there is none."""
    text = files(__package__).joinpath("phrases.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    return {language: [row[language] for row in rows] for language in rows[0]}


def shares_found(embed: Embed, phrases: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """By language but the pivot's, the share of phrases that are nearest to their translation, there and back."""
    pivot = embed(phrases[PIVOT])
    found: dict[str, float] = {}
    for language, texts in phrases.items():
        if language != PIVOT:
            places = [place for place, text in enumerate(texts) if text]
            found[language] = round(_share(embed([texts[place] for place in places]), pivot[places]), 3)
    return found


def _share(one: Vectors, other: Vectors) -> float:
    """Mean of both directions; each language around its own mean, since encoders put languages apart."""
    likeness = _unit(one - one.mean(axis=0)) @ _unit(other - other.mean(axis=0)).T
    right = np.arange(len(one))
    return float(((likeness.argmax(axis=0) == right).mean() + (likeness.argmax(axis=1) == right).mean()) / 2)


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def languages_read(shares: Mapping[str, float]) -> tuple[str, ...]:
    """The languages that count as read. The pivot does if any other does: nothing is held against itself."""
    others = {language for language, share in shares.items() if share >= READ_FROM}
    return tuple(sorted(others | {PIVOT} if others else others))
