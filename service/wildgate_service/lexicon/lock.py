"""The lock: id → hash of a rule's content, and the version they were locked at. An unversioned change fails the linter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.rules import Rule, read_version

LOCK = "lock.json"
Place = tuple[str, int]


class Lock(Struct, frozen=True):
    """The file: hashes by rule id, and the version of the content they were taken at."""

    version: str
    rules: dict[str, str]


def content_hash(rule: Rule) -> str:
    """Hash of what a rule says, wherever it stands."""
    entries = tuple(msgspec.structs.replace(entry, line=0) for entry in rule.entries)
    bare = msgspec.structs.replace(rule, entries=entries, file="", line=0)
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()[:16]


def write_lock(root: Path, rules: Iterable[Rule]) -> None:
    """Lock every rule at the version in VERSION."""
    version = read_version(root)
    hashes = {rule.id: content_hash(rule) for rule in sorted(rules, key=lambda rule: rule.id)}
    (root / LOCK).write_text(json.dumps({"version": version, "rules": hashes}, indent=1) + "\n", encoding="utf-8")


def lock_findings(root: Path, rules: Iterable[Rule]) -> Iterator[tuple[Place, str, str]]:
    """(place, message, hint) of every rule that is not as locked, and of locked rules that are gone."""
    try:
        lock = msgspec.json.decode((root / LOCK).read_bytes(), type=Lock)
    except FileNotFoundError:
        yield (LOCK, 1), "there is no lock", "wildgate lexicon lint --update-lock"
        return
    except ValueError as error:
        raise LexiconError(f"not a lock: {error}; make it anew with --update-lock", file=LOCK, line=1) from error
    version = read_version(root)
    missing = dict(lock.rules)
    hint = "choose the next version in VERSION (patch: forms; minor: a new rule; major: removal or new meaning), then --update-lock"
    for rule in rules:
        locked = missing.pop(rule.id, None)
        if locked != content_hash(rule):
            yield (
                (rule.file, rule.line),
                f"{rule.id}: {'changed' if locked else 'new'} since version {lock.version}",
                hint,
            )
    for gone in missing:
        yield (LOCK, 1), f"{gone}: locked but gone", "rules are deprecated, not deleted; a removal is a major version"
    if not missing and version != lock.version:
        yield (LOCK, 1), f"VERSION is {version}, the lock {lock.version}", "wildgate lexicon lint --update-lock"
