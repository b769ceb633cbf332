"""An engine without a service: lexicons compiled into the cache, the encoder if it was built."""

from __future__ import annotations

from pathlib import Path

from wildgate_service.lexicon import compile_lexicons, default_lexicons
from wildgate_service.match.stored import load_compiled
from wildgate_service.match.tables import CompiledLexicon
from wildgate_service.model.folder import ModelFolder, find_models
from wildgate_service.pipeline import Engine, load_engine
from wildgate_service.policy import default_policy
from wildgate_service.settings import Settings, load_settings


def local_engine(
    lexicons: Path | None = None,
    policy: Path | None = None,
    packs: tuple[Path, ...] | None = None,
    models: ModelFolder | None = None,
) -> Engine:
    """The engine of `wildgate score` and the benchmarks, by the settings; what is None is as they say.

    Raises LexiconError, PolicyError, ModelError or SettingsError.
    """
    settings = load_settings().settings
    found = models or find_models(settings.models)
    compiled = _compiled(settings, lexicons, packs)
    return load_engine(compiled, policy or settings.policy, settings.encoder_path, found, deep=settings.deep_encoder_path)


def policy_file(policy: Path | None = None) -> Path:
    """The policy file of that engine. Raises SettingsError."""
    return policy or load_settings().settings.policy or default_policy()


def local_lexicon(lexicons: Path | None = None, packs: tuple[Path, ...] | None = None) -> CompiledLexicon:
    """The lexicon of that engine alone. Raises LexiconError or SettingsError."""
    return load_compiled(_compiled(load_settings().settings, lexicons, packs))


def _compiled(settings: Settings, lexicons: Path | None, packs: tuple[Path, ...] | None) -> Path:
    folder = lexicons or settings.lexicons or default_lexicons()
    return compile_lexicons(folder, settings.cache / "lexicons", settings.lexicon_packs if packs is None else packs)
