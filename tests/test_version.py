from __future__ import annotations

from importlib.metadata import version

from otel_meta._version import __version__, installed_version


def test_version_is_that_of_distribution() -> None:
    """The version is that of the installed distribution."""
    assert version("otel_meta") == __version__


def test_version_without_metadata_is_unknown() -> None:
    """The version is unknown if the package was copied without its metadata."""
    assert "unknown" == installed_version("otel-meta-without-metadata")
