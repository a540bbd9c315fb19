"""The program as a whole: what it answers with, whatever it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_meta.errors import OtelMetaError

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Command, Refused, Write

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
    """The end of a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


class TestInvocation:
    def test_version(self, otel_meta: Command) -> None:
        """It says its version."""
        done = otel_meta("--version")

        assert (0, f"otel-meta {version('otel_meta')}\n") == (done.returncode, done.stdout)

    @pytest.mark.parametrize("command", ["show", "check", "demo"])
    def test_help(self, answer: Answer, command: str) -> None:
        """Each command is listed, and explains itself."""
        listed, explained = answer("-h"), answer(command, "-h")

        assert (0, 0) == (listed[0], explained[0])
        assert f"\n    {command} " in listed[1]
        assert explained[1].startswith(f"usage: otel-meta {command}")

    def test_module(self, otel_meta: Command, environment: dict[str, str], tmp_path: Path) -> None:
        """`python -m otel_meta` is the program."""
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
        """`python -m otel_meta` hands on the exit code, and goes by the program's name."""
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


class TestRefusal:
    """Exit code 2, one line on standard error, nothing on standard output."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [([], "COMMAND"), (["sow"], "'sow'"), (["show", "--nonsense"], "--nonsense")],
        ids=str,
    )
    def test_program(self, refused: Refused, arguments: list[str], said: str) -> None:
        """What the command line cannot mean is named."""
        assert said in refused(*arguments)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--nonsense"], "COMMAND"),
            (["check", "metrics"], "metrics"),
            (["demo", "--for"], "--for"),
            (["show", "--repo"], "--repo"),
            (["show", "nothing"], "cannot show 'nothing'; choose from repos, metrics, slos"),
            (["show", "metrics", "none"], "cannot show 'none'; choose from repos, metrics, slos"),
            (["show", "--repo", "a\nb"], "--repo"),
            (["show", "a\nb"], "cannot show"),
            (["check", "--a\nb"], "unrecognized"),
            (["demo", "--for=a\nb"], "duration"),
        ],
        ids=str,
    )
    def test_line(self, answer: Answer, arguments: list[str], said: str) -> None:
        """It is one line, whatever was typed."""
        code, out, err = answer(*arguments)

        assert (2, "") == (code, out)
        assert said in err
        assert 1 == len(err.splitlines())

    def test_banana(self, refused: Refused) -> None:
        """A length that is no duration is refused before anything starts."""
        line = refused("demo", "--for", "banana")

        assert (
            "otel-meta: duration 'banana': is not a number and a unit; "
            "write it as 30s, 5m, 6h or 30d"
        ) == line

    @pytest.mark.parametrize("length", ["", "0s", "-5s", "1.5m", "12", "5 m", "1w"])
    def test_length(self, answer: Answer, length: str) -> None:
        """So is everything else that does not say how long."""
        code, out, err = answer("demo", f"--for={length}")

        assert (2, "") == (code, out)
        assert err.startswith(f"otel-meta: duration {length!r}: ")

    @pytest.mark.parametrize("length", ["9" * 5000 + "s", "99999999999d"], ids=["digits", "days"])
    def test_endless(self, refused: Refused, length: str) -> None:
        """A length that no clock can count is refused like any other."""
        assert "duration" in refused("demo", "--for", length, timeout=20)

    def test_error(self, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Any error of the package's own ends in its message and exit code 2."""

        def fail(_: object) -> None:
            raise OtelMetaError("it is as it is")

        monkeypatch.setattr("otel_meta.cli.check.load_catalog", fail)

        assert (2, "", "otel-meta: it is as it is\n") == answer("check")


class TestOutput:
    """Where standard output does not take what is written."""

    @pytest.mark.parametrize(
        "arguments",
        [["show"], ["show", "--json"], ["check"], ["-h"], ["--version"]],
        ids=" ".join,
    )
    def test_closed_pipe(self, otel_meta: Command, closed_pipe: int, arguments: list[str]) -> None:
        """A reader that has seen enough is no error."""
        done = otel_meta(*arguments, stdout=closed_pipe)

        assert (0, "") == (done.returncode, done.stderr)

    def test_head(self, program: Path, environment: dict[str, str]) -> None:
        """`otel-meta show --json | head -1` prints one line and is content."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen([program, "show", "--json"], env=environment, **streams) as shown:
            first = shown.stdout.readline()
            shown.stdout.close()
            errors = shown.stderr.read()

        assert (0, b"{\n", b"") == (shown.returncode, first, errors)

    def test_findings_without_a_reader(
        self, otel_meta: Command, closed_pipe: int, write: Write
    ) -> None:
        """Findings are findings, whether or not anybody reads them."""
        write("clash", CLASH)

        done = otel_meta("check", "--repo", "clash:Clash", stdout=closed_pipe)

        assert (1, "") == (done.returncode, done.stderr)

    def test_closed(self, program: Path, environment: dict[str, str]) -> None:
        """Without a standard output, the exit code still tells."""
        done = subprocess.run(
            ["sh", "-c", '"$0" check >&-', program],
            env=environment,
            capture_output=True,
            check=False,
            text=True,
        )

        assert (0, "") == (done.returncode, done.stderr)

    def test_full(self, otel_meta: Command) -> None:
        """A disk that is full is told in one line."""
        with Path("/dev/full").open("w") as full:
            done = otel_meta("show", stdout=full)

        assert 2 == done.returncode
        assert 1 == len(done.stderr.splitlines())

    @pytest.mark.parametrize("arguments", [[], ["--json"]], ids=str)
    def test_ascii(
        self, otel_meta: Command, environment: dict[str, str], write: Write, arguments: list[str]
    ) -> None:
        """A terminal without the letters of a description shows the rest; JSON stays JSON."""
        write("zurich", ZURICH)

        done = otel_meta(
            *("show", "repos", "--only", "--repo=zurich:Zurich", *arguments),
            env={**environment, "PYTHONIOENCODING": "ascii"},
        )

        assert (0, "") == (done.returncode, done.stderr)
        assert "rich." in done.stdout
        assert not arguments or "Zürich." == json.loads(done.stdout)["repos"][0]["description"]


class TestBareInstallation:
    """Without the optional packages."""

    def run(self, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a process that lacks them."""
        code = SHADOWED.format(absent=EXTRAS, arguments=list(arguments))
        return subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=False,
            text=True,
        )

    @pytest.mark.parametrize("command", ["show", "check"])
    def test_catalogue(self, otel_meta: Command, environment: dict[str, str], command: str) -> None:
        """What is declared can be shown and checked with the standard dependencies."""
        done = self.run(environment, command)

        assert (0, "") == (done.returncode, done.stderr)
        assert otel_meta(command).stdout == done.stdout

    def test_demo(self, environment: dict[str, str]) -> None:
        """The demo says which packages it needs and how to get them."""
        done = self.run(environment, "demo")

        assert (2, "") == (done.returncode, done.stdout)
        assert "otel-meta: the demo needs: pip install 'otel_meta[examples]'\n" == done.stderr
