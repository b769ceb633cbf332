"""`ordinary_words.tsv`: words that are never read as a misspelling of a wildlife word, nor taken for a further spelling of one.

`homographs.tsv`, written alike: wildlife words of one language that mean something else in others.
"""

from __future__ import annotations

from pathlib import Path

from wildgate_service.errors import LexiconError

FILE = "ordinary_words.tsv"
COMMON = "common_words.tsv"
HOMOGRAPHS = "homographs.tsv"
COLUMNS = ("word", "languages")


def read_ordinary_words(root: Path) -> dict[str, str]:
    """The words of a lexicon folder, folded as texts are, and the languages they are ordinary in ("de en").

    Raises LexiconError with file and line at the first that is broken.
    """
    return ordinary_words_of(_text(root / FILE))


def ordinary_words_of(text: str, file: str = FILE) -> dict[str, str]:
    """The same of the text of that file or of `common_words.tsv` or `homographs.tsv`, which are written alike."""
    words: dict[str, str] = {}
    named: dict[str, str] = {}  # each set of languages once, for thousands of words share one
    rows = [(number, line) for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1) if not line.startswith("#")]
    if not rows or tuple(rows[0][1].split("\t")) != COLUMNS:
        raise LexiconError(f"columns must be {', '.join(COLUMNS)}, parted by tabs", file=file, line=rows[0][0] if rows else 1)
    for number, line in rows[1:]:
        word, *rest = line.split("\t")
        if not word or len(rest) != 1:
            raise LexiconError("a line is a word, a tab, and the languages it is ordinary in", file=file, line=number)
        if word in words:
            raise LexiconError(f"{word} stands twice", file=file, line=number)
        languages = " ".join(sorted(each.partition(":")[0] for each in rest[0].split()))
        words[word] = named.setdefault(languages, languages)
    return words


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LexiconError(f"cannot be read: {error.strerror}; tools/make_ordinary_words.py writes it", file=FILE) from error
    except UnicodeDecodeError as error:
        raise LexiconError("not UTF-8", file=FILE, line=error.object.count(b"\n", 0, error.start) + 1) from error
