"""Words and phrases that go on in another field of the form."""

from __future__ import annotations

from random import Random

from robustness.family import Work
from robustness.texts import Form
from robustness.words import clusters, tokens

MOST_ATTRIBUTES = 60  # the service takes 64


def across_fields(form: Form, work: Work) -> Form:
    """Title cut between two words at light, inside one at medium, dealt to attributes word by word at heavy; the description goes on."""
    words = [token.text for token in tokens(form.title, work.language)]
    solid = [place for place, word in enumerate(words) if word.strip()]
    if len(solid) < 2:
        return form
    if work.strength.level == 3:
        return _dealt(words, form)
    place = work.random.choice(solid[1:])
    return _cut(words, place, form) if work.strength.level == 1 else _cut_inside(words, form, work.random)


def _cut(words: list[str], place: int, form: Form) -> Form:
    """Title and description cut before a word; what stood behind comes first in the description."""
    rest = "".join(words[place:])
    return Form("".join(words[:place]).rstrip(), f"{rest} {form.description}".rstrip(), form.attributes)


def _cut_inside(words: list[str], form: Form, random: Random) -> Form:
    long = [place for place, word in enumerate(words) if len(clusters(word)) >= 2]
    if not long:
        return form
    place = random.choice(long)
    parts = clusters(words[place])
    middle = random.randrange(1, len(parts))
    halves = [*words[:place], "".join(parts[:middle]), "".join(parts[middle:]), *words[place + 1 :]]
    return _cut(halves, place + 1, form)


def _dealt(words: list[str], form: Form) -> Form:
    """The first word stays the title, each other becomes an attribute."""
    solid = [word for word in words if word.strip()]
    return Form(solid[0], form.description, tuple(solid[1:MOST_ATTRIBUTES]))
