"""Mutation testing: run the tests against mutants of the runtime, and print the survivors.

    python tools/mutation [FILE ...] [--sample N] [--seed N]

A mutant is killed if a test fails. The tests of the file run first, then the tests of its folder
and of forks. Each file is mutated in a copy of the repository. The exit code is 1 if a
mutant survives for which ``survivors.toml`` has no reason.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = Path("otel_meta/runtime")
EXPLAINED = Path(__file__).with_name("survivors.toml")
_FURTHER_TESTS = {
    RUNTIME: "tests/runtime/test_fork.py",
    RUNTIME / "multiprocess": "tests/workers",
}
"""Tests for all files below a folder, besides the tests in the folder of the same name."""
_TIMEOUT_FACTOR, _TIMEOUT_MINIMUM = 3, 20.0
"""A mutant that makes its tests this many times slower is killed; seconds."""


@dataclass(frozen=True)
class Stage:
    """Tests that run together, and the seconds until they count as failed."""

    tests: tuple[str, ...]
    timeout: float


class Copy:
    """A copy of the repository, in which one file at a time is mutated."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = ["git", "ls-files", "-z"]
        listed = subprocess.run(
            command, cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
        for name in filter(None, listed.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)

    def stages(self, path: Path) -> Iterator[Stage]:
        """Yield the tests of a source file, nearest first; they must pass without a mutant."""
        for tests in _tests_of(path):
            start = time.monotonic()
            if not self._passes(Stage(tests, 600)):
                raise SystemExit(f"{' '.join(tests)}: these tests fail without a mutant")
            seconds = time.monotonic() - start
            yield Stage(tests, max(seconds * _TIMEOUT_FACTOR, _TIMEOUT_MINIMUM))

    def kills(self, path: Path, mutant: Mutant, stages: Iterable[Stage]) -> bool:
        """Return True if a test fails with the mutant."""
        original = (self._folder / path).read_text()
        (self._folder / path).write_text(mutant.text)
        try:
            return not all(self._passes(stage) for stage in stages)
        finally:
            (self._folder / path).write_text(original)

    def _passes(self, stage: Stage) -> bool:
        command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *stage.tests]
        environment = {**os.environ, "PYTHONPATH": str(self._folder)}
        with subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as tests:
            try:
                return tests.wait(stage.timeout) == 0
            except subprocess.TimeoutExpired:
                return False
            finally:
                _kill_group(tests.pid)


def _kill_group(leader: int) -> None:
    """Kill tests and the processes that the tests have left behind."""
    try:
        os.killpg(leader, 9)
    except ProcessLookupError:
        return


def _tests_of(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield groups of tests of a source file, nearest first."""
    folder = Path("tests") / path.parent.relative_to("otel_meta")
    mirrored = folder / f"test_{path.name}"
    if (ROOT / mirrored).is_file():
        yield (str(mirrored),)
    further = [tests for above, tests in _FURTHER_TESTS.items() if path.is_relative_to(above)]
    yield (str(folder), *(tests for tests in further if not Path(tests).is_relative_to(folder)))


def _chosen(paths: list[Path], sample: int | None, seed: int) -> list[tuple[Path, Mutant]]:
    found = [(path, mutant) for path in paths for mutant in mutants((ROOT / path).read_text())]
    if sample is None or sample >= len(found):
        return found
    chosen = set(random.Random(seed).sample(range(len(found)), sample))  # noqa: S311  # no secret
    return [pair for n, pair in enumerate(found) if n in chosen]


def main() -> int:
    """Test the mutants, and print a line for each survivor."""
    parser = ArgumentParser(description="run the tests against mutants of the runtime")
    parser.add_argument("files", nargs="*", type=Path, help="by default all of otel_meta/runtime")
    parser.add_argument("--sample", type=int, help="number of mutants, chosen at random")
    parser.add_argument("--seed", type=int, default=0, help="of the random choice")
    args = parser.parse_args()
    paths = args.files or [p.relative_to(ROOT) for p in sorted((ROOT / RUNTIME).rglob("*.py"))]
    reasons: dict[str, dict[str, str]] = tomllib.loads(EXPLAINED.read_text())
    chosen = _chosen(paths, args.sample, args.seed)
    unexplained = survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        stages: dict[Path, list[Stage]] = {}
        for path, mutant in chosen:
            if path not in stages:
                stages[path] = list(copy.stages(path))
            if copy.kills(path, mutant, stages[path]):
                continue
            reason = reasons.get(str(path), {}).get(mutant.name)
            survivors += 1
            unexplained += reason is None
            print(f"{path}:{mutant.line}: {mutant.name}: {reason or 'SURVIVED'}", flush=True)
    print(f"{len(chosen)} mutants, {survivors} survived, {unexplained} of them without a reason")
    return min(unexplained, 1)


if __name__ == "__main__":
    sys.exit(main())
