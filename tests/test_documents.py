"""Commands, queries and code in the documents work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import promql_parser
import pytest

from otel_meta import Duration, repos
from otel_meta.model import BURN_WINDOWS
from otel_meta.model.slo.objective import exact_decimal
from otel_meta.render.rules import series_names
from otel_meta.testing import capture

_ROOT = Path(__file__).parents[1]
_PAGES = sorted([_ROOT / "README.md", *(_ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL
)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)")


class Block(NamedTuple):
    """A block of code in a document."""

    page: Path
    mark: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.mark or self.text.splitlines()[0]}"


def _blocks(language: str) -> list[Block]:
    return [
        Block(page, found["mark"] or "", found["language"], found["text"])
        for page in _PAGES
        for found in _BLOCK.finditer(page.read_text())
        if found["language"] == language
    ]


_PROMETHEUS_METRIC = "prometheus_rule_evaluation_failures_total"
"""A metric about Prometheus itself, which a document uses."""

_QUERIES = _blocks("promql")
_RUN = [block for block in _blocks("python") if block.mark.startswith("run:")]
_SCRIPTS = [block for block in _blocks("python") if block.mark.startswith("script:")]
_IMPORT = re.compile(r"from (otel_meta[\w.]*) import (\([^)]*\)|[^\n`()]+)")
_COMMANDS = [
    line.strip()
    for block in _blocks("sh")
    for line in block.text.splitlines()
    if line.strip().startswith("otel-meta")
]


@pytest.mark.parametrize("block", _QUERIES, ids=str)
def test_queries_parse_and_select_existing_series(block: Block) -> None:
    """A query in a document parses, and selects only exposed or recorded series."""
    names = set(_names(promql_parser.parse(block.text)))

    assert set() == names - _known()


@pytest.mark.parametrize("block", _RUN, ids=str)
def test_code_runs_and_records(block: Block) -> None:
    """Code in a document runs, and records without a fault."""
    repo, _, name = block.mark.removeprefix("run:").strip().partition(" as ")
    with capture() as captured:
        scope: dict[str, object] = {"__name__": "document"}
        if name:
            scope[name] = captured.bind(getattr(repos, repo))
        exec(compile(block.text, str(block.page), "exec"), scope)  # the document's own code

        assert 0 == captured.telemetry.faults.count()


@pytest.mark.parametrize("block", _SCRIPTS, ids=str)
def test_programs_run(block: Block, tmp_path: Path) -> None:
    """A program in a document runs in a process of its own, without a fault."""
    (tmp_path / "program.py").write_text(block.text)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 0 == done.returncode, done.stderr
    assert "otel_meta_faults_total" not in done.stdout + done.stderr


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_imported_names_exist(page: Path) -> None:
    """Each name that a document imports from the package can be imported."""
    named = [
        (module, name.strip().partition(" as ")[0])
        for module, names in _IMPORT.findall(page.read_text())
        for name in names.strip("()").split("#")[0].split(",")
        if name.strip()
    ]

    assert [] == [
        (module, name) for module, name in named if not hasattr(import_module(module), name)
    ]


@pytest.mark.parametrize("command", _COMMANDS)
def test_commands_work(command: str, tmp_path: Path) -> None:
    """A command in a document succeeds without an error message."""
    if "--rules" in command:
        (tmp_path / "rules").symlink_to(_ROOT / "rules")
    done = subprocess.run(
        [sys.executable, "-m", "otel_meta", *command.split()[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_links_lead_to_existing_files(page: Path) -> None:
    """Each link of a document to another file leads to an existing file."""
    targets = [page.parent / target for target in _LINK.findall(page.read_text())]

    assert [] == [target for target in targets if not target.exists()]


def test_quick_start_serves_orders_and_metrics(tmp_path: Path) -> None:
    """The application of the quick start accepts an order, and counts it on /metrics and /slo."""
    (block,) = (b for b in _blocks("python") if b.mark == "file: shop.py")
    (tmp_path / "shop.py").write_text(block.text)
    script = (
        "import shop, fastapi.testclient as t\n"
        "c = t.TestClient(shop.app)\n"
        "print(c.post('/orders').json())\n"
        "print(c.get('/metrics').text)\n"
        "print(c.get('/slo').json()['slos'][0]['state'])\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    printed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    assert "{'status': 'accepted'}" in printed
    assert 'orders_placed_total{channel="web",outcome="accepted",service_name="shop"' in printed
    assert "ok" == printed.splitlines()[-1]


def test_guide_has_the_burn_rate_windows_of_alerts() -> None:
    """The SLO guide has the burn rates and windows of the generated alerts."""
    text = (_ROOT / "docs" / "slo-guide.md").read_text()
    expected = {_burn_row(period) for period in BURN_WINDOWS}

    assert expected == {line for line in text.splitlines() if re.match(r"\| \d+d \|", line)}


def test_alerting_page_names_every_alert() -> None:
    """The page on alerting names each alert of the rules with its severity."""
    text = (_ROOT / "docs" / "alerting.md").read_text()
    declared = [alert for repo in repos.BUILTIN for alert in repo.alerts.values()]
    named = re.findall(r"\*(\w+)\*|^\| (\w+) \| \w+ \|", text, re.MULTILINE)
    names = {name for pair in named for name in pair if name}
    generated = set(re.findall(r"- alert: (\w+)", "".join(_rule_texts())))

    assert set() == generated - names
    assert [] == [a.name for a in declared if f"| {a.name} | {a.severity} |" not in text]


def _rule_texts() -> list[str]:
    return [path.read_text() for path in sorted((_ROOT / "rules").glob("*.yml"))]


def _burn_row(period: Duration) -> str:
    cells = [
        f"{exact_decimal(window.burn_rate(period))} over {window.long} and {window.short}"
        for window in BURN_WINDOWS[period]
    ]
    return f"| {period} | {' | '.join(cells)} |"


def _names(node: object) -> list[str]:
    """Return the names of all series that an expression selects."""
    text = str(node)
    found = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?=\{)", text)
    return [name for name in found if name not in {"by", "without", "on", "ignoring"}]


def _known() -> set[str]:
    exposed = {
        sample
        for _, instrument in repos.BUILTIN.instruments()
        for sample in instrument.sample_names
    }
    declared = {r.name for repo in repos.BUILTIN for r in repo.recordings.values()}
    generated = {value for value in vars(series_names).values() if isinstance(value, str)}
    return (
        exposed
        | declared
        | generated
        | {"up", "otel_meta_faults_total", "otel_meta_up", _PROMETHEUS_METRIC}
    )
