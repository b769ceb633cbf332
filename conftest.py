"""Engines for all tests, loaded once: the real lexicons, the default policy, the really built encoder."""

import msgspec
import pytest
from wildgate_service.lexicon import compile_lexicons, default_lexicons
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.pipeline import load_engine
from wildgate_service.settings import load_settings


@pytest.fixture(scope="session")
def compiled_lexicon(tmp_path_factory):
    """The shipped lexicons, compiled."""
    return compile_lexicons(default_lexicons(), tmp_path_factory.mktemp("lexicon"))


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
