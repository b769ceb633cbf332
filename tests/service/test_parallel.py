"""Which languages an encoder reads, measured with parallel phrases."""

import numpy as np
from numpy.typing import NDArray
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.parallel import languages_read, read_phrases, shares_found

PHRASES = {"en": ["one", "two", "three"], "de": ["eins", "zwei", ""], "xx": ["?", "?", "?"]}
MEANINGS = {"one": 0, "eins": 0, "two": 1, "zwei": 1, "three": 2}


def embed(texts: list[str]) -> NDArray[np.float32]:
    """A unit vector for each meaning; what it cannot read is always the same."""
    return np.array([np.eye(4, dtype=np.float32)[MEANINGS.get(text, 3)] for text in texts])


def test_a_phrase_is_found_by_its_meaning() -> None:
    """All of a language that is read, of one that is not what chance gives."""
    assert shares_found(embed, PHRASES) == {"de": 1.0, "xx": 0.333}


def test_a_phrase_that_nobody_wrote_is_left_out() -> None:
    """There are 60 rows, and in Khmer fewer phrases."""
    phrases = read_phrases()
    assert {len(column) for column in phrases.values()} == {60}
    assert 0 < sum(map(bool, phrases["km"])) < 60


def test_the_pivot_is_read_if_another_language_is() -> None:
    """Nothing is held against itself."""
    assert languages_read({"de": 0.4, "th": 0.39}) == ("de", "en")
    assert languages_read({"de": 0.1}) == ()


def test_the_encoder_that_ships_reads_no_more_than_it_claims(encoder_path) -> None:
    """Tuned to tell offers, it puts fewer translations next to each other, but none of a language that it does not claim."""
    encoder = SentenceEncoder.load(encoder_path)
    read = set(languages_read(shares_found(encoder.embed, read_phrases())))
    assert len(read) > len(encoder.config.languages) / 2
    assert read <= set(encoder.config.languages)
