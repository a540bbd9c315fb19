"""Run tests on every Python that the package supports, and say which of them were there.

`python3 tools/python_versions.py` runs the tests that need no server on each version, `--newest`
runs a part of them on the newest version only. Interpreters are those of `--pythons`, of PATH
(``python3.13``, ``python3.14t``) and of pyenv. Each has a virtual environment in the user's cache
folder, which is brought up to date when the interpreter, the metadata or the pins change.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.14t")
"""The supported versions, oldest first; a ``t`` marks the build without a GIL."""
NEED_SERVERS = ("tests/rules", "tests/render", "tests/backends")
UNIT_TESTS = ("tests", *(f"--ignore={folder}" for folder in NEED_SERVERS))
OF_BYTE_CODE = ("tests/runtime/recording",)
"""The tests of what depends on CPython's byte code."""
INSTALLED = ("pip", "--editable", ".[dev]")
"""What a virtual environment has; tests build the native core by pip."""
_ASK = (
    "import sys, sysconfig as c; v = sys.version_info; "
    "print(f'{v[0]}.{v[1]}' + 't' * bool(c.get_config_var('Py_GIL_DISABLED')), "
    "sys.version.split()[0])"
)


class Interpreter(NamedTuple):
    """A Python on this machine."""

    path: str
    version: str
    """One of `VERSIONS`."""
    release: str


class Result(NamedTuple):
    """What the tests of a version came to."""

    version: str
    text: str
    passed: bool


def find(given: Iterable[str], environ: Mapping[str, str]) -> dict[str, Interpreter]:
    """Return an interpreter of each version: a given one, else this one, of PATH or of pyenv."""
    found: dict[str, Interpreter] = {}
    for path in (*given, sys.executable, *_on_path(environ), *_of_pyenv(environ)):
        interpreter = ask(path)
        if interpreter is not None:
            found.setdefault(interpreter.version, interpreter)
    return {version: found[version] for version in VERSIONS if version in found}


def ask(path: str) -> Interpreter | None:
    """Return what an interpreter says about itself; None if it does not run."""
    try:
        said = subprocess.check_output([path, "-Ic", _ASK], stderr=subprocess.DEVNULL, text=True)
    except (OSError, subprocess.CalledProcessError):  # such as a shim of pyenv without a version
        return None
    version, release = said.split()
    return Interpreter(path, version, release)


def _on_path(environ: Mapping[str, str]) -> Iterator[str]:
    for version in VERSIONS:
        path = shutil.which(f"python{version}", path=environ.get("PATH"))
        if path is not None:
            yield path


def _of_pyenv(environ: Mapping[str, str]) -> list[str]:
    folder = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    return [str(path) for path in sorted(folder.glob("*/bin/python"), reverse=True)]


def environment(interpreter: Interpreter, folder: Path) -> str:
    """Return the Python of a virtual environment with the package and its test dependencies."""
    if interpreter.path == sys.executable:
        return sys.executable
    python, ready = folder / "bin" / "python", folder / "ready"
    inputs = _digest(interpreter)
    if not ready.exists() or ready.read_text() != inputs:
        print(f"install into {folder}", flush=True)
        _run(interpreter.path, "-m", "venv", "--without-pip", folder)
        _run(
            *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet"),
            *("--disable-pip-version-check", "--constraint", "constraints.txt", *INSTALLED),
        )
        ready.write_text(inputs)
    return str(python)


def _digest(interpreter: Interpreter) -> str:
    texts = [(ROOT / name).read_text() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256("\0".join([*interpreter, *INSTALLED, *texts]).encode()).hexdigest()


def _run(*command: object) -> None:
    subprocess.run([str(each) for each in command], cwd=ROOT, check=True)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the virtual environments, which all checkouts share."""
    base = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "otel-meta" / "venvs"


def run_tests(interpreter: Interpreter, groups: Sequence[str], folder: Path) -> Result:
    """Run groups of tests by an interpreter."""
    version = interpreter.version
    try:
        python = environment(interpreter, folder)
    except subprocess.CalledProcessError as error:
        return Result(version, f"no virtual environment: {error}", passed=False)
    log = folder / "pytest.log"
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *groups]
        own = {**os.environ, "PYTHONPATH": str(ROOT)}  # not the checkout that was installed
        code = subprocess.call(command, cwd=ROOT, env=own, stdout=output, stderr=output)
    text = log.read_text()
    if code:
        print(text, flush=True)
    return Result(version, (text.splitlines() or [f"exit code {code}"])[-1], passed=not code)


def table(results: Iterable[Result], found: Mapping[str, Interpreter]) -> str:
    """Return what became of each supported version as a Markdown table."""
    texts = {result.version: result.text for result in results}
    rows = [
        f"| {version} | {found[version].release} | {texts.get(version, 'not chosen')} |"
        if version in found
        else f"| {version} | not found | not tested |"
        for version in VERSIONS
    ]
    return "\n".join(["| Python | here | tests |", "|---|---|---|", *rows])


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the tests; return 1 if some fail."""
    parser = argparse.ArgumentParser(description="Run tests on every supported Python.")
    parser.add_argument("--pythons", default="", help="interpreters, separated by spaces")
    parser.add_argument("--groups", default="", help="arguments of pytest, such as folders")
    parser.add_argument("--newest", action="store_true", help="run on the newest version only")
    options = parser.parse_args(arguments)
    found = find(options.pythons.split(), environ)
    chosen = [*found.values()]
    if options.newest:
        chosen = [newest] = chosen[-1:]
        if newest.path == sys.executable:
            print(f"Python {newest.release} runs all tests; no newer version is here.")
            return 0
    groups = options.groups.split() or (OF_BYTE_CODE if options.newest else UNIT_TESTS)
    results: list[Result] = []
    for interpreter in chosen:
        print(f"Python {interpreter.release}, {interpreter.path}: {' '.join(groups)}", flush=True)
        folder = cache_folder(environ) / interpreter.version
        results.append(run_tests(interpreter, groups, folder))
    print(table(results, found))
    return 0 if results and all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
