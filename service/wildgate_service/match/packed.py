"""Packed tables: long ones kept as bytes, an item decoded when it is asked for.

A lexicon has some 250,000 forms and as many lists of forms, and a process looks at a few thousand of them. As objects they would take seven
times the memory and most of the time that loading takes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct

MOST_REMEMBERED = 16_384  # items of a table that are kept as objects; then it begins anew
PLACE: Final = "I"  # of an array: where an item begins

Item = TypeVar("Item")
_encode_into = msgspec.msgpack.Encoder().encode_into


class Block(Struct, frozen=True, array_like=True):
    """A packed table: all items in MessagePack one after the other, and where each begins and the last ends (unsigned, four bytes)."""

    content: bytes
    places: bytes


def pack(items: Iterable[Any]) -> Block:
    """The packed table of some items."""
    content, places = bytearray(), array(PLACE, [0])
    for item in items:
        _encode_into(item, content, -1)
        places.append(len(content))
    return Block(bytes(content), places.tobytes())


class Packed(Generic[Item]):
    """The items of a packed table, by number."""

    def __init__(self, block: Block, kind: type[Item]) -> None:
        """`kind` is what an item is."""
        self._content = block.content
        self._places = memoryview(block.places).cast(PLACE)
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._met: dict[int, Item] = {}

    def __len__(self) -> int:
        return len(self._places) - 1

    def __getitem__(self, number: int, /) -> Item:
        """The item with a number from 0 on."""
        try:
            return self._met[number]
        except KeyError:
            return self._meet(number)

    def __iter__(self) -> Iterator[Item]:
        return (self._decode(self._content[start:end]) for start, end in pairwise(self._places))

    def _meet(self, number: int) -> Item:
        if not 0 <= number < len(self):
            raise IndexError(number)
        item = self._decode(self._content[self._places[number] : self._places[number + 1]])
        if len(self._met) >= MOST_REMEMBERED:
            self._met.clear()
        self._met[number] = item
        return item
