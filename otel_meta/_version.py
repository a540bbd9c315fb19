"""The installed version."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed_version() -> str:
    """Return the version; "unknown" where the package was copied without its metadata."""
    try:
        return version("otel_meta")
    except PackageNotFoundError:  # a frozen application, or an archive of sources
        return "unknown"


__version__: Final = _installed_version()
