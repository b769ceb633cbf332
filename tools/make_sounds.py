"""Write the tables of the sound reading: letters of other scripts in Latin letters, pinyin by character, common words in Latin letters.

    pip install uroman pypinyin wordfreq
    python tools/make_sounds.py

Sources: uroman 1.3 (Ulf Hermjakob, USC Information Sciences Institute), pypinyin (MIT), wordfreq 3.1 (data CC BY-SA 4.0); kana by their
Unicode names.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import wordfreq
from pypinyin import lazy_pinyin
from uroman import Uroman
from wildgate_service.normalize import fold

TABLES = Path(__file__).parent.parent / "service/wildgate_service/normalize/tables"
SCRIPTS = {  # first and last code point, uroman's name of the language, the vowel that a consonant is named with
    "rus": (0x0430, 0x045F, ""),
    "ara": (0x0620, 0x06D3, ""),
    "hin": (0x0900, 0x097F, "a"),
    "tha": (0x0E01, 0x0E4F, ""),
    "lao": (0x0E81, 0x0EDD, ""),
    "mya": (0x1000, 0x104F, "a"),
    "khm": (0x1780, 0x17D3, "ao"),
}
# Carriers of vowels, and what uroman names by a syllable.
OURS = {"ຍ": "ny", "ຎ": "ny", "ອ": "", "อ": "", "အ": "", "អ": "", "็": "", "ؤ": "w", "ئ": "y"}
LONGEST_SIGN = 2  # letters of a vowel sign; uroman gives the names of others
VOWELS = {"ア": "a", "イ": "i", "ウ": "u", "エ": "e", "オ": "o"}
HEPBURN = {"si": "shi", "ti": "chi", "tu": "tsu", "hu": "fu", "zi": "ji", "di": "ji", "du": "zu", "wo": "o"}
FEWEST_LETTERS, MOST_WORDS, MOST_ENGLISH = 3, 1_000, 4_000
MOST_SHORT = 80  # of the shortest words, which romanized ones are too often like
HAN_BLOCK = (0x4E00, 0x9FFF)
NOT_LATIN = {"ar", "bn", "bg", "el", "fa", "he", "hi", "ja", "ko", "mk", "ru", "ta", "th", "uk", "ur", "zh", "sr"}
SYLLABLE = re.compile(r"(?:[bpmfdtnlgkhjqxryws]|[zcs]h?)?(?:[iu]?[aoe][iou]?(?:ng?|r)?|[iuv]n?|ing)")
NOTE = "Letters of other scripts in Latin letters, one by one, without the vowel that a consonant is named with. After uroman 1.3"


def main() -> None:
    """Write the three tables."""
    _write("letters_in_latin.tsv", NOTE, dict(sorted({**_by_uroman(), **_kana(), **OURS}.items())))
    _write("pinyin.tsv", "Han characters in pinyin without tones, each by itself. pypinyin (MIT)", _pinyin())
    _write_words()


def _by_uroman() -> dict[str, str]:
    uroman = Uroman()
    found = {}
    for language, (first, last, named) in SCRIPTS.items():
        for char in map(chr, range(first, last + 1)):
            if unicodedata.category(char)[0] not in "LM":
                continue
            written = uroman.romanize_string(char, lcode=language)
            latin = "".join(each for each in written.lower() if "a" <= each <= "z") if written.isascii() else ""
            consonant = unicodedata.category(char) == "Lo" and len(latin) > 1 and latin[0] not in "aeiou"
            medial = unicodedata.name(char).startswith("MYANMAR CONSONANT SIGN MEDIAL")
            if unicodedata.category(char)[0] == "M" and len(latin) > LONGEST_SIGN and not medial:
                latin = ""
            found[char] = latin.rstrip(named) if (consonant or medial) and named else latin
    return found


def _kana() -> dict[str, str]:
    """Kana by the last word of their names; what doubles a sound or makes it longer is not written."""
    found = {"ー": "", "ン": "n", "ん": "n", "ッ": "", "っ": ""}
    for point in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB)):
        syllable = unicodedata.name(chr(point)).rsplit(" ", 1)[-1].lower()
        found.setdefault(chr(point), HEPBURN.get(syllable, syllable))
    return found


def _pinyin() -> dict[str, str]:
    """Simplified characters that GB 2312 has, and what the fold leaves of those of Big5."""
    found = {}
    for char in map(chr, range(HAN_BLOCK[0], HAN_BLOCK[1] + 1)):
        if _is_in(char, "gb2312") or _is_in(char, "big5"):
            folded = fold(char)
            found[folded] = lazy_pinyin(folded)[0]
    return {char: latin for char, latin in sorted(found.items()) if latin.isascii() and latin.isalpha()}


def _is_in(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _write_words() -> None:
    """The commonest words of the languages in Latin letters that are no syllables of Chinese."""
    words: set[str] = set()
    for language in sorted(set(wordfreq.available_languages()) - NOT_LATIN):
        ranked = wordfreq.top_n_list(language, MOST_ENGLISH if language == "en" else MOST_WORDS)
        words |= {fold(word) for rank, word in enumerate(ranked) if len(word) > FEWEST_LETTERS or rank < MOST_SHORT}
    kept = sorted(word for word in words if len(word) >= FEWEST_LETTERS and word.isalpha() and not _is_chinese(word))
    note = "# The commonest words of languages in Latin letters. Derived from wordfreq 3.1, data CC BY-SA 4.0; this file: CC BY-SA 4.0\n"
    (TABLES / "common_words.tsv").write_text(note + "".join(f"{word}\n" for word in kept), encoding="utf-8")


def _is_chinese(word: str) -> bool:
    return re.fullmatch(f"(?:{SYLLABLE.pattern})+", word) is not None


def _write(name: str, note: str, rows: dict[str, str]) -> None:
    body = "".join(f"U+{ord(char):04X}\t{latin}\n" for char, latin in rows.items())
    (TABLES / name).write_text(f"# {note}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
