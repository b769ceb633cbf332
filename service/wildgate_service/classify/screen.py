"""Screen: what the letters of a text alone say of it, for every text, in microseconds.

A linear bag of character n-grams of the skeleton, hashed, so that no n-gram is kept as text: each position of a text has a weight, a window
of them adds up to log-odds, and the highest window is the answer, so that ordinary words around an offer do not drown it. It reads every
script; what it says is one fact among others, never a decision. A second table, asked only where wildlife is named or suspected, tells what
reads like a sale from what reads like talk.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache, lru_cache
from math import log, sqrt
from operator import add
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from wildgate_service.errors import ModelError
from wildgate_service.normalize.fold import ascii_dropped, ascii_table, fold_table

CONFIG_FILE, WEIGHTS_FILE = "config.json", "weights.npz"
BITS = 18  # of a hash
ORDERS = (2, 3, 4, 5)  # code points of an n-gram
BLOCK = 64  # code points; a window is two blocks, and windows overlap by one
PAD = "\0" * max(ORDERS)
_BASE = 0x9E3779B1  # odd, so that it has an inverse modulo 2^32
_SPREAD = 0x85EBCA6B  # odd and unrelated to the base, so that every code point reaches the high bits
_DROP = np.uint32(32 - BITS)
_ONES = np.ones(len(ORDERS), np.float32)
_WORD = 4  # bytes of a code point in UTF-32
HINT = "reinstall the service, or run `wildgate model train`"

Hashes = NDArray[np.uint32]
Floats = NDArray[np.float32]


class Table(Struct, frozen=True):
    """How stored weights become log-odds: `scale` multiplies them, `slope` and `offset` calibrate (Platt 1999), at even odds."""

    scale: float
    slope: float = 1.0
    offset: float = 0.0


class ScreenConfig(Struct, frozen=True):
    """config.json."""

    offer: Table  # offers or seeks protected wildlife
    sale: Table  # sells or seeks something, whatever it is
    normalization: str  # hash of the fold's tables: another fold writes other n-grams
    version: str = ""
    weights_sha256: str = ""
    bits: int = BITS
    orders: tuple[int, ...] = ORDERS
    block: int = BLOCK


@cache
def _powers(length: int) -> tuple[Hashes, Hashes]:
    """Base^i and Spread · Base^-i modulo 2^32 for i < length, a power of two."""
    up, down = np.full(length, _BASE, np.uint32), np.full(length, pow(_BASE, -1, 1 << 32), np.uint32)
    up[0], down[0] = 1, _SPREAD
    return up.cumprod(dtype=np.uint32), down.cumprod(dtype=np.uint32)


@lru_cache(maxsize=1024)
def _powers_for(length: int) -> tuple[Hashes, Hashes]:
    """Those of a skeleton: for its n-grams, and for its code points between the first NUL and the last."""
    points = 1 + length + len(PAD)
    up, down = _powers(1 << points.bit_length())
    return up[:length], down[:points]


def hashes(skeleton: str) -> Hashes:
    """Hash of the n-gram of each order that begins at each code point: uint32 [orders, code points]; those past the end hold NULs.

    A rolling hash: differences of one running sum, brought to a common place (Rabin and Karp 1987).
    """
    length = len(skeleton)
    up, down = _powers_for(length)
    sums = np.frombuffer(f"\0{skeleton}{PAD}".encode("utf-32-le"), np.uint32) * down
    np.add.accumulate(sums, out=sums)
    ends: Hashes = np.ndarray((len(ORDERS), length), np.uint32, sums, min(ORDERS) * _WORD, (_WORD, _WORD))
    found: Hashes = ends - sums[:length]
    found *= up
    found >>= _DROP
    return found


@cache
def fold_digest() -> str:
    """What the fold writes for every code point, hashed: a screen is made for one fold."""
    table = sorted(fold_table().items())
    return hashlib.sha256(repr((ascii_table(), ascii_dropped(), table)).encode()).hexdigest()[:16]


class Weights(Struct, frozen=True):
    """The stored weights int8 [2^bits] of both tables."""

    offer: NDArray[np.int8]
    sale: NDArray[np.int8]


class Screen:
    """The screen of one folder."""

    def __init__(self, config: ScreenConfig, weights: Weights) -> None:
        self.config = config
        self._offer = weights.offer.astype(np.float32) * np.float32(config.offer.scale)
        self._sale = weights.sale.astype(np.float32) * np.float32(config.sale.scale)

    @classmethod
    def load(cls, folder: Path, normalization: str) -> Screen:
        """The screen in `folder`; ModelError if it is missing, damaged, or made for another normalization."""
        config = read_config(folder)
        if config.normalization != normalization:
            raise ModelError(f"The screen in {folder} was trained on another normalization ({config.normalization}); {HINT}")
        if (config.bits, config.orders, config.block) != (BITS, ORDERS, BLOCK):
            raise ModelError(f"The screen in {folder} has another shape than this version reads; {HINT}")
        return cls(config, read_weights(folder, config))

    def logit(self, skeleton: str) -> float:
        """Calibrated log-odds of an offer, of the window that speaks most for one; those of nothing for an empty text.

        The more windows, the more chances that one looks like an offer: their number counts against it.
        """
        return log_odds(skeleton, self._offer, self.config.offer) - log(self.windows(skeleton))

    def windows(self, skeleton: str) -> int:
        """The number of windows that it reads in a text."""
        return 1 if len(skeleton) <= 2 * BLOCK else len(_block_starts(len(skeleton))) - 1

    def sale_logit(self, skeleton: str) -> float:
        """The same of a sale or a search for something, whatever it is, against talk."""
        return log_odds(skeleton, self._sale, self.config.sale)

    def struck_by(self, skeleton: str) -> tuple[int, int]:
        """Where the window stands that speaks most for an offer: all of a short text."""
        return highest_span(n_gram_sums(skeleton, self._offer))

    @property
    def version(self) -> str:
        """Version of the weights."""
        return self.config.version


def log_odds(skeleton: str, weights: Floats, table: Table) -> float:
    """Calibrated log-odds of a skeleton by the weights [2^bits] of one table."""
    if not skeleton:
        return table.offset
    return table.slope * highest_window(n_gram_sums(skeleton, weights)) + table.offset


def n_gram_sums(skeleton: str, weights: Floats) -> Floats:
    """What the n-grams that begin at each code point weigh together [code points]."""
    found = weights.take(hashes(skeleton), mode="wrap")  # no hash is out of bounds: "wrap" spares the check
    sums: Floats = np.dot(_ONES, found)
    return sums


def highest_window(sums: Floats) -> float:
    """The highest sum over a window of [code points], divided by the root of its length; a text no longer than a window is one."""
    length = len(sums)
    if length <= 2 * BLOCK:
        return float(np.add.reduce(sums)) / sqrt(length)
    blocks: list[float] = np.add.reduceat(sums, _block_starts(length)).tolist()
    return float(max(map(add, blocks, blocks[1:]))) / sqrt(2 * BLOCK)


def highest_span(sums: Floats) -> tuple[int, int]:
    """Where that window begins and ends."""
    length = len(sums)
    if length <= 2 * BLOCK:
        return 0, length
    starts = _block_starts(length)
    blocks: Floats = np.add.reduceat(sums, starts)
    first = int(np.argmax(blocks[:-1] + blocks[1:]))
    return int(starts[first]), int(starts[first + 2]) if first + 2 < len(starts) else length


@lru_cache(maxsize=1024)
def _block_starts(length: int) -> NDArray[np.intp]:
    """Where the blocks of a text begin; what is left of less than half a block belongs to the last."""
    return np.arange(0, length - BLOCK // 2, BLOCK)


def read_config(folder: Path) -> ScreenConfig:
    """config.json of the folder; ModelError when it is missing or malformed."""
    path = folder / CONFIG_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=ScreenConfig)
    except OSError as error:
        raise ModelError(f"No screen at {folder}: {CONFIG_FILE} cannot be read ({error.strerror}); {HINT}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is malformed ({error}); {HINT}") from error


def read_weights(folder: Path, config: ScreenConfig) -> Weights:
    """The stored weights; ModelError when they are missing or damaged."""
    path = folder / WEIGHTS_FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); {HINT}") from error
    if hashlib.sha256(data).hexdigest() != config.weights_sha256:
        raise ModelError(f"{path} is damaged: its SHA-256 is not the recorded one; {HINT}")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return Weights(np.asarray(archive["offer"], np.int8), np.asarray(archive["sale"], np.int8))


def write_screen(folder: Path, config: ScreenConfig, weights: Weights) -> ScreenConfig:
    """Write config.json and weights.npz; version and hash are theirs. Returns the config as written."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / WEIGHTS_FILE, offer=weights.offer, sale=weights.sale)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    written = msgspec.structs.replace(config, version=f"{folder.name}-{digest[:12]}", weights_sha256=digest)
    (folder / CONFIG_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n")
    return written
