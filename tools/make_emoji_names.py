"""Write the names of wildlife emoji in the languages of the lexicons from Unicode CLDR annotations.

    python tools/make_emoji_names.py emoji_cldr.tsv.gz

The argument is a gzipped TSV with a header: emoji, locale, short name, keywords (Unicode License v3; https://cldr.unicode.org).
Only short names are taken; what they miss or get wrong is corrected by hand in `emoji_names_ours.tsv` beside the table.
"""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path

TABLE = Path(__file__).parent.parent / "service/wildgate_service/lexicon/spellings/tables/emoji_names.tsv"
ZERO_WIDTH_SPACE = "\u200b"  # parts words in Lao annotations
EMOJI = "🐘🦏🦛🐅🐆🦁🐒🦍🦧🐻🐼🦦🐊🐢🦎🐍🐋🐬🦭🦈🐚🪸🦜🦉🦅🦚🐦🦌🦋🐟🦇🐺🦊🦴🦷💀🪶🥚🪵🌵🦒🐙🦔"
SAME = ("en", "th", "vi", "id", "ms", "ja", "ko", "hi", "ar", "ru", "es", "pt", "fr", "de", "it", "tr", "sw", "km", "my", "lo")
LOCALES = {"zh": "zh-Hans", "zh-Hant": "zh-Hant", "fil": "tl", **dict(zip(SAME, SAME, strict=True))}
NOTE = (
    "# language\tname\temoji: short names of Unicode CLDR annotations, (c) Unicode, Inc., Unicode License v3;"
    " written by tools/make_emoji_names.py"
)


def main(source: Path) -> None:
    """Write the table."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = sorted(
        (LOCALES[row["lang"]], row["tts_name"].lower().replace(ZERO_WIDTH_SPACE, ""), row["emoji"])
        for row in read
        if row["lang"] in LOCALES and row["emoji"] in EMOJI
    )
    TABLE.write_text("\n".join([NOTE, *("\t".join(row) for row in found)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
