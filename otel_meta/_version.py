"""The installed version."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def installed_version(distribution: str) -> str:
    """Return the version of a distribution; "unknown" for a copied folder without metadata."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


__version__: Final = installed_version("otel_meta")
