"""The supervisor takes the port before any worker starts, so that a failure is one clear line."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from pathlib import Path

import msgspec

from wildgate_service.errors import SettingsError

BACKLOG = 4096
MIGRATION = Path("/proc/sys/net/ipv4/tcp_migrate_req")  # for IPv6 too


class Address(msgspec.Struct, frozen=True):
    """Where the service listens: `host` is numeric, `port` real."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether nobody but this machine can connect."""
        return ipaddress.ip_address(self.host).is_loopback


def resolve(host: str, port: int) -> Address:
    """Find the first address of a host's name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        message = f"cannot listen on {host!r}: {error.strerror}. Set host to an address of this machine"
        raise SettingsError(message) from error
    return Address(str(found[0][4][0]), port)


def reserve(address: Address) -> tuple[socket.socket, Address]:
    """Bind a socket that never listens; returns it, and the address with its real port.

    While it is open the port is ours; workers listen on it with SO_REUSEPORT. The first bind goes
    without that option, with which the kernel would let us join a port that another one serves.
    """
    with _bound(address, share=False) as probe:
        real = Address(address.host, probe.getsockname()[1])
    return _bound(real, share=True), real


def reserve_alone(address: Address) -> tuple[socket.socket, Address]:
    """Bind a socket that one process will listen on; returns it, and the address with its real port."""
    taken = _bound(address, share=False)
    return taken, Address(address.host, taken.getsockname()[1])


def listen_shared(address: Address) -> socket.socket:
    """Listen, in a worker, at an address that is reserved; the kernel gives each connection to one of those who do."""
    listener = _bound(address, share=True)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def stop_listening(listener: socket.socket) -> None:
    """Leave new connections to the other workers at once; closed alone, a copy of it elsewhere would go on gathering them."""
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _bound(address: Address, *, share: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        taken.bind((address.host, address.port))
    except OSError as error:
        taken.close()
        message = f"cannot listen on {address}: {error.strerror}. Free the port or set another"
        raise SettingsError(message) from error
    return taken


def keeps_waiting_connections(switch: Path = MIGRATION) -> bool:
    """Whether the kernel (Linux, from 5.14 on) gives what waits for a worker that ends to another; without, it resets those connections."""
    try:
        return switch.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False
