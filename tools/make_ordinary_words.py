"""Write `lexicons/ordinary_words.tsv`: ordinary words of 27 languages that a spelling or a typo of a wildlife word would be taken for.

    python -m venv /tmp/words && /tmp/words/bin/pip install 'wordfreq>=3.1.1' -e sdk -e .
    /tmp/words/bin/python tools/make_ordinary_words.py

Run it after the lexicons changed; it takes about a minute and 2 GB. wordfreq is a tool of development only; its data are CC BY-SA 4.0,
and so is the file. A word is listed if it is ordinary (`ORDINARY`) and, folded as texts are folded,

(a) equals a spelling that `spellings` generates from a taxon rule or a cue, its blanks left out ("tai yuan" is the city Taiyuan), or stands
    inside a Chinese word; or
(b) is one edit (insertion, deletion, substitution, transposition) from a word of three or more letters in a form of a taxon rule, two from
    one of seven or more that begins or ends alike, or looks like one, and is itself no word of such a form.

It also writes `lexicons/common_words.tsv`: the commonest words of each language; and `lexicons/homographs.tsv`: single words that are a
form of a taxon rule in some languages and in another, which has no form with it, a far commoner word. Languages that wordfreq does not
count stand there by hand, and are kept.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from math import log10
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA
from wildgate_service.lexicon.rules import Rule, read_rules
from wildgate_service.lexicon.spellings import spellings
from wildgate_service.lexicon.spellings.pinyin import is_han
from wildgate_service.match.boundaries import is_dense, is_unspaced
from wildgate_service.match.slips import shape_keys
from wildgate_service.normalize import fold
from wildgate_service.types import TAXON_KINDS, RuleKind
from wordfreq import get_frequency_dict

LEXICONS = Path(__file__).parent.parent / "lexicons"
TARGET = LEXICONS / "ordinary_words.tsv"
COMMON = LEXICONS / "common_words.tsv"
HOMOGRAPHS = LEXICONS / "homographs.tsv"
LANGUAGES = (
    "ar", "bn", "cs", "de", "en", "es", "fa", "fil", "fr", "hi", "id", "it", "ja", "ko", "ms", "nl", "pl", "pt", "ro", "ru", "sv", "ta",
    "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
# Zipf: once in ten million words. Between 2 and 3 stand words that shops use ("pearly", "caped", "howlers"), below 2 names, cut words and
# what misspellings wordfreq knows ("ivry" 1.7, "elefant" 1.5, "parot" 1.1 in English; "tortise", "ivroy", "pangoline" not at all).
ORDINARY = 2.0
PARTING = str.maketrans("-'", "  ")
NAMED_LANGUAGES = 6  # in which a word is commonest; the rest is left out
NEAR_LETTERS = 3
FAR_LETTERS = 7  # of a word that is read two letters wrong
COMMON_WORDS = 3000  # of each language, that a form may be run together with
SHORT_COMMON_WORDS = 60  # of these, how many of the commonest words of two letters
HOMOGRAPH = 2.6  # Zipf of a word that is one of a language, not of its books about animals
COMMONER = 0.4  # by how much more than in the languages whose form it is: nearly three times as common
CALLED = {"tl": "fil"}  # what wordfreq calls a language
SHARED = {"id": "ms", "ms": "id"}  # languages that share their words
NOBODYS = frozenset({"la", "zxx"})
SPELLED_KINDS = TAXON_KINDS | {RuleKind.EVASION_CUE, RuleKind.TRADE_CUE}
NOTE = (
    "# Ordinary words that no spelling or typo of a wildlife word may be taken for; written by tools/make_ordinary_words.py.\n"
    "# Derived from wordfreq 3.1 (Robyn Speer, https://doi.org/10.5281/zenodo.7199437), data CC BY-SA 4.0; this file: CC BY-SA 4.0.\n"
)
COMMON_NOTE = NOTE.replace(
    "Ordinary words that no spelling or typo of a wildlife word may be taken for", "Common words that a form is run together with"
)

HOMOGRAPHS_NOTE = NOTE.replace(
    "Ordinary words that no spelling or typo of a wildlife word may be taken for",
    "Wildlife words that mean something else in these languages",
)

Ordinary = dict[str, dict[str, float]]


def main() -> None:
    """Write the file."""
    rules = [rule for rule in read_rules(LEXICONS) if rule.status != "deprecated" and rule.kind in SPELLED_KINDS]
    ordinary = ordinary_words()
    found = equal_to_spellings(rules, ordinary) | near_forms(rules, ordinary) | far_forms(rules, ordinary)
    lines = [f"{word}\t{named(ordinary[word.replace(' ', '')])}" for word in sorted(found)]
    TARGET.write_text(NOTE + "word\tlanguages\n" + "\n".join(lines) + "\n", encoding="utf-8")
    common = commonest_of_each()
    COMMON.write_text(
        COMMON_NOTE + "word\tlanguages\n" + "\n".join(f"{word}\t{languages}" for word, languages in common) + "\n", encoding="utf-8"
    )
    homographs = homographs_of(rules, ordinary)
    HOMOGRAPHS.write_text(
        HOMOGRAPHS_NOTE + "word\tlanguages\n" + "\n".join(f"{word}\t{languages}" for word, languages in homographs) + "\n", encoding="utf-8"
    )
    print(f"{len(homographs)} homographs")
    print(f"{len(common)} common words, {COMMON.stat().st_size / 1e6:.2f} MB")
    print(f"{len(lines)} words, {TARGET.stat().st_size / 1e6:.2f} MB")


def named(languages: dict[str, float]) -> str:
    """The same languages without frequencies, which nobody reads of so many words."""
    return " ".join(each.partition(":")[0] for each in commonest(languages).split())


def commonest(languages: dict[str, float]) -> str:
    """The languages in which a word is commonest, with Zipf frequencies."""
    ranked = sorted(languages.items(), key=lambda item: (-item[1], item[0]))
    return " ".join(f"{language}:{zipf:.1f}" for language, zipf in ranked[:NAMED_LANGUAGES])


def ordinary_words() -> Ordinary:
    """Folded word → language → Zipf frequency (log10 of occurrences in a billion words)."""
    words: Ordinary = defaultdict(dict)
    for language in LANGUAGES:
        for word, zipf in common_words(language):
            folded = fold(word).strip()
            for part in (folded, *neighbors_inside(folded)):
                if len(part) > 1 and " " not in part:
                    words[part][language] = max(zipf, words[part].get(language, 0))
    return words


def neighbors_inside(word: str) -> list[str]:
    """Of a longer word in Han characters each two neighbors: without blanks a form of two is found inside it."""
    return [word[at : at + 2] for at in range(len(word) - 1)] if len(word) > 2 and is_han(word) else []  # noqa: PLR2004


def common_words(language: str) -> Iterator[tuple[str, float]]:
    """Words of a language at or above the threshold."""
    least = 10 ** (ORDINARY - 9)
    for word, frequency in get_frequency_dict(language, wordlist="best").items():
        if frequency >= least:
            yield word, zipf_of(frequency)


def zipf_of(frequency: float) -> float:
    """Zipf scale of van Heuven et al. 2014."""
    return log10(frequency) + 9


def equal_to_spellings(rules: list[Rule], ordinary: Ordinary) -> set[str]:
    """(a)."""
    generated = (
        fold(spelling.text).strip()
        for rule in rules
        for entry in rule.entries
        for spelling in spellings(entry.form, rule.language, entry.reading)
    )
    return {spelling for spelling in generated if spelling.replace(" ", "") in ordinary}


def words_of_taxa(rules: list[Rule]) -> set[str]:
    """The words of the forms of taxon rules."""
    return {
        word for rule in rules if rule.kind in TAXON_KINDS for entry in rule.entries for word in fold(entry.form).translate(PARTING).split()
    }


def near_forms(rules: list[Rule], ordinary: Ordinary) -> set[str]:
    """(b), one edit."""
    own = words_of_taxa(rules)
    targets = sorted(word for word in own if len(word) >= NEAR_LETTERS and not is_han(word))
    index: dict[str, list[str]] = defaultdict(list)
    for target in targets:
        for key in one_shorter(target):
            index[key].append(target)
    return {
        word
        for word in ordinary.keys() - own
        if len(word) >= NEAR_LETTERS - (len(word) > NEAR_LETTERS)
        and any(
            OSA.distance(word, target, score_cutoff=1) <= 1 for target in {near for key in one_shorter(word) for near in index.get(key, ())}
        )
    }


def far_forms(rules: list[Rule], ordinary: Ordinary) -> set[str]:
    """(b), two edits or a like shape."""
    own = words_of_taxa(rules)
    ends: dict[tuple[int, str], list[str]] = defaultdict(list)
    shapes: set[str] = set()
    for word in sorted(own):
        if not is_han(word):
            shapes.update(shape_keys(word))
        if len(word) >= FAR_LETTERS and not is_han(word):
            ends[len(word), "^" + word[0]].append(word)
            ends[len(word), word[-1] + "$"].append(word)
    return {word for word in ordinary.keys() - own if not is_han(word) and (is_far(word, ends) or not shapes.isdisjoint(shape_keys(word)))}


def is_far(word: str, ends: dict[tuple[int, str], list[str]]) -> bool:
    """Whether a word that begins or ends alike is two edits away."""
    if len(word) < FAR_LETTERS - 1:
        return False
    keys = [(length, end) for length in range(len(word) - 2, len(word) + 3) for end in ("^" + word[0], word[-1] + "$")]
    return any(process.extractOne(word, ends[key], scorer=OSA.distance, score_cutoff=2) is not None for key in keys if key in ends)


def homographs_of(rules: list[Rule], ordinary: Ordinary) -> list[tuple[str, str]]:
    """Single words in Latin letters that are a form of a taxon rule, with the languages in which they are another, far commoner word."""
    forms: set[str] = set()
    owners: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        if rule.kind in TAXON_KINDS:
            language = CALLED.get(base := rule.language.partition("-")[0], base)
            for form in (fold(entry.form).strip() for entry in rule.entries):
                forms.add(form)
                for word in form.translate(PARTING).split():
                    owners[word].update({language, SHARED.get(language, language)})
    by_hand = {word: languages for word, languages in homographs_by_hand().items() if word in forms}
    found = {word: homograph_in(word, owners[word], ordinary) for word in forms if word.isascii() and word.isalpha()}
    words = sorted({word for word, languages in found.items() if languages} | by_hand.keys())
    return [(word, " ".join(filter(None, (commonest(found.get(word, {})), by_hand.get(word, ""))))) for word in words]


def homograph_in(word: str, owners: set[str], ordinary: Ordinary) -> dict[str, float]:
    """The languages in which a word of the forms of others is a far commoner word; none of one that is a Latin name."""
    counted = ordinary.get(word, {})
    own = max((counted.get(language, 0.0) for language in owners), default=0.0)
    least = max(HOMOGRAPH, own + COMMONER)
    return {} if owners & NOBODYS else {name: zipf for name, zipf in counted.items() if name not in owners and zipf >= least}


def homographs_by_hand() -> dict[str, str]:
    """What the file says of languages that are not counted: word → languages."""
    lines = HOMOGRAPHS.read_text(encoding="utf-8").splitlines() if HOMOGRAPHS.exists() else []
    rows = [line.split("\t") for line in lines if not line.startswith(("#", "word\t"))]
    kept = {word: " ".join(name for name in languages.split() if ":" not in name) for word, languages in rows}
    return {word: languages for word, languages in kept.items() if languages}


def commonest_of_each() -> list[tuple[str, str]]:
    """The commonest words of each language that writes blanks, with the languages."""
    languages: dict[str, list[str]] = defaultdict(list)
    for language in LANGUAGES:
        short = 0
        words = [fold(word).strip() for word, _ in sorted(common_words(language), key=lambda item: -item[1])]
        words = [word for word in dict.fromkeys(words) if is_word(word)]
        for word in words[:COMMON_WORDS]:
            short += len(word) <= 2  # noqa: PLR2004  (letters of a short word)
            if len(word) > 2 or (short <= SHORT_COMMON_WORDS and not is_dense(word[0])):  # noqa: PLR2004
                languages[word].append(language)
    return sorted((word, " ".join(names)) for word, names in languages.items())


def is_word(word: str) -> bool:
    """Whether it is letters of a script that writes blanks, more than one of them."""
    return len(word) > 1 and all(unicodedata.category(char)[0] in "LM" for char in word) and not is_unspaced(word[0])


def one_shorter(word: str) -> set[str]:
    """The word and all that one deletion makes of it: two words one edit apart share one of these."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}


if __name__ == "__main__":
    main()
