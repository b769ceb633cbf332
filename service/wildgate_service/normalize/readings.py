"""Which letters a character can be read as: digits, signs and look-alikes of other scripts have several readings, not one guess.

Letters that share a reading are one *class*. The bare reading (`bare`) is written in classes, so that one search finds every reading at
once; `reads_as` then says which of what was found can be meant.
"""

from __future__ import annotations

from functools import cache, lru_cache

from wildgate_service.normalize import tables

SIGNS = frozenset("@$!|")  # ASCII signs that are letters more often than not where letters are beside them
RARE_SIGNS = frozenset("+(<#^&")  # those that mostly are not


def letters_of(char: str) -> str:
    """The letters that a character can be read as, itself not among them; empty for most."""
    return _table().get(char, "")


def characters_read() -> frozenset[str]:
    """Every character that can be read as a letter other than itself."""
    return frozenset(_table())


@lru_cache(maxsize=65_536)
def reads_as(char: str, letter: str) -> bool:
    """Whether a character of a skeleton can stand for a letter of a form: it is it, looks like it, or both look like the same one."""
    if char == letter:
        return True
    looks, readings = letters_of(char), letters_of(letter)
    if letter in looks or (char in readings and char.isalpha() and not (char.isascii() and _is_syllable(letter))):
        return True
    if _is_syllable(letter):
        return False  # two of them may both look like o
    return char.isalpha() and letter.isalpha() and not set(looks).isdisjoint(readings)


def class_of(char: str) -> str:
    """The letter that stands for a character's class: the first ASCII one, or the character itself if it is in no table."""
    return _classes().get(char, char)


@cache
def _table() -> dict[str, str]:
    """Ours come before those of Unicode, which gives a letter like ν several readings where one is meant."""
    ours = dict(tables.read("look_alikes.tsv"))
    variants = {char: letter + ours.get(letter, "") for char, letter in tables.read("cyrillic_variants.tsv")}
    return {**dict(tables.read("confusables.tsv")), **variants, **ours, **dict(tables.read("leet.tsv"))}


def _is_syllable(char: str) -> bool:
    """Whether a character is Han or kana, thousands of which look like few Latin letters."""
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff"


@cache
def _classes() -> dict[str, str]:
    """Character → the least of all that share a reading with it, directly or through others."""
    parent: dict[str, str] = {}

    def find(char: str) -> str:
        root = char
        while parent.setdefault(root, root) != root:
            root = parent[root]
        parent[char] = root
        return root

    for char, letters in _table().items():
        for letter in letters:
            one, other = sorted((find(char), find(letter)), key=lambda each: (not each.isalpha(), each))
            parent[other] = one
    return {char: find(char) for char in parent}
