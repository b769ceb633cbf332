"""Counts bad keys by the address that they come from, over all workers.

256 random bits cannot be guessed; what is limited is noise, and what is wanted is that somebody hears of it. A good key always works: an
address may be a proxy's and stand for many. Addresses are kept as places in a table, found by a hash under a salt of this start: nobody
can choose one to fall on another's, and if two do by chance, both are only answered in other words.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import struct
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

import structlog

from wildgate_service.limiting.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

PLACES = 65_536
PLACE = struct.Struct("=II")  # minute since 1970, bad keys in it
TOTALS = struct.Struct("=QQ")  # bad keys since the start, those over the limit among them
TOTALS_AT = PLACES * PLACE.size
MINUTE_SECONDS = 60
SITE_BITS = 64  # of an IPv6 address: what is given to one site, all of whose addresses are one


class Attempts:
    """Bad keys of each address and minute. Make it before workers are forked. `limit` 0 only counts."""

    def __init__(self, limit: int, wall: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._wall = wall
        self._salt = secrets.token_bytes(16)
        self._shared = Shared(TOTALS_AT + TOTALS.size)

    def over(self, peer: str) -> bool:
        """Count a bad key from a peer, as gRPC names it; whether its address is over the limit of this minute."""
        address = address_of(peer)
        counted = self._count(self._place(address))
        over = 0 < self._limit < counted
        self._add_to_totals(over=over)
        if over and counted == self._limit + 1:
            log.warning("bad_keys_limited", address=address, limit=self._limit)
        return over

    def totals(self) -> tuple[int, int]:
        """Bad keys since the start, and those of them that were over the limit."""
        attempts, limited = TOTALS.unpack_from(self._shared.memory, TOTALS_AT)
        return attempts, limited

    def _place(self, address: str) -> int:
        digest = hashlib.blake2b(address.encode(), key=self._salt, digest_size=8).digest()
        return int.from_bytes(digest) % PLACES * PLACE.size

    def _count(self, offset: int) -> int:
        minute = int(self._wall()) // MINUTE_SECONDS
        self._shared.lock(offset)
        try:
            last, counted = PLACE.unpack_from(self._shared.memory, offset)
            counted = counted + 1 if last == minute else 1
            PLACE.pack_into(self._shared.memory, offset, minute, counted)
        finally:
            self._shared.unlock(offset)
        return int(counted)

    def _add_to_totals(self, *, over: bool) -> None:
        self._shared.lock(TOTALS_AT)
        try:
            attempts, limited = self.totals()
            TOTALS.pack_into(self._shared.memory, TOTALS_AT, attempts + 1, limited + over)
        finally:
            self._shared.unlock(TOTALS_AT)


def address_of(peer: str) -> str:
    """Read the address in gRPC's name of a peer: without the port, and of IPv6 the site alone.

    >>> address_of("ipv4:192.0.2.7:50123"), address_of("ipv6:%5B2001:db8::7%5D:50123"), address_of("unix:")
    ('192.0.2.7', '2001:db8::/64', 'unix:')
    """
    kind, _, rest = peer.partition(":")
    host = rest.rpartition(":")[0]
    if kind != "ipv6":
        return host if kind == "ipv4" else peer
    address = ipaddress.IPv6Address(unquote(host).strip("[]").partition("%")[0])
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address, SITE_BITS), strict=False))
