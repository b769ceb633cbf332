"""Lexicons as data: read, linted, tested and compiled. Nothing here runs while a listing is scored."""

from __future__ import annotations

from pathlib import Path

from wildgate_service.lexicon.compiler import compile_lexicons
from wildgate_service.lexicon.linter import Finding, lint, lint_text
from wildgate_service.lexicon.rules import Rule, read_rules
from wildgate_service.match.stored import load_compiled
from wildgate_service.match.tables import CompiledLexicon

__all__ = [
    "CompiledLexicon",
    "Finding",
    "Rule",
    "compile_lexicons",
    "default_lexicons",
    "lint",
    "lint_text",
    "load_compiled",
    "read_rules",
]


def default_lexicons() -> Path:
    """The lexicons that ship with the service: packed in the wheel, or beside `service/` in a checkout."""
    package = Path(__file__).parent.parent
    packed = package / "lexicons"
    return packed if packed.is_dir() else package.parent.parent / "lexicons"
