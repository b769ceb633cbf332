"""What is put between letters and words, or taken from there: separators, blanks, invisible characters, marks."""

from __future__ import annotations

import unicodedata

from robustness.family import Work
from robustness.texts import Form
from robustness.words import clusters, touched

SEPARATORS = ".-_*·/|~"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\ufe0f\u2063"
BIDI_MARKS = "\u200e\u200f\u061c"
EMBEDDINGS = {"\u202a": "\u202c", "\u202b": "\u202c", "\u202d": "\u202c", "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}
OVERRIDES = {False: "\u202e", True: "\u202d"}  # what shows a reversed word in its order; True: of a script written from right to left
END_OF_OVERRIDE = "\u202c"
STRIKES = "\u0305\u0332\u0333\u0335\u0336\u0337\u0338\u0489\u20d2\u20e5"


def _between(word: str, work: Work, chosen: str, share: float) -> str:
    """The word with one of the characters in a share of the gaps between its letters, at least one."""
    parts = clusters(word)
    gaps = list(range(1, len(parts)))
    work.random.shuffle(gaps)
    hit = set(gaps[: max(1, round(share * len(gaps)))])
    return "".join((work.random.choice(chosen) if place in hit else "") + part for place, part in enumerate(parts))


def separated(word: str, work: Work) -> str:
    """One separator at light, in half of the gaps at medium, in all at heavy; one sign per word."""
    return _between(word, work, work.random.choice(SEPARATORS), (0, 0.5, 1)[work.strength.level - 1])


def spaced(word: str, work: Work) -> str:
    """A blank in every gap of a touched word, two of them at heavy in one word of three."""
    blank = "  " if work.strength.level == 3 and work.random.random() < 1 / 3 else " "
    return blank.join(clusters(word))


def split(word: str, work: Work) -> str:
    """One blank inside a touched word."""
    return _between(word, work, " ", 0)


def invisible(word: str, work: Work) -> str:
    """An invisible character in one gap at light, half at medium, all at heavy."""
    return _between(word, work, INVISIBLE, (0, 0.5, 1)[work.strength.level - 1])


def bidi(word: str, work: Work) -> str:
    """Wrapped in an embedding at light, marks in half of the gaps at medium, written backwards under an override at heavy."""
    if work.strength.level == 2:
        return _between(word, work, BIDI_MARKS, 0.5)
    if work.strength.level == 3:
        override = OVERRIDES[unicodedata.bidirectional(word[0]) in {"R", "AL"}]
        return override + "".join(reversed(clusters(word))) + END_OF_OVERRIDE
    opening = work.random.choice(list(EMBEDDINGS))
    return opening + word + EMBEDDINGS[opening]


def struck(word: str, work: Work) -> str:
    """Lines through or under a third of the letters, half, all; one kind of line per word."""
    line = work.random.choice(STRIKES)
    parts = clusters(word)
    hit = set(work.random.sample(range(len(parts)), work.share_of(len(parts))))
    return "".join(part + line if place in hit and unicodedata.category(part[0])[0] == "L" else part for place, part in enumerate(parts))


def merged(form: Form, work: Work) -> Form:
    """A share of the blanks between words lost."""
    fields = [form.title, form.description]
    blanks = [(field, place) for field, text in enumerate(fields) for place in range(1, len(text) - 1) if _is_between_words(text, place)]
    if not blanks:
        return form
    lost = {blanks[place] for place in touched(range(len(blanks)), work.strength.words, work.random)}
    title, description = (
        "".join(char for place, char in enumerate(text) if (field, place) not in lost) for field, text in enumerate(fields)
    )
    return Form(title, description, form.attributes)


def _is_between_words(text: str, place: int) -> bool:
    around = text[place - 1], text[place + 1]
    return text[place] == " " and all(unicodedata.category(char)[0] in "LMN" for char in around)
