"""Chinese with a character replaced by one that sounds or looks like it: 象牙 → 橡牙, 穿山甲 → 川山甲.

Forms of two characters take only the pairs of `tables/homophones.tsv`. Forms of three and four that hold a wildlife character of that
table also take any of the commonest characters of the same syllable, one at a time; a longer form nearly always contains a shorter one.
A result is dropped where the new character makes an ordinary word with its neighbors, so that 象皮 does not become 橡皮, rubber.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, product, zip_longest

from wildgate_service.lexicon.spellings.pinyin import is_han, syllables_of
from wildgate_service.lexicon.spellings.tables import choices, rows
from wildgate_service.normalize import fold

ANY_SYLLABLE = range(3, 5)  # lengths of forms that stay recognizable with any one character misspelled
LONGEST_WORD = 3
TOGETHER = 2  # characters replaced together
WEAK = "weak"


def homophones(form: str, language: str, reading: str) -> Iterator[str]:
    """Spellings from the table, one and then several characters replaced, and then those of the same syllable."""
    del language, reading
    folded = fold(form)
    if len(folded) < 2 or not is_han(folded):  # noqa: PLR2004  (one character by another is another word)
        return
    for result in _from_table(folded):
        if _is_no_word(folded, result):
            yield result
    if len(folded) in ANY_SYLLABLE and _names_wildlife(folded):
        yield from (result for result in _same_syllable(folded) if _is_no_word(folded, result))


def _from_table(form: str) -> Iterator[str]:
    """One character replaced, then two; of two in a longer form only the likeliest."""
    known = choices("homophones.tsv")
    places = [at for at, char in enumerate(form) if char in known]
    for at in places:
        yield from (_replace(form, {at: char}) for char in known[form[at]])
    for pair in combinations(places, TOGETHER):
        options = [known[form[at]] if len(form) == TOGETHER else known[form[at]][:1] for at in pair]
        yield from (_replace(form, dict(zip(pair, chars, strict=True))) for chars in product(*options))


def _same_syllable(form: str) -> Iterator[str]:
    """One character replaced by a common one while another says that it is about wildlife; the commonest of each place first."""
    places = [
        [_replace(form, {at: char}) for char in choices("zh_syllables.tsv").get(syllable, ()) if char != form[at]]
        for at, syllable in enumerate(syllables_of(form))
        if _names_wildlife(form[:at] + form[at + 1 :])
    ]
    yield from (result for rank in zip_longest(*places) for result in rank if result)


def _replace(form: str, new: dict[int, str]) -> str:
    return "".join(new.get(at, char) for at, char in enumerate(form))


def _is_no_word(form: str, result: str) -> bool:
    """Whether no ordinary word takes in a character that was replaced, nor runs over a result of two."""
    words, inside = _words(), _inside_words()
    if len(result) == 2 and result in inside:  # noqa: PLR2004
        return False
    return not any(
        form[start:end] != result[start:end] and result[start:end] in words
        for start in range(len(form))
        for end in range(start + 2, min(start + LONGEST_WORD, len(form)) + 1)
    )


def _names_wildlife(text: str) -> bool:
    return any(char in _wildlife() for char in text)


@cache
def _wildlife() -> frozenset[str]:
    return frozenset(row[0] for row in rows("homophones.tsv") if WEAK not in row)


@cache
def _words() -> frozenset[str]:
    return frozenset(choices("zh_words.tsv"))


@cache
def _inside_words() -> frozenset[str]:
    """Neighbors inside ordinary words of three characters."""
    return frozenset(word[at : at + 2] for word in _words() for at in range(len(word) - 1) if len(word) > 2)  # noqa: PLR2004
