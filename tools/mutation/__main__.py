"""Mutation testing: run the tests against mutants of a part of the package, and print survivors.

    python tools/mutation [FILE OR FOLDER ...] [--sample N] [--seed N] [--mistakes]

A mutant is killed if a test fails. The tests of the file run first, then those of its area
(``areas.py``). Each file is mutated in a copy of the repository; after a mutant of a generator, the
committed files are generated again, as a developer would. With ``--mistakes``, the mutants are the
mistakes in ``mistakes.toml``, each with its own tests. The exit code is 1 if a mutant survives for
which ``survivors.toml`` has no reason.
"""

from __future__ import annotations

import filecmp
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from areas import ROOT, Tests, area_of, groups_of_tests, sources
from mistakes import mistakes
from mutants import Mutant, mutants

RUNTIME = Path("otel_meta/runtime")
EXPLAINED = Path(__file__).with_name("survivors.toml")
_TIMEOUT_FACTOR, _TIMEOUT_MINIMUM = 3, 20.0
"""A mutant that makes its tests this many times slower is killed; seconds."""
_LONGEST = 1800.0
"""Seconds that tests without a mutant may take."""


@dataclass(frozen=True)
class Stage:
    """Tests that run together, and the seconds until they count as failed."""

    tests: Tests
    timeout: float


class Copy:
    """A copy of the repository, in which one file at a time is mutated."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._original = folder / "copy", folder / "original"
        command = ["git", "ls-files", "-z"]
        listed = subprocess.run(
            command, cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
        self._files = list(filter(None, listed.split("\0")))
        for name in self._files:
            (self._original / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self._original / name)
        shutil.copytree(self._original, self._folder)

    def stages(self, groups: Iterable[Tests]) -> Iterator[Stage]:
        """Yield groups of tests with their time limits; they must pass without a mutant."""
        for tests in groups:
            start = time.monotonic()
            if not self._passes(Stage(tests, _LONGEST)):
                raise SystemExit(f"{' '.join(tests)}: these tests fail without a mutant")
            seconds = time.monotonic() - start
            yield Stage(tests, max(seconds * _TIMEOUT_FACTOR, _TIMEOUT_MINIMUM))

    def kills(self, path: Path, mutant: Mutant, stages: Iterable[Stage]) -> bool:
        """Return True if the mutant cannot generate, or a test fails with it."""
        (self._folder / path).write_text(mutant.text)
        try:
            if area_of(path).is_generator and not self._generates():
                return True
            return not all(self._passes(stage) for stage in stages)
        finally:
            self._restore()

    def _restore(self) -> None:
        """Bring back the files that a mutant and its generator have changed."""
        for name in self._files:
            original, copy = self._original / name, self._folder / name
            if not copy.is_file() or not filecmp.cmp(original, copy, shallow=False):
                shutil.copy(original, copy)

    def _generates(self) -> bool:
        generate = [sys.executable, "-m", "otel_meta", "generate"]
        return self._succeeds(generate, _TIMEOUT_MINIMUM * _TIMEOUT_FACTOR)

    def _passes(self, stage: Stage) -> bool:
        command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *stage.tests]
        return self._succeeds(command, stage.timeout)

    def _succeeds(self, command: list[str], timeout: float) -> bool:
        environment = {**os.environ, "PYTHONPATH": str(self._folder)}
        with subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as running:
            try:
                return running.wait(timeout) == 0
            except subprocess.TimeoutExpired:
                return False
            finally:
                _kill_group(running.pid)


def _kill_group(leader: int) -> None:
    """Kill tests and the processes that the tests have left behind."""
    try:
        os.killpg(leader, 9)
    except ProcessLookupError:
        return


@dataclass(frozen=True)
class Trial:
    """A mutant of a file, and the tests that run against it."""

    path: Path
    mutant: Mutant
    groups: tuple[Tests, ...]


def _trials(args: Namespace) -> list[Trial]:
    if args.mistakes:
        return [Trial(one.path, one.mutant, (one.tests,)) for one in mistakes(ROOT)]
    found = [
        Trial(path, mutant, tuple(groups_of_tests(path)))
        for path in sources(args.files or [RUNTIME])
        for mutant in mutants((ROOT / path).read_text())
    ]
    if args.sample is None or args.sample >= len(found):
        return found
    chosen = set(random.Random(args.seed).sample(range(len(found)), args.sample))  # noqa: S311
    return [trial for n, trial in enumerate(found) if n in chosen]


def _survivors(trials: Iterable[Trial]) -> Iterator[Trial]:
    stages: dict[Tests, Stage] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        for trial in trials:
            missing = [tests for tests in trial.groups if tests not in stages]
            stages |= {stage.tests: stage for stage in copy.stages(missing)}
            if not copy.kills(trial.path, trial.mutant, [stages[t] for t in trial.groups]):
                yield trial


def main() -> int:
    """Test the mutants, and print a line for each survivor."""
    parser = ArgumentParser(description="run the tests against mutants of the package")
    parser.add_argument("files", nargs="*", type=Path, help="by default all of otel_meta/runtime")
    parser.add_argument("--sample", type=int, help="number of mutants, chosen at random")
    parser.add_argument("--seed", type=int, default=0, help="of the random choice")
    parser.add_argument("--mistakes", action="store_true", help="the table of mistakes instead")
    trials = _trials(parser.parse_args())
    reasons: dict[str, dict[str, str]] = tomllib.loads(EXPLAINED.read_text())
    survived = unexplained = 0
    for trial in _survivors(trials):
        reason = reasons.get(str(trial.path), {}).get(trial.mutant.name)
        survived += 1
        unexplained += reason is None
        where = f"{trial.path}:{trial.mutant.line}: {trial.mutant.name}"
        print(f"{where}: {reason or 'SURVIVED'}", flush=True)
    print(f"{len(trials)} mutants, {survived} survived, {unexplained} of them without a reason")
    return min(unexplained, 1)


if __name__ == "__main__":
    sys.exit(main())
