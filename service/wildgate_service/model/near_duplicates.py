"""Grouping texts that say nearly the same, so that no fold is tested on what it was trained on."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BANDS, ROWS = 24, 4  # two texts of Jaccard similarity .6 share a band in 96 of 100 cases
SIMILARITY = 0.6  # Jaccard similarity of the word sets from which two texts are one group
PRIME = (1 << 31) - 1  # modulus of the hash family
NOISE = re.compile(r"\{\{\w+\}\}|\d+|_")  # placeholders of masked names, and numbers
WORD = re.compile(r"\w+")

Sketches = NDArray[np.int64]


def near_duplicate_groups(texts: Sequence[str]) -> NDArray[np.int64]:
    """A group number per text; texts alike but for numbers, case and a few words share one.

    MinHash over word sets proposes pairs (Broder 1997), Jaccard similarity decides, and groups are
    what the pairs connect.
    """
    words = [word_set(text) for text in texts]
    parents = list(range(len(texts)))
    for one, other in candidate_pairs(sketches(words)):
        if similarity(words[one], words[other]) >= SIMILARITY:
            parents[root(parents, other)] = root(parents, one)
    return np.array([root(parents, place) for place in range(len(texts))])


def word_set(text: str) -> frozenset[str]:
    """The words of a text, folded, without numbers."""
    return frozenset(WORD.findall(NOISE.sub(" ", text.casefold())))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity; 1 for two empty sets."""
    return len(one & other) / len(one | other) if one or other else 1.0


def root(parents: list[int], place: int) -> int:
    """The representative of a place, shortening the way for the next one who asks."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


def sketches(words: Sequence[frozenset[str]]) -> Sketches:
    """MinHash sketches [texts, BANDS * ROWS]; texts without words share one."""
    random = np.random.default_rng(0)
    factors, shifts = random.integers(1, PRIME, (2, BANDS * ROWS))
    rows = np.full((len(words), BANDS * ROWS), PRIME)
    for row, found in zip(rows, words, strict=True):
        if found:
            hashes = np.array([word_hash(word) for word in found])[:, None]
            row[:] = ((hashes * factors + shifts) % PRIME).min(axis=0)
    return rows


def word_hash(word: str) -> int:
    """A 31-bit hash that is the same in every process."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest()) % PRIME


def candidate_pairs(rows: Sketches) -> Iterator[tuple[int, int]]:
    """Pairs of neighbors in a bucket, for each band."""
    for band in np.split(rows, BANDS, axis=1):
        for bucket in buckets(map(bytes, np.ascontiguousarray(band))):
            yield from pairwise(bucket)


def buckets(keys: Iterable[bytes]) -> list[list[int]]:
    """Places that share a key, by key."""
    found: dict[bytes, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return list(found.values())
