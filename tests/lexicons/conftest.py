"""The shipped lexicons, read once."""

import pytest
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.compiler import lexicon_in_memory


@pytest.fixture(scope="session")
def lexicon():
    """The shipped lexicons, compiled in memory."""
    return lexicon_in_memory(default_lexicons())
