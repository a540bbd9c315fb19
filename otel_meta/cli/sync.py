"""Write generated files, or compare generated files with the files on disk."""

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
    """An outdated file on disk."""

    path: Path
    diff: str


def write(artifacts: Iterable[Artifact], folder: Path) -> list[Path]:
    """Write new and changed files, and remove other generated files in the same folders.

    All files are rendered and checked before the first is written.

    Returns:
        The changed and the removed files.

    Raises:
        UsageError: a file cannot be written, or a file of the same name was not generated.
    """
    wanted = {folder / artifact.path: artifact.text for artifact in artifacts}
    changed = [path for path, text in wanted.items() if _content(path) != text]
    for path in changed:
        _refuse_if_not_generated(path)
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
    """Yield different, missing and left-over files."""
    wanted = {folder / artifact.path: artifact.text for artifact in artifacts}
    for path, text in wanted.items():
        if _content(path) != text:
            yield Stale(path, _diff(path, _content(path) or "", text))
    for path in _left_over(wanted):
        yield Stale(path, _diff(path, _content(path) or "", ""))


def _left_over(wanted: Iterable[Path]) -> Iterator[Path]:
    """Yield other generated files in the same folders."""
    paths = set(wanted)
    for folder in sorted({path.parent for path in paths}):
        for path in sorted(folder.glob("*")):
            if path not in paths and MARK in (_content(path) or ""):
                yield path


def _refuse_if_not_generated(path: Path) -> None:
    content = _content(path)
    if path.exists() and MARK not in (content or ""):
        raise UsageError(f"{path} was not generated; move it away, or choose another --out")


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
