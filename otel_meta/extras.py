"""Optional packages: each is imported where it is asked for, and its absence is one clear error."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import MissingExtra


def optional(module: str, purpose: str, extra: str) -> Any:
    """Import a module that comes with an extra.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(purpose, extra) from error
