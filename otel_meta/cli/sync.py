"""Write generated files, or compare generated files with the files on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from otel_meta.errors import UsageError
from otel_meta.render.artifacts import Artifact
from otel_meta.render.header import MARK, source_of


@dataclass(frozen=True)
class Stale:
    """An outdated file on disk."""

    path: Path
    diff: str


@dataclass(frozen=True)
class Written:
    """What was done with the files of a folder."""

    written: tuple[Path, ...]
    """New and changed files."""
    removed: tuple[Path, ...]
    """Files of this catalogue that it no longer has."""
    left_alone: Mapping[Path, str]
    """Generated files of other catalogues in the same folders, each with its source."""
    unchanged: int
    """Number of files that were up to date."""

    @property
    def _counts(self) -> dict[str, int]:
        return {
            "written": len(self.written),
            "unchanged": self.unchanged,
            "removed": len(self.removed),
            "left alone": len(self.left_alone),
        }

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        left_alone = [{"path": str(path), "source": of} for path, of in self.left_alone.items()]
        return {
            "written": [str(path) for path in self.written],
            "removed": [str(path) for path in self.removed],
            "left_alone": left_alone,
            "unchanged": self.unchanged,
        }

    def __str__(self) -> str:
        lines = [
            *(f"wrote {path}" for path in self.written),
            *(f"removed {path}" for path in self.removed),
            *(
                f"left alone {path}: it follows from {source}, which this catalogue does not have"
                for path, source in self.left_alone.items()
            ),
            ", ".join(f"{count} {done}" for done, count in self._counts.items()),
        ]
        return "\n".join(lines)


def write(artifacts: Iterable[Artifact], folder: Path) -> Written:
    """Write new and changed files, and remove files that this catalogue generated before.

    All files are rendered and checked before the first is written.

    Raises:
        UsageError: a file cannot be written, or a file of the same name was not generated.
    """
    wanted = {folder / artifact.path: artifact.text for artifact in artifacts}
    changed = [path for path, text in wanted.items() if _content(path) != text]
    for path in changed:
        _refuse_if_not_generated(path)
        _refuse_if_beside_no_folder(path)
    try:
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        left_over = list(_left_over(wanted))
        for path in left_over:
            path.unlink()
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    unchanged = len(wanted) - len(changed)
    return Written(tuple(changed), tuple(left_over), dict(_of_others(wanted)), unchanged)


def stale(artifacts: Iterable[Artifact], folder: Path) -> Iterator[Stale]:
    """Yield different, missing and left-over files."""
    wanted = {folder / artifact.path: artifact.text for artifact in artifacts}
    for path, text in wanted.items():
        if _content(path) != text:
            yield Stale(path, _diff(path, _content(path) or "", text))
    for path in _left_over(wanted):
        yield Stale(path, _diff(path, _content(path) or "", ""))


def _left_over(wanted: Mapping[Path, str]) -> Iterator[Path]:
    """Yield other files in the same folders that follow from a source of this catalogue."""
    sources = set(map(source_of, wanted.values()))
    for path, source in _generated_beside(wanted):
        if source in sources:
            yield path


def _of_others(wanted: Mapping[Path, str]) -> Iterator[tuple[Path, str]]:
    """Yield generated files of other catalogues in the same folders, with their sources.

    A team may generate its files into the folder of another team.
    """
    sources = set(map(source_of, wanted.values()))
    for path, source in _generated_beside(wanted):
        if source not in sources:
            yield path, source


def _generated_beside(wanted: Mapping[Path, str]) -> Iterator[tuple[Path, str]]:
    for folder in sorted({path.parent for path in wanted}):
        for path in sorted(folder.glob("*")):
            content = "" if path in wanted else _content(path) or ""
            if MARK in content:
                yield path, source_of(content)


def _refuse_if_not_generated(path: Path) -> None:
    content = _content(path)
    if path.exists() and MARK not in (content or ""):
        raise UsageError(f"{path} was not generated; move it away, or choose another --out")


def _refuse_if_beside_no_folder(path: Path) -> None:
    above = next(folder for folder in path.parents if folder.exists())
    if not above.is_dir():
        raise UsageError(f"cannot write {path}: {above} is no folder; choose another --out")


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError):
        return ""


def _diff(path: Path, on_disk: str, generated: str) -> str:
    lines = unified_diff(
        on_disk.splitlines(keepends=True),
        generated.splitlines(keepends=True),
        str(path),
        "generated",
    )
    return "".join(lines)
