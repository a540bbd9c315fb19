from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta.errors import UsageError
from otel_meta.testing import pinned_tools
from otel_meta.testing.pinned_tools import RECIPE, TOOLS, Tool, find, lookup, mismatch

COLLECTOR = lookup("collector")[0]
PROMETHEUS = lookup("prometheus")[0]

AddProgram = Callable[..., Path]


@pytest.fixture(autouse=True)
def _empty_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache and empty search paths, so that programs of this machine are not found."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("OTEL_META_TOOLS", str(tmp_path / "named"))


@pytest.fixture
def add_program(tmp_path: Path) -> AddProgram:
    """Write a shell script as a program into a folder."""

    def add(folder: str | Path, name: str, script: str) -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return add


@pytest.fixture
def add_build(add_program: AddProgram) -> Callable[[Tool, str], Path]:
    """Write a finished build of a version into the cache."""

    def add(tool: Tool, version: str) -> Path:
        folder = pinned_tools.cache_folder() / f"{tool.name}-{version}"
        for binary in tool.binaries:
            add_program(folder, binary, f"echo {version}")
        (folder / RECIPE).write_text("digest")
        return folder

    return add


class TestTools:
    def test_no_two_tools_or_programs_share_name_except_tool(self) -> None:
        """No two tools or programs share a name, except a tool and its first program."""
        names = [name for tool in TOOLS for name in {tool.name, *tool.binaries}]

        assert sorted(set(names)) == sorted(names)


class TestParseVersion:
    @pytest.mark.parametrize(
        ("version", "report"),
        [
            ("3.16.0", "prometheus, version 3.16.0 (branch: , revision: unknown)\n  go1.26.8"),
            ("0.159.0", "otelcol version 0.159.0"),
            ("2.13.0", "jaeger version v2.13.0"),
            ("1.150.0", "victoria-metrics-20260707-101112-tags-v1.150.0-0-g0123456789"),
            ("0.87.0", "0.87.0 (revision: unknown)"),
            ("1.26.8", "go1.26.8"),
            ("", "prometheus, version  (branch: , revision: )\n  go version: go1.26.8"),
            ("", ""),
        ],
    )
    def test_version_is_on_first_line(self, version: str, report: str) -> None:
        """The version is read from the first line, so Go's version is not mistaken for it."""
        assert version == pinned_tools.parse_version(report)


class TestVersionKey:
    def test_versions_compare_by_number(self) -> None:
        """3.9 comes before 3.16."""
        versions = ["3.16.1", "3.9.1", "3.16.0"]

        assert ["3.9.1", "3.16.0", "3.16.1"] == sorted(versions, key=pinned_tools.version_key)


class TestFind:
    def test_cache_with_two_versions(self, add_build: Callable[[Tool, str], Path]) -> None:
        """The pinned version is found among several versions in the cache."""
        add_build(PROMETHEUS, "3.9.0")
        pinned = add_build(PROMETHEUS, "3.16.0")
        add_build(PROMETHEUS, "3.20.0")

        assert pinned / "prometheus" == find("prometheus")
        assert pinned / "promtool" == find("promtool")

    def test_old_build_is_not_used(self, add_build: Callable[[Tool, str], Path]) -> None:
        """A cache with an older version alone is as good as empty."""
        add_build(PROMETHEUS, "3.9.0")

        with pytest.raises(UsageError, match=r"^promtool 3\.16\.0 is not installed: "):
            find("promtool")

    def test_unfinished_build_is_not_used(self, add_build: Callable[[Tool, str], Path]) -> None:
        """A build without its recipe is not finished, and is not used."""
        (add_build(PROMETHEUS, "3.16.0") / RECIPE).unlink()

        with pytest.raises(UsageError):
            find("promtool")

    @pytest.mark.parametrize("version", ["0.87.0", "0.100.0"])
    def test_program_on_path_is_used_if_it_is_at_least(
        self, add_program: AddProgram, version: str
    ) -> None:
        """A program on PATH is used if it is at least as new as its pin."""
        there = add_program("path", "pint", f"echo {version}")

        assert there == find("pint")

    def test_version_on_error_stream(self, add_program: AddProgram) -> None:
        """A version on the error stream counts, as VictoriaMetrics prints it."""
        there = add_program("path", "vmalert", "echo vmalert-v1.150.0 >&2")

        assert there == find("vmalert")

    def test_search_order_is_otel_meta_tools_cache_path(
        self, add_program: AddProgram, add_build: Callable[[Tool, str], Path]
    ) -> None:
        """The search order is OTEL_META_TOOLS, the cache, PATH."""
        pint = lookup("pint")[0]
        expected = [
            add_program("named", "pint", "echo 0.87.0"),
            add_build(pint, "0.87.0") / "pint",
            add_program("path", "pint", "echo 0.99.0"),
        ]
        found = []
        for path in expected:
            found.append(find("pint"))
            path.unlink()

        assert expected == found

    def test_older_program_is_skipped(self, add_program: AddProgram) -> None:
        """A program older than its pin is skipped for the next one."""
        add_program("named", "pint", "echo 0.9.0")
        there = add_program("path", "pint", "echo 0.87.0")

        assert there == find("pint")

    @pytest.mark.parametrize("script", ["echo 0.86.9", "echo no number", "exit 1", "echo 1.26.8.1"])
    def test_program_that_is_too_old_or_reports_no_version(
        self, add_program: AddProgram, script: str
    ) -> None:
        """A program that is too old or reports no version is not used."""
        add_program("path", "pint", script)

        with pytest.raises(UsageError, match="make tools"):
            find("pint")

    def test_collector_without_components_is_not_used_even_if_it(
        self, add_program: AddProgram
    ) -> None:
        """A Collector without the components is not used, even if it is newer."""
        path = add_program("path", "otelcol", "echo otelcol version 0.170.0")

        assert mismatch(COLLECTOR, path).startswith("it lacks span_metrics, ")
        with pytest.raises(UsageError):
            find("otelcol")

    def test_another_build_of_collector_is_used_if_it_has_components(
        self, add_program: AddProgram
    ) -> None:
        """Another build of the Collector is used if it has the components."""
        listed = "".join(f"echo '  - name: {part}'\n" for part in COLLECTOR.components)
        there = add_program("path", "otelcol", f"echo otelcol version 0.159.0\n{listed}")

        assert there == find("otelcol")

    def test_error_for_missing_program_is_one_line_with_version(self) -> None:
        """The error for a missing program is one line with the version and the cure."""
        with pytest.raises(UsageError) as caught:
            find("promtool")

        assert str(caught.value).startswith("promtool 3.16.0 is not installed: run `make tools` ")
        assert str(caught.value).endswith("or name its folder in OTEL_META_TOOLS")
        assert 1 == len(str(caught.value).splitlines())

    def test_name_of_a_tool(self, add_program: AddProgram) -> None:
        """The name of a tool stands for its first program."""
        there = add_program("path", "victoria-metrics", "echo v1.150.0")

        assert there == find("victoriametrics")

    def test_program_without_pin_is_found_in_otel_meta_tools_and_on_path(
        self, add_program: AddProgram
    ) -> None:
        """A program without a pin is found in OTEL_META_TOOLS and on PATH, at any version."""
        expected = [
            add_program("named", "unshare", "exit 1"),
            add_program("path", "unshare", "exit 1"),
        ]
        found = []
        for path in expected:
            found.append(find("unshare"))
            path.unlink()

        assert expected == found

    def test_missing_program_without_pin(self) -> None:
        """The error for a missing program without a pin names no version."""
        with pytest.raises(UsageError, match=r"^unshare is not installed: put it on PATH"):
            find("unshare")
