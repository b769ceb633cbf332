"""Lexicons compiled through the cache, so that a command costs what changed since the last one."""

from __future__ import annotations

from pathlib import Path

from wildgate_service.lexicon import CompiledLexicon, compile_lexicons, load_compiled
from wildgate_service.settings import load_settings


def compiled_path(path: Path, packs: tuple[Path, ...] = ()) -> Path:
    """The compiled file of a lexicon folder; a compiled file is its own. Raises LexiconError."""
    return compile_lexicons(path, load_settings().settings.cache / "lexicons", packs) if path.is_dir() else path


def compiled_lexicon(path: Path, packs: tuple[Path, ...] = ()) -> CompiledLexicon:
    """The same, loaded."""
    return load_compiled(compiled_path(path, packs))
