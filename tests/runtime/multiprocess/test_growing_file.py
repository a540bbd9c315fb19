from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from otel_meta.runtime.multiprocess import file_format as layout
from otel_meta.runtime.multiprocess.file_format import Kind
from otel_meta.runtime.multiprocess.growing_file import GrowingFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run


class TestGrowingFile:
    def test_never_moves(self, tmp_path: Path) -> None:
        """What was handed out stays where it is while the file grows to many times its size."""
        descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
        growing = GrowingFile(descriptor)
        text = b'"' + b"x" * 500 + b'"'
        places = [growing.append(Kind.SERIES, text, 1) for _ in range(2000)]
        for number, (region, record) in enumerate(places):
            region.cast("d")[record.first_word] = float(number)
        file = (tmp_path / "file").read_bytes()
        read = [
            memoryview(file).cast("d")[record.first_word]
            for record in layout.records(memoryview(file), len(layout.PREAMBLE))
            if record.kind == Kind.SERIES
        ]
        os.close(descriptor)

        assert list(map(float, range(2000))) == read
        assert len(file) % layout.REGION == 0

    def test_large(self, tmp_path: Path) -> None:
        """A record larger than a region finds a place."""
        descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
        growing = GrowingFile(descriptor)
        growing.append(Kind.SERIES, b'"small"', 1)
        region, record = growing.append(Kind.SERIES, b'"large"', 30_000)
        os.close(descriptor)

        assert "large" == layout.text_of(region, record)

    def test_too_many(self, tmp_path: Path) -> None:
        """More numbers than a record can have are refused."""
        descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
        growing = GrowingFile(descriptor)
        with pytest.raises(ValueError, match="65536 numbers"):
            growing.append(Kind.SERIES, b'"x"', 65_536)
        os.close(descriptor)

    def test_full(self, script: Callable[..., Run]) -> None:
        """On a full disk nothing is added but what is urgent, and what is there can be written."""
        run = script(FULL)

        assert ("['disk full', 'urgent', 1.0]\n", "") == (run.stdout, run.stderr)


FULL = """
import os, resource, tempfile
from otel_meta.runtime.multiprocess.file_format import Kind, REGION
from otel_meta.runtime.multiprocess.growing_file import GrowingFile

resource.setrlimit(resource.RLIMIT_FSIZE, (REGION, REGION))  # stands for the end of the disk
file = tempfile.TemporaryFile()
growing = GrowingFile(file.fileno())
seen = []
try:
    while True:
        region, record = growing.append(Kind.SERIES, b'"x"', 10)
except OSError:
    seen.append("disk full")
growing.append(Kind.SERIES, b'"x"', 10, urgent=True)
seen.append("urgent")
region.cast("d")[record.first_word] = 1.0
seen.append(region.cast("d")[record.first_word])
print(seen)
"""
