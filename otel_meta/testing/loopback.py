"""Free ports and HTTP requests on the loopback address."""

from __future__ import annotations

import random
import socket
from typing import Final
from urllib.request import ProxyHandler, build_opener

from otel_meta.errors import UsageError

LOOPBACK: Final = "127.0.0.1"
open_url: Final = build_opener(ProxyHandler({})).open
"""Like `urllib.request.urlopen`, without the proxies of the environment."""
_CANDIDATES: Final = range(20_000, 32_000)
"""Below the ephemeral ports, so that the port of a restarted server is still free."""
_reserved: Final[set[int]] = set()
"""The returned ports. An open UDP socket on each tells other processes, until this one ends."""


def free_port(preferred: int = 0) -> int:
    """Return a free port: the preferred port, or a random port without repetition.

    Servers bind the port later, so the port is reserved against other callers in all processes.

    Raises:
        UsageError: no port is free.
    """
    if preferred and _is_free(preferred) and _reserve(preferred):
        return preferred
    for port in random.sample(_CANDIDATES, len(_CANDIDATES)):
        if port not in _reserved and _is_free(port) and _reserve(port):
            return port
    raise UsageError("there is no free port on loopback")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Like a server: it may bind while closed connections are in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _bind(probe, port)


def _reserve(port: int) -> bool:
    if port in _reserved:
        return True
    reservation = socket.socket(type=socket.SOCK_DGRAM)
    if not _bind(reservation, port):
        reservation.close()
        return False
    reservation.detach()  # stays open
    _reserved.add(port)
    return True


def _bind(unbound: socket.socket, port: int) -> bool:
    try:
        unbound.bind((LOOPBACK, port))
    except OSError:
        return False
    return True
