"""Write `lexicons/ordinary_words.tsv`: ordinary words of 22 languages that a spelling or a typo of a wildlife word would be taken for.

    python -m venv /tmp/words && /tmp/words/bin/pip install 'wordfreq>=3.1.1' -e sdk -e .
    /tmp/words/bin/python tools/make_ordinary_words.py

Run it after the lexicons changed; it takes about a minute and 2 GB. wordfreq is a tool of development only; its data are CC BY-SA 4.0,
and so is the file. A word is listed if it is ordinary (`ORDINARY`) and, folded as texts are folded,

(a) equals a spelling that `spellings` generates from a taxon rule or a cue, its blanks left out ("tai yuan" is the city Taiyuan), or stands
    inside a Chinese word; or
(b) is one edit (insertion, deletion, substitution, transposition) from a word of four or more letters in a form of a taxon rule, and is
    itself no word of such a form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import log10
from pathlib import Path

from rapidfuzz.distance import OSA
from wildgate_service.lexicon.rules import Rule, read_rules
from wildgate_service.lexicon.spellings import spellings
from wildgate_service.lexicon.spellings.pinyin import is_han
from wildgate_service.normalize import fold
from wildgate_service.types import TAXON_KINDS, RuleKind
from wordfreq import get_frequency_dict

LEXICONS = Path(__file__).parent.parent / "lexicons"
TARGET = LEXICONS / "ordinary_words.tsv"
LANGUAGES = (
    "ar", "de", "en", "es", "fil", "fr", "hi", "id", "it", "ja", "ko", "ms", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "vi", "zh",
)  # fmt: skip
# Zipf: once in ten million words. Between 2 and 3 stand words that shops use ("pearly", "caped", "howlers"), below 2 names, cut words and
# what misspellings wordfreq knows ("ivry" 1.7, "elefant" 1.5, "parot" 1.1 in English; "tortise", "ivroy", "pangoline" not at all).
ORDINARY = 2.0
PARTING = str.maketrans("-'", "  ")
NAMED_LANGUAGES = 3  # in which a word is commonest; the rest is left out
NEAR_LETTERS = 4
SPELLED_KINDS = TAXON_KINDS | {RuleKind.EVASION_CUE, RuleKind.TRADE_CUE}
NOTE = (
    "# Ordinary words that no spelling or typo of a wildlife word may be taken for; written by tools/make_ordinary_words.py.\n"
    "# Derived from wordfreq 3.1 (Robyn Speer, https://doi.org/10.5281/zenodo.7199437), data CC BY-SA 4.0; this file: CC BY-SA 4.0.\n"
)

Ordinary = dict[str, dict[str, float]]


def main() -> None:
    """Write the file."""
    rules = [rule for rule in read_rules(LEXICONS) if rule.status != "deprecated" and rule.kind in SPELLED_KINDS]
    ordinary = ordinary_words()
    found = equal_to_spellings(rules, ordinary) | near_forms(rules, ordinary)
    lines = [f"{word}\t{commonest(ordinary[word.replace(' ', '')])}" for word in sorted(found)]
    TARGET.write_text(NOTE + "word\tlanguages\n" + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} words, {TARGET.stat().st_size / 1e6:.2f} MB")


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


def near_forms(rules: list[Rule], ordinary: Ordinary) -> set[str]:
    """(b)."""
    own = {
        word for rule in rules if rule.kind in TAXON_KINDS for entry in rule.entries for word in fold(entry.form).translate(PARTING).split()
    }
    targets = sorted(word for word in own if len(word) >= NEAR_LETTERS and not is_han(word))
    index: dict[str, list[str]] = defaultdict(list)
    for target in targets:
        for key in one_shorter(target):
            index[key].append(target)
    return {
        word
        for word in ordinary.keys() - own
        if len(word) >= NEAR_LETTERS - 1
        and any(
            OSA.distance(word, target, score_cutoff=1) <= 1 for target in {near for key in one_shorter(word) for near in index.get(key, ())}
        )
    }


def one_shorter(word: str) -> set[str]:
    """The word and all that one deletion makes of it: two words one edit apart share one of these."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}


if __name__ == "__main__":
    main()
