"""Engines for all tests, loaded once: the real lexicons, the default policy, the really built encoder."""

import shutil

import msgspec
import pytest
from wildgate_service.lexicon import compile_lexicons, default_lexicons, read_rules
from wildgate_service.match.stored import base_path
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.pipeline import load_engine
from wildgate_service.settings import load_settings


@pytest.fixture(scope="session")
def shipped_rules():
    """Every rule of the shipped lexicons."""
    return read_rules(default_lexicons())


@pytest.fixture(scope="session")
def compiled_lexicon(tmp_path_factory):
    """The shipped lexicons, compiled into the user's cache if they are not there; a copy that no other process prunes."""
    made = compile_lexicons(default_lexicons(), load_settings().settings.cache / "lexicons")
    folder = tmp_path_factory.mktemp("lexicon")
    for path in {made, base_path(made)}:
        shutil.copy(path, folder)
    return folder / made.name


@pytest.fixture(scope="session")
def make_cache(compiled_lexicon):
    """Put what `compiled_lexicon` is into a folder, which is then a cache that commands and services need not fill."""

    def make(folder):
        shutil.copytree(compiled_lexicon.parent, folder / "lexicons")
        return folder

    return make


@pytest.fixture(scope="session")
def encoder_path():
    """The encoder, built into the user's cache if it is not there."""
    return build_encoder(load_settings().settings.cache / "encoders")


@pytest.fixture(scope="session")
def engine(compiled_lexicon, encoder_path):
    """The engine as it ships."""
    return load_engine(compiled_lexicon, None, encoder_path)


@pytest.fixture(scope="session")
def engine_without_encoder(engine):
    """The same without an encoder."""
    return msgspec.structs.replace(engine, classifier=None)
