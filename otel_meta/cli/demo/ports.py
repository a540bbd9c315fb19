"""Ports of loopback that nobody listens on."""

from __future__ import annotations

import random
import socket
from typing import Final

from otel_meta.errors import UsageError

LOOPBACK: Final = "127.0.0.1"
_CHOICE: Final = range(20_000, 32_000)
"""Below those that kernels give to outgoing connections: a restarted server finds its port free."""
_given: Final[set[int]] = set()


def free_port(wanted: int = 0) -> int:
    """The port that is wanted, or any that is free and that this process has not been given before.

    Raises:
        UsageError: there is none.
    """
    if wanted and _is_free(wanted):
        return wanted
    for port in random.sample(_CHOICE, len(_CHOICE)):
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise UsageError("there is no free port on loopback")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, who may bind where the last connections of another have just ended.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
