"""What begins anew in a forked child, which has its parent's memory and none of its threads."""

from __future__ import annotations

import logging
import os
from typing import Final, Protocol
from weakref import WeakKeyDictionary

logger: Final = logging.getLogger("otel_meta")


class Renewable(Protocol):
    """Something that a child must not share with its parent."""

    def after_fork(self) -> None:
        """Begin as in a new process; no other thread is there."""


_renewed: Final[WeakKeyDictionary[Renewable, None]] = WeakKeyDictionary()


def reset_after_fork(it: Renewable) -> None:
    """Have something begin anew in every child that is forked while it lives.

    What asked first goes first.
    """
    _renewed[it] = None


def _renew() -> None:
    for it in list(_renewed):
        try:
            it.after_fork()
        except Exception:  # it is the application that forked, and the rest has to begin anew, too
            logger.exception("%s cannot begin anew after a fork", type(it).__name__)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
