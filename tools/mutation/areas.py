"""The tests of a source file, and what has to be done before they see a mutant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("otel_meta")

Tests = tuple[str, ...]
"""Arguments of pytest that run together."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """A folder of the package, whose files are tested in the same way."""

    folder: Path
    further: tuple[Tests, ...]
    """Tests of every file, after those of the file itself, nearest first."""
    is_generator: bool = False
    """True if the files write the committed files, which tests read."""


AREAS = (
    Area(
        folder=PACKAGE / "runtime" / "multiprocess",
        further=(("tests/runtime/multiprocess", "tests/runtime/test_fork.py", "tests/workers"),),
    ),
    Area(folder=PACKAGE / "runtime", further=(("{folder}", "tests/runtime/test_fork.py"),)),
    Area(
        folder=PACKAGE / "render",
        further=(
            ("tests/rules/test_rule_meanings.py", "tests/rules/test_simulated_pages.py"),
            ("tests/render", "tests/check"),
            ("tests/rules",),
        ),
        is_generator=True,
    ),
)
"""The first area with a file in its folder counts."""
IGNORED = "--deselect=tests/render/test_artifacts.py::test_every_committed_file_is_up_to_date"
"""It compares the committed files with the generator, and no mutant may be found by that alone."""


def area_of(path: Path) -> Area:
    """Return the area of a source file.

    Raises:
        SystemExit: no area has the file.
    """
    for area in AREAS:
        if path.is_relative_to(area.folder):
            return area
    raise SystemExit(f"{path}: only files below {_folders()} can be mutated")


def groups_of_tests(path: Path) -> Iterator[Tests]:
    """Yield groups of tests of a source file, nearest first."""
    folder = Path("tests") / path.parent.relative_to(PACKAGE)
    mirrored = folder / f"test_{path.name}"
    if (ROOT / mirrored).is_file():
        yield (str(mirrored), IGNORED)
    for group in area_of(path).further:
        yield (*(part.format(folder=folder) for part in group), IGNORED)


def sources(paths: list[Path]) -> list[Path]:
    """Return the files below paths, which are relative to the root of the repository."""
    found: list[Path] = []
    for path in paths:
        whole = ROOT / path
        files = sorted(whole.rglob("*.py")) if whole.is_dir() else [whole]
        found += [file.relative_to(ROOT) for file in files]
    return found


def _folders() -> str:
    return ", ".join(str(area.folder) for area in AREAS)
