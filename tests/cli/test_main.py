"""The program as a whole: exit codes, output and errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_meta.cli.commands import COMMANDS
from otel_meta.errors import OtelMetaError

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Refused, RunCommand, Write

SHADOWED = """\
import sys
for name in {absent}:
    sys.modules[name] = None  # as if it were not installed
from otel_meta.cli import main
sys.exit(main({arguments}))
"""
EXTRAS = [
    "fastapi",
    "google.protobuf",
    "httpx",
    "opentelemetry.exporter",
    "opentelemetry.proto",
    "prometheus_client",
    "starlette",
    "uvicorn",
    "websockets",
    "yaml",
]
CLASH = """\
from otel_meta import Counter, MetaRepo, NoLabels
class Clash(MetaRepo, name="clash", owner="nobody"):
    orders = Counter("orders_placed", "Orders.", NoLabels)
"""

ZURICH = """\
from otel_meta import MetaRepo
class Zurich(MetaRepo, name="zurich", owner="nobody"):
    'Zürich.'
"""


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """The write end of a pipe without a reader."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


class TestInvocation:
    def test_version_is_printed(self, otel_meta: Command) -> None:
        """The version is printed."""
        done = otel_meta("--version")

        assert (0, f"otel-meta {version('otel_meta')}\n") == (done.returncode, done.stdout)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_each_command_is_listed_and_has_help_text(
        self, run_command: RunCommand, command: str
    ) -> None:
        """Each command is listed and has a help text."""
        listed, explained = run_command("-h"), run_command(command, "-h")

        assert (0, 0) == (listed[0], explained[0])
        assert re.search(rf"^│ {command} +[A-Z]", listed[1], re.MULTILINE)
        assert f" Usage: otel-meta {command} [OPTIONS]" in explained[1]

    def test_python_m_otel_meta_runs_program(
        self, otel_meta: Command, environment: dict[str, str], tmp_path: Path
    ) -> None:
        """`python -m otel_meta` runs the program."""
        done = subprocess.run(
            [sys.executable, "-m", "otel_meta", "check"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
            text=True,
        )

        assert otel_meta("check").stdout == done.stdout
        assert (0, "") == (done.returncode, done.stderr)

    def test_module_is_refused_alike(self, environment: dict[str, str], tmp_path: Path) -> None:
        """`python -m otel_meta` has the exit code and the name of the program."""
        done = subprocess.run(
            [sys.executable, "-m", "otel_meta", "show", "nothing"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
            text=True,
        )

        assert (2, "") == (done.returncode, done.stdout)
        assert done.stderr.startswith("otel-meta: cannot show 'nothing'")

    @pytest.mark.parametrize("arguments", [["-h"], ["--version"]], ids=str)
    def test_program_without_command_imports_none(
        self, environment: dict[str, str], arguments: list[str]
    ) -> None:
        """The help and the version import no command, no catalogue and no YAML."""
        code = (
            "import sys; from otel_meta.cli import main\n"
            f"try: main({arguments})\n"
            "finally: print([name for name in sys.modules if name in "
            "('pydantic', 'yaml', 'httpx', 'otel_meta.repos', 'otel_meta.render') "
            "or name.endswith('_command')])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
        )

        assert "[]" == done.stdout.splitlines()[-1]


class TestBadInput:
    """Bad input: exit code 2, one line on standard error, no standard output."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [([], "COMMAND"), (["sow"], "'sow'"), (["show", "--nonsense"], "--nonsense")],
        ids=str,
    )
    def test_error_names_wrong_argument(
        self, refused: Refused, arguments: list[str], message: str
    ) -> None:
        """The error names the wrong argument."""
        assert message in refused(*arguments)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--nonsense"], "there is no option --nonsense"),
            (["check", "metrics"], "metrics"),
            (["demo", "--for"], "--for"),
            (["show", "--repo"], "--repo"),
            (["show", "nothing"], "cannot show 'nothing'; choose from repos, metrics, slos"),
            (["show", "metrics", "none"], "cannot show 'none'; choose from repos, metrics, slos"),
            (["show", "--repo", "a\nb"], "--repo"),
            (["show", "a\nb"], "cannot show"),
            (["check", "--a\nb"], "there is no option --a b"),
            (["demo", "--for=a\nb"], "duration"),
        ],
        ids=str,
    )
    def test_error_is_one_line_for_any_input(
        self, run_command: RunCommand, arguments: list[str], message: str
    ) -> None:
        """The error is one line for any input."""
        code, out, err = run_command(*arguments)

        assert (2, "") == (code, out)
        assert message in err
        assert 1 == len(err.splitlines())

    def test_invalid_duration_is_error_before_process_starts(self, refused: Refused) -> None:
        """An invalid duration is an error before a process starts."""
        line = refused("demo", "--for", "banana")

        assert (
            "otel-meta: duration 'banana': is not a whole number above 0 and a unit; "
            "write it as 30s, 5m, 6h or 30d"
        ) == line

    @pytest.mark.parametrize("length", ["", "0s", "-5s", "1.5m", "12", "5 m", "1w"])
    def test_durations_need_positive_number_and_unit(
        self, run_command: RunCommand, length: str
    ) -> None:
        """Durations need a positive number and a unit."""
        code, out, err = run_command("demo", f"--for={length}")

        assert (2, "") == (code, out)
        assert err.startswith(f"otel-meta: duration {length!r}: ")

    @pytest.mark.parametrize("length", ["9" * 5000 + "s", "99999999999d"], ids=["digits", "days"])
    def test_duration_beyond_range_of_clock_is_error(self, refused: Refused, length: str) -> None:
        """A duration beyond the range of the clock is an error."""
        assert "duration" in refused("demo", "--for", length, timeout=20)

    def test_each_error_of_package_is_printed_and_exit_code(
        self, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each error of the package is printed, and the exit code is 2."""

        def fail(_: object) -> None:
            raise OtelMetaError("cannot continue")

        monkeypatch.setattr("otel_meta.cli.commands.check_command.load_catalog", fail)

        assert (2, "", "otel-meta: cannot continue\n") == run_command("check")


class TestOutput:
    """Standard output that is closed, full or in another encoding."""

    @pytest.mark.parametrize(
        "arguments",
        [["show"], ["show", "--json"], ["check"], ["-h"], ["--version"]],
        ids=" ".join,
    )
    def test_closed_pipe_is_no_error(
        self, otel_meta: Command, closed_pipe: int, arguments: list[str]
    ) -> None:
        """A closed pipe is no error."""
        done = otel_meta(*arguments, stdout=closed_pipe)

        assert (0, "") == (done.returncode, done.stderr)

    def test_otel_meta_show_json_head_1_prints_one_line_without(
        self, program: Path, environment: dict[str, str]
    ) -> None:
        """`otel-meta show --json | head -1` prints one line without an error."""
        command: list[str | Path] = [program, "show", "--json"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe) as shown:
            assert shown.stdout is not None
            assert shown.stderr is not None
            first = shown.stdout.readline()
            shown.stdout.close()
            errors = shown.stderr.read()

        assert (0, b"{\n", b"") == (shown.returncode, first, errors)

    def test_findings_without_a_reader(
        self, otel_meta: Command, closed_pipe: int, write: Write
    ) -> None:
        """Findings set the exit code also if the pipe is closed."""
        write("clash", CLASH)

        done = otel_meta("check", "--repo", "clash:Clash", stdout=closed_pipe)

        assert (1, "") == (done.returncode, done.stderr)

    def test_without_standard_output_exit_code_is_right(
        self, program: Path, environment: dict[str, str]
    ) -> None:
        """Without a standard output, the exit code is right."""
        done = subprocess.run(
            ["sh", "-c", '"$0" check >&-', program],
            env=environment,
            capture_output=True,
            check=False,
            text=True,
        )

        assert (0, "") == (done.returncode, done.stderr)

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [(["sow"], 2), (["slo", "http://127.0.0.1:1", "--fail-on=breached"], 3)],
        ids=["usage", "server"],
    )
    @pytest.mark.parametrize("is_full", [True, False], ids=["full disk", "closed pipe"])
    def test_error_without_a_reader_keeps_its_exit_code(
        self,
        otel_meta: Command,
        closed_pipe: int,
        arguments: list[str],
        code: int,
        *,
        is_full: bool,
    ) -> None:
        """An error that cannot be printed keeps its exit code, and a gate stays closed."""
        with Path("/dev/full").open("w") as full:
            done = otel_meta(*arguments, stderr=full if is_full else closed_pipe)

        assert code == done.returncode

    def test_full_disk_is_error_of_one_line(self, otel_meta: Command) -> None:
        """A full disk is an error of one line."""
        with Path("/dev/full").open("w") as full:
            done = otel_meta("show", stdout=full)

        assert 2 == done.returncode
        assert 1 == len(done.stderr.splitlines())

    @pytest.mark.parametrize("arguments", [[], ["--json"]], ids=str)
    def test_characters_outside_terminals_encoding_are_replaced(
        self, otel_meta: Command, environment: dict[str, str], write: Write, arguments: list[str]
    ) -> None:
        """Characters outside the terminal's encoding are replaced; JSON stays valid."""
        write("zurich", ZURICH)

        done = otel_meta(
            *("show", "repos", "--only", "--repo=zurich:Zurich", *arguments),
            env={**environment, "PYTHONIOENCODING": "ascii"},
        )

        assert (0, "") == (done.returncode, done.stderr)
        assert "rich." in done.stdout
        assert not arguments or "Zürich." == json.loads(done.stdout)["repos"][0]["description"]


class TestBareInstallation:
    """Installation without the optional packages."""

    def run(
        self, environment: dict[str, str], *arguments: str, absent: list[str] = EXTRAS
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a process without some packages."""
        code = SHADOWED.format(absent=absent, arguments=list(arguments))
        return subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=False,
            text=True,
        )

    @pytest.mark.parametrize("command", ["show", "check"])
    def test_catalogue_can_be_shown_and_checked_without_extras(
        self, otel_meta: Command, environment: dict[str, str], command: str
    ) -> None:
        """The catalogue can be shown and checked without extras."""
        done = self.run(environment, command)

        assert (0, "") == (done.returncode, done.stderr)
        assert otel_meta(command).stdout == done.stdout

    @pytest.mark.parametrize("package", ["typer", "rich"])
    @pytest.mark.parametrize("arguments", [["show"], ["-h"], []], ids=str)
    def test_without_command_line_is_error_with_pip_command(
        self, environment: dict[str, str], package: str, arguments: list[str]
    ) -> None:
        """Without the extra of the command line, every call is an error with the pip command."""
        done = self.run(environment, *arguments, absent=[package])

        assert (2, "") == (done.returncode, done.stdout)
        assert "otel-meta: The command line needs: pip install 'otel_meta[cli]'\n" == done.stderr

    @pytest.mark.parametrize("absent", [EXTRAS, ["opentelemetry.instrumentation.httpx"]], ids=len)
    def test_demo_without_its_packages_is_error_with_pip_command(
        self, environment: dict[str, str], absent: list[str]
    ) -> None:
        """The demo without one of its packages is an error with the pip command."""
        done = self.run(environment, "demo", absent=absent)

        assert (2, "") == (done.returncode, done.stdout)
        assert "otel-meta: The demo needs: pip install 'otel_meta[examples]'\n" == done.stderr
