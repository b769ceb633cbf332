"""Which code compiled things depend on: what other code made is made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
FOLDERS = ("lexicon", "match", "normalize")  # what compiled lexicons are made by and read by
PACKAGES = ("daachorse", "iuliia", "jaconv", "msgspec", "pypinyin", "PyYAML", "rapidfuzz")
# What objects are made by: `lexicon/objects.py` and all that it imports. A test holds this list against the imports.
OF_OBJECTS = (
    "errors.py",
    "lexicon/objects.py",
    "lexicon/patterns.py",
    "lexicon/plain_yaml.py",
    "lexicon/rules.py",
    "lexicon/sounds.py",
    "lexicon/spellings",
    "match/automaton.py",
    "match/boundaries.py",
    "match/candidates.py",
    "match/corrected.py",
    "match/decipher.py",
    "match/effort.py",
    "match/gaps.py",
    "match/lost_marks.py",
    "match/masked.py",
    "match/misspelling.py",
    "match/packed.py",
    "match/partners.py",
    "match/repeated.py",
    "match/run_together.py",
    "match/slips.py",
    "match/tables.py",
    "match/undisguise.py",
    "match/views.py",
    "match/written.py",
    "normalize",
    "types.py",
)


def hash_of_all() -> str:
    """Hash of the code, the tables of characters and the packages on which compiled lexicons depend."""
    return _hash(FOLDERS)


def hash_for_objects() -> str:
    """Hash of what objects depend on, so that other changes of code leave them valid."""
    return _hash(OF_OBJECTS)


def _hash(names: Iterable[str]) -> str:
    digest = hashlib.sha256(" ".join(map(version, PACKAGES)).encode())
    for path in sorted(path for name in names for path in _files(PACKAGE / name)):
        digest.update(f"{path.relative_to(PACKAGE)} {hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    """A file, or the code and tables of a folder."""
    return (each for each in path.rglob("*") if each.suffix in {".py", ".tsv"}) if path.is_dir() else (path,)
