"""Generated files on disk: written, or compared with what they should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from otel_meta.errors import UsageError
from otel_meta.render.artifacts import Artifact
from otel_meta.render.header import MARK


@dataclass(frozen=True)
class Stale:
    """A file that is not what it should be."""

    path: Path
    diff: str


def write(artifacts: Iterable[Artifact], folder: Path) -> list[Path]:
    """Write files that differ, and remove generated ones that no longer follow.

    Everything is rendered before anything is written: an error leaves the folder as it was.

    Returns:
        The files that were changed.

    Raises:
        UsageError: a file cannot be written, or one in the way was not generated.
    """
    wanted = {folder / artifact.path: artifact.text for artifact in artifacts}
    changed = [path for path, text in wanted.items() if _content(path) != text]
    for path in changed:
        _refuse_foreign(path)
    try:
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        left_over = list(_left_over(wanted))
        for path in left_over:
            path.unlink()
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    return changed + left_over


def stale(artifacts: Iterable[Artifact], folder: Path) -> Iterator[Stale]:
    """Files that differ from what follows, lack, or should not be there."""
    wanted = {folder / artifact.path: artifact.text for artifact in artifacts}
    for path, text in wanted.items():
        if _content(path) != text:
            yield Stale(path, _diff(path, _content(path) or "", text))
    for path in _left_over(wanted):
        yield Stale(path, _diff(path, _content(path) or "", ""))


def _left_over(wanted: Iterable[Path]) -> Iterator[Path]:
    """Generated files beside the wanted ones that are not wanted."""
    paths = set(wanted)
    for folder in sorted({path.parent for path in paths}):
        for path in sorted(folder.glob("*")):
            if path not in paths and MARK in (_content(path) or ""):
                yield path


def _refuse_foreign(path: Path) -> None:
    there = _content(path)
    if path.exists() and MARK not in (there or ""):
        raise UsageError(f"{path} was not generated; move it away, or choose another --out")


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError):
        return ""


def _diff(path: Path, there: str, wanted: str) -> str:
    lines = unified_diff(
        there.splitlines(keepends=True), wanted.splitlines(keepends=True), str(path), "generated"
    )
    return "".join(lines)
