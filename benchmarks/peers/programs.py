"""The programs in Go and Rust that time their clients, built once from pinned modules."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from otel_meta.testing.pinned_tools import cache_folder

_FOLDER: Final = Path(__file__).parent
_IGNORED: Final = "target"


class NotBuilt(Exception):
    """The program cannot be built here."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that prints the costs of a client as JSON.

    Args:
        client: the name of the client.
        compiler: the command that builds the program.
        sources: the folder with the program and its pins.
        pin: finds the version of the client in the file of pins.
        pins: that file.
        build: returns the arguments of the compiler for a file to write.
        environment: variables of the compiler and of the program.
    """

    client: str
    compiler: str
    sources: Path
    pins: str
    pin: re.Pattern[str]
    build: Callable[[Path], tuple[str, ...]]
    environment: Mapping[str, str]
    binary: str

    @property
    def title(self) -> str:
        """The client with its version."""
        found = self.pin.search((self.sources / self.pins).read_text())
        return f"{self.client} {found[1]}" if found else self.client

    def executable(self) -> Path:
        """Return the program; the first call builds it.

        Raises:
            NotBuilt: the compiler is missing, or fails.
        """
        folder = cache_folder().with_name(f"peers-{self.sources.name}-{_digest(self.sources)}")
        program = folder / self.binary
        if program.exists():
            return program
        compiler = shutil.which(self.compiler)
        if compiler is None:
            raise NotBuilt(f"{self.compiler} is not installed")
        print(f"building {self.title} in {folder}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(  # noqa: S603 - the compiler, with arguments of this module
            [compiler, *self.build(folder)],
            cwd=self.sources,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotBuilt(f"{self.compiler} failed: {_last_line(done.stderr)}")
        return program

    def run(self) -> str:
        """Return the output of the program.

        Raises:
            NotBuilt: the program cannot be built here.
        """
        done = subprocess.run(  # noqa: S603 - a program that this module built
            [self.executable()],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout


GO: Final = Program(
    client="client_golang",
    compiler="go",
    sources=_FOLDER / "go",
    pins="go.mod",
    pin=re.compile(r"client_golang v(\S+)"),
    build=lambda folder: ("build", "-o", str(folder / "peer"), "."),
    environment={"GOMAXPROCS": "1", "GOFLAGS": "-mod=readonly"},
    binary="peer",
)
RUST: Final = Program(
    client="prometheus-client (Rust)",
    compiler="cargo",
    sources=_FOLDER / "rust",
    pins="Cargo.toml",
    pin=re.compile(r'prometheus-client = "=([^"]+)"'),
    build=lambda folder: ("build", "--release", "--locked", "--target-dir", str(folder)),
    environment={},
    binary="release/peer",
)


def _digest(sources: Path) -> str:
    """Return a digest of the sources and of the pins, which names the folder of a build."""
    digest = hashlib.sha256()
    for path in _files(sources):
        digest.update(path.relative_to(sources).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _files(sources: Path) -> Iterator[Path]:
    files = (path for path in sources.rglob("*") if path.is_file())
    yield from sorted(path for path in files if _IGNORED not in path.parts)


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else "no message"
