"""Write how PyThaiNLP, which most who romanize Thai by machine do it with, writes the words of `thai_words.tsv` otherwise than people do.

    pip install pythainlp
    python tools/make_thai_by_library.py

Words of which it leaves Thai letters are not written. Source: PyThaiNLP (Apache-2.0), `transliterate.romanize` with its default engine.
"""

from __future__ import annotations

from pathlib import Path

from pythainlp.transliterate import romanize

TABLES = Path(__file__).parent.parent / "service/wildgate_service/lexicon/spellings/tables"
NOTE = "# Thai word\tas PyThaiNLP (Apache-2.0) romanizes it; written by tools/make_thai_by_library.py"


def main() -> None:
    """Write the table."""
    rows = [line.split("\t") for line in (TABLES / "thai_words.tsv").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    written = ((word, romanize(word), people.split(" ")) for word, people in rows)
    lines = [f"{word}\t{letters}" for word, letters, people in written if letters.isascii() and letters not in people]
    (TABLES / "thai_by_library.tsv").write_text("\n".join([NOTE, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
