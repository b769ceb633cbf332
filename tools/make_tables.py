"""Write the character tables of the normalize stage from their published sources.

    pip install opencc-python-reimplemented confusable-homoglyphs emoji
    python tools/make_tables.py

Sources: OpenCC's TSCharacters (Apache-2.0), Unicode confusables.txt as packed by confusable-homoglyphs
(Unicode License v3), emoji names of Unicode CLDR as packed by `emoji` (BSD; data Unicode License v3).
The words of trade emoji in `EMOJI_WORDS` are ours and take precedence.
"""

from __future__ import annotations

import importlib.util
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import emoji

TABLES = Path(__file__).parent.parent / "service/wildgate_service/normalize/tables"
JOINED = {ord(char): None for char in "_-’'.,!():&“”"}
VARIANT = re.compile(
    r"LATIN (?:SMALL LETTER|LETTER SMALL CAPITAL)"
    r"(?: (?:DOTLESS|OPEN|SCRIPT|BLACKLETTER|INSULAR|STIRRUP|VOLAPUK|CLOSED|LONG|BARRED|BOTTOM HALF|CROSSED-TAIL))*"
    r" (?P<letter>[A-Z])(?: WITH [A-Z -]+)?"
)
LATIN = "abcdefghijklmnopqrstuvwxyz"
# Scripts whose letters are written with others' that look like them. Of Cyrillic the letters of Russian; ASCII has its own rows.
LETTER_OF_ANOTHER_SCRIPT = re.compile(
    r"THAI CHARACTER |LAO LETTER |KATAKANA (?!MIDDLE)|HIRAGANA LETTER HE|"
    r"CYRILLIC (?:SMALL|CAPITAL) LETTER "
    r"(?:A|BE|VE|GHE|DE|IE|ZHE|ZE|I|KA|EL|EM|EN|O|PE|ER|ES|TE|U|EF|HA|TSE|CHE|SHA|SHCHA|YERU|SOFT SIGN|E|YU|YA)$"
)
CYRILLIC_VARIANT = re.compile(r"(?P<letter>CYRILLIC SMALL LETTER (?:[A-Z]|[A-Z]{2,5})) WITH [A-Z -]+")
EMOJI_WORDS = dict(
    pair.split("=")
    for pair in [
        "🐘=elephant",
        "🦣=mammoth",
        "🦏=rhino",
        "🦛=hippo",
        "🐅=tiger",
        "🐯=tiger",
        "🐆=leopard",
        "🦁=lion",
        "🐒=monkey",
        "🐵=monkey",
        "🦍=gorilla",
        "🦧=orangutan",
        "🐻=bear",
        "🐻\u200d❄️=bear",
        "🐼=panda",
        "🐨=koala",
        "🦥=sloth",
        "🦦=otter",
        "🦔=hedgehog",
        "🦇=bat",
        "🐊=crocodile",
        "🐢=turtle",
        "🦎=lizard",
        "🐍=snake",
        "🐲=dragon",
        "🐉=dragon",
        "🐳=whale",
        "🐋=whale",
        "🐬=dolphin",
        "🦭=seal",
        "🦈=shark",
        "🐙=octopus",
        "🐚=shell",
        "🪸=coral",
        "🦜=parrot",
        "🦉=owl",
        "🦅=eagle",
        "🦆=duck",
        "🦢=swan",
        "🦩=flamingo",
        "🦚=peacock",
        "🐦=bird",
        "🐧=penguin",
        "🐺=wolf",
        "🦊=fox",
        "🦌=deer",
        "🦒=giraffe",
        "🦬=bison",
        "🐂=ox",
        "🐃=buffalo",
        "🐄=cow",
        "🐮=cow",
        "🐗=boar",
        "🐐=goat",
        "🐑=sheep",
        "🐪=camel",
        "🐫=camel",
        "🦘=kangaroo",
        "🦡=badger",
        "🐇=rabbit",
        "🐰=rabbit",
        "🦂=scorpion",
        "🕷=spider",
        "🦋=butterfly",
        "🐛=caterpillar",
        "🐌=snail",
        "🐠=fish",
        "🐟=fish",
        "🐡=blowfish",
        "🦞=lobster",
        "🦀=crab",
        "🦐=shrimp",
        "🦑=squid",
        "🐸=frog",
        "🐎=horse",
        "🐴=horse",
        "🦴=bone",
        "🦷=tooth",
        "💀=skull",
        "☠=skull",
        "🩸=blood",
        "🪶=feather",
        "💊=pill",
        "💉=syringe",
        "🥩=meat",
        "🍖=meat",
        "🥚=egg",
        "🐾=paw",
        "💍=ring",
        "📿=beads",
        "👑=crown",
        "🏺=vase",
        "🎹=piano",
        "🪮=comb",
        "🥢=chopsticks",
        "🍲=soup",
        "🥣=soup",
        "🍷=wine",
        "🍶=wine",
        "🧪=vial",
        "⚱=urn",
        "🌵=cactus",
        "🪴=plant",
        "🌸=blossom",
        "🌺=hibiscus",
        "🪷=lotus",
        "🌲=tree",
        "🌳=tree",
        "🪵=wood",
        "🔪=knife",
        "🏹=bow",
        "🔫=gun",
        "🎣=fishing",
        "💰=money",
        "💵=dollar",
        "💲=dollar",
        "💸=money",
        "🤑=money",
        "📦=package",
        "✈=airplane",
        "🚚=delivery",
        "🚢=ship",
        "📩=message",
        "✉=message",
        "💬=message",
        "📨=message",
        "📞=phone",
        "☎=phone",
        "📱=phone",
        "🤫=secret",
        "🙈=secret",
        "🔒=locked",
        "🛒=cart",
        "🏷=price",
        "🔥=fire",
        "⚪=white",
        "⬜=white",
        "🤍=white",
        "🟡=yellow",
        "🟨=yellow",
        "🧊=ice",
        "🦀=crab",
    ]
)


def write(name: str, header: str, rows: list[tuple[str, ...]]) -> None:
    """One TSV of code points and what they become; `#` lines say where it comes from."""
    lines = [f"# {header}", *("\t".join(row) for row in rows)]
    (TABLES / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def point(char: str) -> str:
    """A code point as U+XXXX, so that no invisible character stands in a data file."""
    return f"U+{ord(char):04X}"


def han_simplified() -> list[tuple[str, ...]]:
    """Traditional → Simplified, one character to one."""
    folder = Path(str(importlib.util.find_spec("opencc").submodule_search_locations[0]))  # type: ignore[union-attr, index]
    rows = []
    for line in (folder / "dictionary/TSCharacters.txt").read_text(encoding="utf-8").splitlines():
        traditional, _, choices = line.partition("\t")
        simplified = choices.split()[0]
        if len(traditional) == len(simplified) == 1 and traditional != simplified:
            rows.append((point(traditional), simplified))
    return rows


def confusables() -> list[tuple[str, ...]]:
    """Letters and signs as folded, and the letters of the lexicons' scripts that they look like.

    Small capitals count as what they are small capitals of. Letters that the fold makes the same are left out.
    """
    folder = Path(str(importlib.util.find_spec("confusable_homoglyphs").submodule_search_locations[0]))  # type: ignore[union-attr, index]
    table = json.loads((folder / "confusables.json").read_text(encoding="utf-8"))
    rows: dict[str, set[str]] = {}
    for char, looks in table.items():
        if len(char) != 1 or char.isascii() or unicodedata.category(char)[0] not in "LS":
            continue
        if unicodedata.normalize("NFKC", char).isascii():
            continue  # the fold has it already
        letters = {letter for look in looks for letter in letters_meant(char, look["c"])}
        if letters:
            rows.setdefault(char.casefold() if len(char.casefold()) == 1 else char, set()).update(letters)
    return [(point(char), "".join(sorted(letters))) for char, letters in sorted(rows.items())]


def letters_meant(char: str, look: str) -> Iterator[str]:
    """The letters of the lexicons' scripts that somebody who writes `char` because it looks like `look` can mean."""
    yield from latin_of(look)
    if len(look) != 1 or not LETTER_OF_ANOTHER_SCRIPT.match(unicodedata.name(look, "")):
        return
    meant = unicodedata.normalize("NFKC", look).casefold()
    if len(meant) == 1 and meant != unicodedata.normalize("NFKC", char).casefold():
        yield meant


def latin_variants() -> list[tuple[str, ...]]:
    """Latin letters of phonetics and old scripts: small capitals, hooked, stroked, open and script ones; not those that are turned."""
    rows = []
    for start, end in ((0x180, 0x2AF), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xAB30, 0xAB6F)):
        for char in map(chr, range(start, end + 1)):
            named = VARIANT.fullmatch(unicodedata.name(char, ""))
            if named and not unicodedata.decomposition(char) and char == char.lower():
                rows.append((point(char), named["letter"].lower()))
    return rows


def cyrillic_variants() -> list[tuple[str, ...]]:
    """Cyrillic letters with hooks, strokes, ticks and tails, and the plain ones, by their names in Unicode."""
    rows = []
    for char in map(chr, range(0x460, 0x530)):
        named = CYRILLIC_VARIANT.fullmatch(unicodedata.name(char, ""))
        if named and not unicodedata.decomposition(char):
            rows.append((point(char), unicodedata.lookup(named["letter"])))
    return rows


def latin_of(look: str) -> str:
    """The lower-case Latin letter that a character is, or is a small capital of; else nothing."""
    if look.lower() in LATIN:
        return look.lower()
    name = unicodedata.name(look, "") if len(look) == 1 else ""
    letter = name.removeprefix("LATIN LETTER SMALL CAPITAL ").lower()
    return letter if name.startswith("LATIN LETTER SMALL CAPITAL ") and letter in LATIN else ""


def emoji_words() -> list[tuple[str, ...]]:
    """Single-code-point emoji → one English word: ours, else its CLDR name run together, which is no word of any lexicon."""
    rows = []
    for char in sorted(emoji.EMOJI_DATA):
        base = char.replace("\ufe0f", "")
        if len(base) == 1 and not base.isascii() and not "\U0001f1e6" <= base <= "\U0001f1ff":
            rows.append(
                (
                    point(base),
                    EMOJI_WORDS.get(base) or emoji.EMOJI_DATA[char]["en"].strip(":").lower().translate(JOINED),
                )
            )
    return sorted(set(rows))


if __name__ == "__main__":
    write("han_simplified.tsv", "Traditional to Simplified: OpenCC TSCharacters, Apache-2.0", han_simplified())
    write("confusables.tsv", "Look-alikes, and the letters they look like: Unicode confusables.txt, Unicode License v3", confusables())
    write(
        "cyrillic_variants.tsv",
        "Cyrillic letters with hooks, strokes and tails to plain ones, by their names in Unicode",
        cyrillic_variants(),
    )
    write("latin_variants.tsv", "Latin letters of phonetics and old scripts to plain ones, by their names in Unicode", latin_variants())
    write(
        "emoji_words.tsv",
        "Emoji to one English word: Wildgate, else the CLDR name run together, Unicode License v3",
        emoji_words(),
    )
