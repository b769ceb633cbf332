"""Lexicons of any size: a few shipped rule files, and forms that nobody writes, in the scripts and shapes that real ones have."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.rules import read_rules

KEPT = ("en/ivory.yml", "ru/ivory.yml", "th/ivory.yml", "zh-Hans/ivory.yml", "zxx/amounts.yml")  # so that offers are found
RULE_FORMS = 50
SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvz" for vowel in "aeiou"]
CYRILLIC = "абвгдежзиклмнопрстуфхцчшя"
THAI = "กขคงจชดตทนบปผพมยรลวส"
HAN = [chr(code) for code in range(0x4E00, 0x9000, 7)]
SCRIPTS = {"en": 0.6, "ru": 0.15, "zh-Hans": 0.15, "th": 0.1}  # language: share of the forms
RULE = """- id: {language}-synthetic-{number}
  title: Synthetic forms {number}
  status: experimental
  description: Detects nothing that anybody writes.
  language: {language}
  taxa: [elephant]
  kind: product
  level: with_company
  entries:
{entries}
  falsepositives: [none]
  references: [unreviewed]
  visibility: public
  examples: {{match: [a, b, c], no_match: [d, e, f]}}
  author: Wildgate
  reviewed_by: ""
  date: "2026-11-22"
  modified: "2026-11-22"
"""


def make_lexicons(folder: Path, forms: int, seed: int) -> int:
    """Write a lexicon folder with so many forms; returns how many, which is more if the kept files alone have more."""
    shipped = default_lexicons()
    shutil.copytree(shipped, folder, ignore=shutil.ignore_patterns("rules"))
    for name in KEPT:
        (folder / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shipped / "rules" / name, folder / "rules" / name)
    kept = count_of(folder)
    rng = random.Random(seed)
    for language, share in SCRIPTS.items():
        wanted = islice(forms_in(language, rng), max(0, round(share * (forms - kept))))
        rules = (rule_of(language, number, some) for number, some in enumerate(in_rules(wanted)))
        (folder / "rules" / language / "synthetic.yml").write_text("\n".join(rules), encoding="utf-8")
    return count_of(folder)


def count_of(folder: Path) -> int:
    """Forms in a lexicon folder, further spellings not counted."""
    return sum(len(rule.entries) for rule in read_rules(folder))


def rule_of(language: str, number: int, forms: tuple[str, ...]) -> str:
    """A rule of the forms, as a piece of a rule file."""
    entries = "\n".join(f'    - form: "{form}"\n      gloss: synthetic' for form in forms)
    return RULE.format(language=language, number=number, entries=entries)


def forms_in(language: str, rng: random.Random) -> Iterator[str]:
    """Different forms, for ever."""
    seen: set[str] = set()
    while True:
        form = _form(language, rng)
        if form not in seen:
            seen.add(form)
            yield form


def _form(language: str, rng: random.Random) -> str:
    if language == "en":
        return " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(3, 5))) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    letters, shortest, longest = {"ru": (CYRILLIC, 7, 14), "th": (THAI, 6, 12), "zh-Hans": (HAN, 3, 5)}[language]
    return "".join(rng.choices(letters, k=rng.randint(shortest, longest)))


def in_rules(forms: Iterator[str]) -> Iterator[tuple[str, ...]]:
    """So many forms as a rule gets, time and again."""
    while some := tuple(islice(forms, RULE_FORMS)):
        yield some
