"""The README's examples have the shown results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from otel_meta.cli.commands import COMMANDS
from otel_meta.cli.slo.status_columns import COLUMNS
from otel_meta.testing.loopback import LOOPBACK, free_port
from tests.waiting import poll

_ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"<!-- (?P<name>[\w. ]+) -->\n```\w*\n(?P<text>.*?)```", re.DOTALL)
_FILES = ("atlas.py", "service.py", "storefront.py")
_ORDER = "/orders/41"
_CACHE = _ROOT / ".mypy_cache" / "documents"


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """The named blocks of the README."""
    text = (_ROOT / "README.md").read_text()
    return {found["name"]: found["text"] for found in _BLOCK.finditer(text)}


@pytest.fixture(scope="module")
def folder(blocks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the README."""
    where = tmp_path_factory.mktemp("readme")
    for name in _FILES:
        (where / name).write_text(blocks[name])
    return where


@pytest.fixture(scope="module")
def storefront(folder: Path) -> Iterator[httpx.Client]:
    """A client of the README's application, which uvicorn serves."""
    port = str(free_port())
    with (
        _running(folder, "-m", "uvicorn", "storefront:app", "--port", port),
        httpx.Client(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as client,
    ):
        poll(lambda: _page(client, "/readyz"))
        yield client


class TestReadme:
    def test_shows_series_that_are_exposed(self, blocks: dict[str, str], folder: Path) -> None:
        """The service, run as shown, exposes each line of the shown exposition."""
        shown = set(blocks["metrics"].splitlines())
        port = str(free_port())
        with (
            _running(folder, "service.py", OTEL_EXPORTER_PROMETHEUS_PORT=port),
            httpx.Client(base_url=f"http://localhost:{port}", trust_env=False) as client,
        ):
            poll(lambda: shown <= set(_page(client, "/metrics").splitlines()), timeout=60)

            assert set() == shown - set(_page(client, "/metrics").splitlines())

    def test_shows_the_error_of_mypy(self, blocks: dict[str, str], folder: Path) -> None:
        """The type checker reports a value outside the closed set as shown."""
        service, _, _ = blocks["service.py"].partition("for _")
        wrong = 'atlas.routes.add(1, mode="train", outcome="found")\n'
        (folder / "wrong.py").write_text(service + wrong)
        options = ("--config-file=", f"--cache-dir={_CACHE}", "wrong.py")

        printed = _python(folder, "-m", "mypy", *options, status=1, MYPYPATH=str(_ROOT))

        assert blocks["type error"].strip() in printed

    def test_shows_the_status_that_is_answered(self, blocks: dict[str, str], folder: Path) -> None:
        """The shown expressions have the shown values after the recordings of the service."""
        *lines, values = blocks["status"].splitlines()
        assign, evaluate = (line.removeprefix(">>> ") for line in lines)
        asked = f"{assign}; print(({evaluate}))"
        (folder / "shown.py").write_text(blocks["service.py"].replace("time.sleep(600)", asked))

        assert values in _python(folder, "shown.py").splitlines()

    def test_shows_a_rule_that_is_generated(
        self, blocks: dict[str, str], folder: Path, tmp_path: Path
    ) -> None:
        """The shown rule is in the generated file."""
        chosen = ("--repo", "atlas:Atlas", "--only", "--out", str(tmp_path))
        _python(folder, "-m", "otel_meta", "generate", *chosen)
        (written,) = tmp_path.glob("rules/atlas-maps.recording.yml")

        assert blocks["rule"] in written.read_text()

    def test_shows_the_repositories_that_there_are(self, blocks: dict[str, str]) -> None:
        """The shown table is the output of the command."""
        command, _, table = blocks["show"].partition("\n")

        assert "$ otel-meta show repos" == command
        assert table == _python(_ROOT, "-m", "otel_meta", "show", "repos")

    def test_shows_columns_of_the_table_of_statuses(self, blocks: dict[str, str]) -> None:
        """The shown statuses have columns of the real table, in its order."""
        _, heading, *_ = blocks["statuses"].splitlines()
        shown = re.split(r"\s{2,}", heading)

        assert [column.heading for column in COLUMNS if column.heading in shown] == shown

    def test_lists_every_command(self) -> None:
        """The table of commands has each command."""
        text = (_ROOT / "README.md").read_text()
        shown = re.findall(r"^\| `otel-meta ([\w-]+)` \|", text, re.MULTILINE)

        assert set() == {*COMMANDS} - {*shown}

    def test_counts_the_metrics_and_slos_of_the_catalogue(self) -> None:
        """The README has the numbers of metrics and SLOs that a check of the catalogue prints."""
        (metrics, slos) = re.findall(
            r"(\d+) (?:metrics|SLOs)", _python(_ROOT, "-m", "otel_meta", "check")
        )

        assert f"come with {metrics} metrics and {slos} SLOs" in (_ROOT / "README.md").read_text()

    def test_shows_the_refusal_of_a_wrong_bound(self, blocks: dict[str, str], folder: Path) -> None:
        """The shown error is raised."""
        expected = blocks["refused"].splitlines()[1].partition(": ")[2]
        script = (
            "from atlas import Atlas\n"
            "try:\n    Atlas.duration.within(0.3)\n"
            "except Exception as e:\n    print(e)"
        )

        assert expected == _python(folder, "-c", script).strip()

    def test_names_extras_that_there_are(self) -> None:
        """The table of extras has the extras of the package that users need."""
        text = (_ROOT / "README.md").read_text()
        table = text[text.index("| extra |") : text.index("## A FastAPI application")]
        project = (_ROOT / "pyproject.toml").read_text()
        extras = re.findall(r"^(\w+) = \[", project, re.MULTILINE)

        named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)

        assert {
            "sdk",
            "prometheus",
            "otlp",
            "fastapi",
            "cli",
            "generate",
            "mcp",
            "compression",
            "all",
            "native",
            "examples",
        } == set(named)
        assert set() == set(named) - set(extras)


class TestFastApiSection:
    def test_shows_series_that_are_exposed(
        self, blocks: dict[str, str], storefront: httpx.Client
    ) -> None:
        """After one order, each shown line is on the page."""
        storefront.post(_ORDER)

        page = storefront.get("/metrics").text.splitlines()

        assert [] == [
            line for line in blocks["storefront metrics"].splitlines() if line not in page
        ]

    def test_names_the_headers_of_the_response(self, storefront: httpx.Client) -> None:
        """The response to an order has the headers that the README names."""
        assert {"x-request-id", "server-timing"} <= set(storefront.put(_ORDER).headers)

    def test_says_which_slos_have_data(self, storefront: httpx.Client) -> None:
        """The SLOs of HTTP requests are met, and the others have no data."""
        storefront.put(_ORDER)

        states = {slo["name"]: slo["state"] for slo in storefront.get("/slo").json()["slos"]}

        assert {"aurora-api-availability", "aurora-api-latency"} == {
            name for name, state in states.items() if "ok" == state
        }
        assert {"ok", "no_data"} == set(states.values())

    def test_application_passes_a_gate_that_allows_no_data(self, storefront: httpx.Client) -> None:
        """Met SLOs pass the gate; the SLOs without data fail a gate that names `no_data`."""
        storefront.put(_ORDER)
        gate = ("-m", "otel_meta", "slo", str(storefront.base_url), "--fail-on")

        _python(_ROOT, *gate, "breached,at_risk")
        _python(_ROOT, *gate, "breached,at_risk,no_data", status=1)

    def test_shows_a_log_line_with_its_fields(self, blocks: dict[str, str], folder: Path) -> None:
        """The shown line has the fields, the order and the values of a real line."""
        script = (
            "import storefront, fastapi.testclient as t\n"
            f"t.TestClient(storefront.app).post({_ORDER!r})"
        )
        (line,) = (x for x in _python(folder, "-c", script).splitlines() if "order placed" in x)
        shown, real = json.loads(blocks["log line"]), json.loads(line)
        by_chance = {"timestamp", "request_id", "trace_id", "span_id"}

        assert list(shown) == list(real)
        assert {k: v for k, v in shown.items() if k not in by_chance} == {
            k: v for k, v in real.items() if k not in by_chance
        }


def _page(client: httpx.Client, path: str) -> str:
    """Return a page, or an empty text while nobody listens."""
    try:
        return client.get(path).text
    except httpx.ConnectError:
        return ""


def _environment(**variables: str) -> dict[str, str]:
    given = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    return {**given, **variables}


@contextmanager
def _running(folder: Path, *args: str, **variables: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, *args],
        cwd=folder,
        env=_environment(**variables),
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _python(folder: Path, *args: str, status: int = 0, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        env=_environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert status == done.returncode, done.stdout + done.stderr
    return done.stdout
