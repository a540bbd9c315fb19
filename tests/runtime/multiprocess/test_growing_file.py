from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_meta.runtime.multiprocess import file_format
from otel_meta.runtime.multiprocess.file_format import RecordKind
from otel_meta.runtime.multiprocess.growing_file import GrowingFile
from tests.conftest import Run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a growing file."""
    return tmp_path / "file"


@pytest.fixture
def growing(path: Path) -> Iterator[GrowingFile]:
    """An empty growing file."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    yield GrowingFile(fd)
    os.close(fd)


class TestGrowingFile:
    def test_words_never_move(self, growing: GrowingFile, path: Path) -> None:
        """Words of a record stay in place while the file grows to many times its size."""
        text = b'"' + b"x" * 500 + b'"'
        records = [growing.append(RecordKind.SERIES, text, 1) for _ in range(2000)]
        for number, (region, record) in enumerate(records):
            region.cast("d")[record.first_word] = float(number)
        file = memoryview(path.read_bytes())
        words = [
            file.cast("d")[record.first_word]
            for record in file_format.read_records(file, len(file_format.PREAMBLE))
            if record.kind == RecordKind.SERIES
        ]

        assert list(map(float, range(2000))) == words

    def test_file_grows_by_whole_regions(self, growing: GrowingFile, path: Path) -> None:
        """The size of the file is a multiple of the region size."""
        for _ in range(5000):
            growing.append(RecordKind.SERIES, b'"x"', 1)

        assert 0 == path.stat().st_size % file_format.REGION_SIZE

    def test_record_larger_than_region(self, growing: GrowingFile) -> None:
        """A record larger than a region is appended."""
        growing.append(RecordKind.SERIES, b'"small"', 1)
        region, record = growing.append(RecordKind.SERIES, b'"large"', 30_000)

        assert "large" == file_format.read_text(region, record)

    def test_too_many_words_are_refused(self, growing: GrowingFile) -> None:
        """A record with too many words is refused."""
        with pytest.raises(ValueError, match="65536 numbers"):
            growing.append(RecordKind.SERIES, b'"x"', 65_536)

    def test_full_disk(self, script: Callable[..., Run]) -> None:
        """On a full disk only a record from the reserve is appended, and words stay writable."""
        run = script(FULL_DISK)

        assert ("['disk full', 'reserve', 1.0]\n", "") == (run.stdout, run.stderr)


FULL_DISK = """
import os, resource, tempfile
from otel_meta.runtime.multiprocess.file_format import REGION_SIZE, RecordKind
from otel_meta.runtime.multiprocess.growing_file import GrowingFile

resource.setrlimit(resource.RLIMIT_FSIZE, (REGION_SIZE, REGION_SIZE))  # stands for a full disk
file = tempfile.TemporaryFile()
growing = GrowingFile(file.fileno())
seen = []
try:
    while True:
        region, record = growing.append(RecordKind.SERIES, b'"x"', 10)
except OSError:
    seen.append("disk full")
growing.append(RecordKind.SERIES, b'"x"', 10, use_reserve=True)
seen.append("reserve")
region.cast("d")[record.first_word] = 1.0
seen.append(region.cast("d")[record.first_word])
print(seen)
"""
