"""Hindi in Latin letters as chats write it: no marks, silent vowels left out, a or aa, i or ee, u or oo."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice, product

from msgspec import Struct

from wildgate_service.lexicon.spellings.tables import rows

VIRAMA, NUKTA = "\u094d", "\u093c"
NASALS = "\u0901\u0902"
LABIALS = tuple("पफबभम")
INHERENT = "अ"
SOUNDED = tuple(f"{VIRAMA}{char}" for char in "रयव")  # a last cluster that cannot be said without its vowel: मित्र
ENOUGH = 12  # combinations looked at; the caller keeps fewer


class Syllable(Struct):
    """Consonants with the vowel after them, as the independent letter; "" for none, and a silent vowel is none."""

    onset: str
    vowel: str
    nasal: str = ""


def hinglish(form: str, language: str, reading: str) -> Iterator[str]:
    """All words short-voweled, all long-voweled, the first with w, ch and f; then word by word."""
    del language
    words = (reading or form).split()
    syllables = [_syllables(word) for word in words]
    if not words or any(parts is None for parts in syllables):
        return
    read = [_silence(parts) for parts in syllables if parts is not None]
    short, long = ([_write(parts, manner) for parts in read] for manner in ("short", "long"))
    yield " ".join(short)
    yield " ".join(long)
    yield " ".join(short).replace("v", "w").replace("chh", "ch").replace("ph", "f")
    yield from (" ".join(mixed) for mixed in islice(product(*zip(short, long, strict=True)), ENOUGH))


def _syllables(word: str) -> list[Syllable] | None:
    """The syllables of a word, None if it is not all Devanagari."""
    letters = _letters()
    parts: list[Syllable] = []
    for char in word:
        kind = letters.get(char, ("", "", ""))[0]
        if kind == "consonant":
            joined = bool(parts) and parts[-1].vowel == VIRAMA
            if joined:
                parts[-1] = Syllable(parts[-1].onset + VIRAMA + char, INHERENT)
            else:
                parts.append(Syllable(char, INHERENT))
        elif kind == "vowel":
            parts.append(Syllable("", char))
        elif kind == "sign" and parts:
            parts[-1].vowel = letters[char][1]
        elif char == VIRAMA and parts:
            parts[-1].vowel = VIRAMA
        elif char in NASALS and parts:
            parts[-1].nasal = char
        elif char == NUKTA and parts:
            parts[-1].onset += NUKTA
        else:
            return None
    return parts


def _silence(parts: list[Syllable]) -> list[Syllable]:
    """Leave out silent inherent vowels: the last, and from the right each between vowel-consonant and consonant-vowel (Ohala 1983)."""
    for at in range(len(parts) - 1, 0, -1):
        part = parts[at]
        before, after = parts[at - 1], parts[at + 1] if at + 1 < len(parts) else None
        if part.vowel != INHERENT or part.nasal or not part.onset:
            continue
        if (after is None and not part.onset.endswith(SOUNDED)) or (after is not None and _is_between(before, part, after)):
            part.vowel = ""
    return parts


def _is_between(before: Syllable, part: Syllable, after: Syllable) -> bool:
    return (
        before.vowel != VIRAMA
        and after.vowel not in {"", VIRAMA}
        and bool(after.onset)
        and not _is_cluster(part)
        and not _is_cluster(after)
    )


def _is_cluster(part: Syllable) -> bool:
    return VIRAMA in part.onset


def _write(parts: list[Syllable], manner: str) -> str:
    letters, written = _letters(), ""
    for at, part in enumerate(parts):
        final = at == len(parts) - 1
        written += _consonants(part.onset)
        vowel = letters.get(part.vowel, ("", "", ""))
        written += vowel[2] if manner == "long" and not (final and not part.nasal) else vowel[1]
        following = parts[at + 1].onset if not final else ""
        written += ("m" if following.startswith(LABIALS) else "n") if part.nasal else ""
    return written


def _consonants(onset: str) -> str:
    letters = _letters()
    written = ""
    for at, char in enumerate(onset):
        if char not in {NUKTA, VIRAMA}:
            pair = onset[at : at + 2]
            written += letters[pair][1] if pair in letters else letters[char][1]
    return _doubled(written)


def _doubled(written: str) -> str:
    """A doubled aspirate is written once with its h: हड्डी haddi, मक्खी makkhi, अच्छा achha."""
    return written.replace("chchh", "chh").replace("cchh", "chh")


@cache
def _letters() -> dict[str, tuple[str, str, str]]:
    """Letter → kind, short and long manner; of a vowel sign, the kind `sign` and its independent letter."""
    return {row[1]: (row[0], row[2], row[3] if len(row) > 3 else row[2]) for row in rows("devanagari.tsv")}  # noqa: PLR2004
