"""Which language a text is in: by its script where that says enough, else by CLD2's n-grams."""

from __future__ import annotations

import re

import pycld2

UNKNOWN = "und"
# A script that one traded language writes, in the order in which they are looked for: kana before Han, since Japanese mixes them.
SCRIPTS = (
    (re.compile("[\u3041-\u30fa\uff66-\uff9f]"), "ja"),
    (re.compile("[\uac00-\ud7a3\u1100-\u11ff]"), "ko"),
    (re.compile("[\u4e00-\u9fff]"), "zh"),
    (re.compile("[\u0e00-\u0e7f]"), "th"),
    (re.compile("[\u1780-\u17ff]"), "km"),
    (re.compile("[\u0e80-\u0eff]"), "lo"),
    (re.compile("[\u1000-\u109f]"), "my"),
)
SPACED_SCRIPTS = (
    (re.compile("[\u0900-\u097f]"), "hi"),
    (re.compile("[\u0600-\u06ff]"), "ar"),
    (re.compile("[\u0400-\u052f]"), "ru"),
)
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff\ud800-\udfff]")
CLD2_NAMES = {"iw": "he", "jw": "jv", "no": "nb", "zh-Hant": "zh", "mfe": UNKNOWN, "un": UNKNOWN, "xxx": UNKNOWN}
ANY_SCRIPT = re.compile("|".join(pattern.pattern for pattern, _ in SCRIPTS))
BLANKED = bytes(byte if chr(byte).isprintable() else ord(" ") for byte in range(256))  # what `UNPRINTABLE` does to ASCII
NOT_LATIN = bytes(byte for byte in range(128) if not chr(byte).isalpha())
SHARE = 4  # Latin letters that weigh as much as one character of the other scripts
TRADED = frozenset(
    [
        "en",
        "zh",
        "th",
        "vi",
        "id",
        "ms",
        "ja",
        "ko",
        "hi",
        "ar",
        "ru",
        "es",
        "pt",
        "fr",
        "de",
        "it",
        "nl",
        "pl",
        "tr",
        "sw",
        "tl",
        "km",
        "my",
        "lo",
        "bn",
        "cs",
        "fa",
        "ne",
        "ro",
        "ta",
        "uk",
        "ur",
    ]
)
PIECES, PIECE = 8, 80  # of a longer text that many pieces of as many code points are read, spread over it: CLD2 takes 4 µs per hundred
NEARLY_ALL = 75  # percent of a text's letters in one language
SHORT = 60  # code points below which an unreliable guess at a rare language is no guess


def identify_language(document: str, hint: str, rules: frozenset[str] = frozenset()) -> str:
    """BCP 47 language of a text, or `und`. A hint is believed, since a platform knows its seller's form.

    `rules` are the languages of the lexicon rules that fired: where n-grams are in doubt (a short text) and the rules agree, they decide.
    """
    if hint:
        return hint
    text = _sample(document)
    if not text.isascii():
        language = _by_script(text)
        if language:
            return language
    language, reliable = _by_ngrams(text)
    if reliable and language in TRADED:
        return language
    if len(rules) == 1:
        return next(iter(rules))
    return language if reliable or language in TRADED or len(text) > SHORT else UNKNOWN


def sure_languages(document: str) -> tuple[str, ...]:
    """The languages of a text by its letters, that of nearly all of it first; () where that is in doubt, or another script writes it."""
    text = _sample(document)
    if not text.isascii() and _by_script(text):
        return ()
    try:
        reliable, _, guesses = pycld2.detect(_printable(text), bestEffort=True)
    except pycld2.error:
        return ()
    if not reliable or guesses[0][2] < NEARLY_ALL:
        return ()
    return tuple(CLD2_NAMES.get(code, code) for _, code, percent, _ in guesses if percent)


def _sample(document: str) -> str:
    """All of a text, or pieces from its beginning to its end: a title in one language often stands over a description in another."""
    length = len(document)
    if length <= PIECES * PIECE:
        return document
    starts = (index * (length - PIECE) // (PIECES - 1) for index in range(PIECES))
    return " ".join([document[start : start + PIECE] for start in starts])


def _by_script(text: str) -> str:
    """The language whose script writes a fair share of the text, or "": one 象 in an English sentence does not make it Chinese."""
    anywhere = ANY_SCRIPT.search(text)
    if not anywhere:
        return ""
    latin = len(text.encode("ascii", "ignore").translate(None, NOT_LATIN))
    for pattern, name in SCRIPTS:
        first = pattern.search(text, anywhere.start())
        if first and (latin <= SHARE or SHARE * len(pattern.findall(text, first.start())) >= latin):
            return name
    return ""


def _by_ngrams(text: str) -> tuple[str, bool]:
    language, reliable = _cld2(text)
    if language == UNKNOWN and not text.isascii():
        return next((name for pattern, name in SPACED_SCRIPTS if pattern.search(text)), UNKNOWN), False
    return language, reliable


def _cld2(text: str) -> tuple[str, bool]:
    """CLD2's first guess and whether it stands by it. It refuses control characters and non-characters, so they are blanked first."""
    try:
        reliable, _, guesses = pycld2.detect(_printable(text), bestEffort=True)
    except pycld2.error:
        return UNKNOWN, False
    code: str = guesses[0][1]
    return CLD2_NAMES.get(code, code), bool(reliable)


def _printable(text: str) -> str | bytes:
    if text.isascii():
        return text.encode("ascii").translate(BLANKED)
    return text if text.isprintable() else UNPRINTABLE.sub(" ", text)
