"""Compression of a page: gzip, by isal if it is installed, and zstd if a library has it.

isal takes a fraction of the time of zlib. All libraries release the GIL while they compress.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, Literal

from otel_meta.runtime.interruption import reraise_interruption

Coding = Literal["zstd", "gzip"]

_LEVEL: Final = 1
"""Higher levels take several times as long, and save little of a page of metrics."""

_GZIP_WBITS: Final = 31
"""A gzip header, and the largest window (see `zlib.compressobj`)."""


def _first_installed(*names: str) -> Any:
    """Return the first of these modules that is installed; None without any."""
    for name in names:
        try:
            return import_module(name)
        except ImportError as error:
            reraise_interruption(error)
    return None


_ZLIB: Final = _first_installed("isal.isal_zlib", "zlib")
_ZSTD: Final = _first_installed("compression.zstd", "zstandard")


def compress(body: bytes, coding: Coding) -> bytes:
    """Compress a body. The libraries release the GIL meanwhile."""
    compressor = _COMPRESSORS[coding]()
    compressed: bytes = compressor.compress(body) + compressor.flush()
    return compressed


def _gzip_compressor() -> Any:
    return _ZLIB.compressobj(_LEVEL, wbits=_GZIP_WBITS)


def _zstd_compressor() -> Any:
    compressor = _ZSTD.ZstdCompressor(level=_LEVEL)
    in_parts = getattr(compressor, "compressobj", None)  # of zstandard; Python's takes parts itself
    return compressor if in_parts is None else in_parts()


_COMPRESSORS: Final[Mapping[Coding, Callable[[], Any]]] = {
    "zstd": _zstd_compressor,
    "gzip": _gzip_compressor,
}

INSTALLED: Final[tuple[Coding, ...]] = ("gzip",) if _ZSTD is None else ("zstd", "gzip")
"""The codings that this process can write, the preferred first."""
