"""Run a command with the native core: build ``native/`` into the cache folder of the user.

``python tools/native_core.py pytest tests/runtime/recording`` runs tests on it. A build is kept for
each version of Python, and made again when a source changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parents[1] / "native"
FILES: Final = ("*.toml", "*.py", "*.md", "source/*")


class NoCompiler(Exception):
    """The machine has no C compiler."""


def build() -> Path:
    """Return the folder with the module for this Python; build it first if necessary.

    Raises:
        NoCompiler: the module is not built yet, and there is no compiler.
        subprocess.CalledProcessError: the build failed.
    """
    folder = _folder()
    if folder.exists():
        return folder
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        raise NoCompiler(f"the native core needs a C compiler, and {compiler} is not on PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        copied, built = Path(place, "copied"), Path(place, "built")
        shutil.copytree(SOURCE, copied)  # a build writes beside its sources
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*command, "--target", built, copied], check=True, stdout=sys.stderr)
        if not folder.exists():  # else another process was faster
            built.rename(folder)
    return folder


def with_core(folder: Path) -> dict[str, str]:
    """Return the environment of a process that finds the module in a folder."""
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "OTEL_META_NATIVE_CORE": "true"}


def main(command: list[str]) -> int:
    """Run a command; without a compiler, say so, and fail if CI is set."""
    try:
        folder = build()
    except NoCompiler as error:
        print(f"not run: {error}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    return subprocess.run(command, check=False, env=with_core(folder)).returncode


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    abi = sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag
    return cache / "otel-meta" / "native" / f"{abi}-{_digest()}"


def _digest() -> str:
    content = hashlib.sha256()
    for path in sorted(_files()):
        content.update(path.name.encode())
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


def _files() -> Iterator[Path]:
    for pattern in FILES:
        yield from SOURCE.glob(pattern)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
