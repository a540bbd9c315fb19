"""Results of earlier runs of the rule engine and of promtool, outside the checkout.

Both programs are pure: the same program, rules, samples and questions give the same result. A run
is therefore not repeated until one of them changes. `make test` on another machine repeats all.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from otel_meta.testing.pinned_tools import cache_folder

RUNS: Final = cache_folder().parent / "rule-runs"

_KEPT: Final = 30 * 86_400.0
"""Seconds after the last use of a result."""


class KnownPasses:
    """Digests of the inputs that passed; a failure is not kept, and runs again.

    Args:
        folder: one empty file for each digest.
        program: the program that judges; another build or version passes anew.
    """

    def __init__(self, folder: Path, program: Path) -> None:
        self._folder = folder
        self._program = f"{program} {program.stat().st_mtime_ns}".encode()

    def digest(self, text: str) -> str:
        """Return the digest of an input."""
        return hashlib.sha256(self._program + text.encode()).hexdigest()

    def __contains__(self, digest: str) -> bool:
        known = self._folder / digest
        if not known.exists():
            return False
        known.touch()
        return True

    def add(self, digest: str) -> None:
        """Remember a pass."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / digest).touch()

    def forget_unused(self) -> None:
        """Remove what no run has used for long."""
        for known in self._unused():
            known.unlink(missing_ok=True)

    def _unused(self) -> Iterator[Path]:
        if self._folder.exists():
            oldest = time.time() - _KEPT
            yield from (one for one in self._folder.iterdir() if one.stat().st_mtime < oldest)
