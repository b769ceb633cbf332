"""Write what homophones are chosen from and checked against: common characters by syllable, and ordinary words.

    pip install jieba pypinyin
    python tools/make_chinese_tables.py

Sources: the word frequencies of jieba (MIT) and the readings of pypinyin (MIT).
"""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from itertools import islice
from pathlib import Path

from pypinyin import lazy_pinyin
from wildgate_service.normalize import fold

TABLES = Path(__file__).parent.parent / "service/wildgate_service/lexicon/spellings/tables"
COMMON_CHARACTERS = 2500  # as many as the first level of the list of modern Chinese (1988) that schools teach
FEWEST_WORDS = 10  # a character of fewer words is a name or an error of the corpus
ORDINARY = 50  # occurrences in jieba's corpus of 60 million: below it stand chance compounds and names
LONGEST = 3
HAN = ("\u4e00", "\u9fff")


def main() -> None:
    """Write both tables."""
    words = read_words()
    characters: Counter[str] = Counter()
    found_in: Counter[str] = Counter()
    for word, count in words:
        found_in.update(word)
        for char in word:
            characters[char] += count
    common = (char for char, _ in characters.most_common() if found_in[char] >= FEWEST_WORDS and fold(char) == char)
    syllables: dict[str, list[str]] = {}
    for char in islice(common, COMMON_CHARACTERS):
        syllables.setdefault(lazy_pinyin(char)[0], []).append(char)
    write(
        "zh_syllables.tsv",
        "syllable\tcommon characters, the commonest first",
        [f"{key}\t{' '.join(syllables[key])}" for key in sorted(syllables)],
    )
    write("zh_words.tsv", "ordinary words", sorted(word for word, count in words if 1 < len(word) <= LONGEST and count >= ORDINARY))


def read_words() -> list[tuple[str, int]]:
    """Words of Han characters with their counts."""
    lines = files("jieba").joinpath("dict.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" ") for line in lines]
    return [(row[0], int(row[1])) for row in rows if all(HAN[0] <= char <= HAN[1] for char in row[0])]


def write(name: str, columns: str, lines: list[str]) -> None:
    """Write one table with a note of its sources."""
    note = f"# {columns}. From jieba's dictionary and pypinyin, both MIT; written by tools/make_chinese_tables.py"
    (TABLES / name).write_text("\n".join([note, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
