"""Free ports of the loopback address."""

from __future__ import annotations

import random
import socket
from typing import Final

from otel_meta.errors import UsageError

LOOPBACK: Final = "127.0.0.1"
_CANDIDATES: Final = range(20_000, 32_000)
"""Below the ephemeral ports, so that the port of a restarted server is still free."""
_given: Final[set[int]] = set()


def free_port(preferred: int = 0) -> int:
    """Return a free port: the preferred port, or a random port without repetition.

    Raises:
        UsageError: no port is free.
    """
    if preferred and _is_free(preferred):
        return preferred
    for port in random.sample(_CANDIDATES, len(_CANDIDATES)):
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise UsageError("there is no free port on loopback")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Like a server: it may bind while closed connections are in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
