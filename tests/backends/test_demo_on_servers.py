"""The demo with its real servers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import NamedTuple

import pytest

from tests.waiting import TIMEOUT, poll

NOTIFICATION = re.compile(r"Alertmanager: (page|ticket) (\w+) (\S+) (\w+) firing")
SLO = "aurora-api-availability"
EXPECTED = {
    ("page", "SloErrorBudgetBurnFast", "titan-service-availability", "payments"),
    ("page", "SloErrorBudgetBurnFast", SLO, "storefront"),
}
COMMAND = re.compile(rf"^ +(.* explain {SLO} --service storefront .*)$", re.MULTILINE)
"""The command of the page's text, with the addresses of the servers."""


class DemoRun(NamedTuple):
    """A finished demo.

    Attributes:
        pages: severity, alert, SLO and service of each notification.
        code: the exit code.
        output: all lines of standard output.
        errors: the text of standard error.
        runbook: the runbook that the page links to.
        explained: the output of the command below the text of the page.
    """

    pages: set[tuple[str, ...]]
    code: int
    output: str
    errors: str
    runbook: str
    explained: str


def run_demo() -> DemoRun:
    """Run the demo, follow its page as soon as all are shown, and interrupt the demo."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "otel_meta", "demo", "--stack", "yes", "--for", "60s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    limit = Timer(TIMEOUT, demo.kill)
    limit.start()
    assert demo.stdout is not None
    output = ""
    pages: set[tuple[str, ...]] = set()
    runbook = explained = ""
    for line in demo.stdout:
        output += line
        pages.update(NOTIFICATION.findall(line))
        if pages >= EXPECTED and COMMAND.search(output):
            runbook, explained = _linked_runbook(output), _explained(output)
            demo.send_signal(signal.SIGINT)
            break
    rest, errors = demo.communicate()
    limit.cancel()
    return DemoRun(pages, demo.returncode, output + rest, errors, runbook, explained)


def _linked_runbook(output: str) -> str:
    """Return the section of the runbook that the page links to."""
    link = re.search(r"Runbook: file://(\S+)#(\S+)", output)
    if link is None or not Path(link[1]).exists():
        return ""
    return Path(link[1]).read_text().partition(f"\n## {link[2]}\n")[2].partition("\n## ")[0]


def _explained(output: str) -> str:
    """Run the command below the text of the page in a shell, in a folder without a project."""
    command = COMMAND.search(output)
    assert command
    texts: list[str] = []

    def is_complete() -> bool:
        """Return True if the spans of the traces have arrived."""
        texts.append(_run(command[1]))
        return "fails in" in texts[-1]

    poll(is_complete)
    return texts[-1]


def _run(command: str) -> str:
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            command, shell=True, cwd=folder, capture_output=True, text=True, check=False
        )
    return done.stdout + done.stderr


pytestmark = pytest.mark.background.with_args(run_demo)


def test_demo_shows_pages_of_the_real_servers(background_result: DemoRun) -> None:
    """The rules fire on series from the Collector, and Alertmanager pages about both services."""
    assert (0, "") == (background_result.code, background_result.errors)
    assert EXPECTED <= background_result.pages
    assert "two processes" in background_result.output


def test_page_leads_to_the_route_a_trace_and_a_log_line(background_result: DemoRun) -> None:
    """The command below the page's text names the route, a trace, its span and its log line."""
    explained = background_result.explained
    first = explained.partition("PART")[2].splitlines()[2]

    assert first.startswith('http_route="/orders"'), explained
    assert re.search(r"trace [0-9a-f]{32}", explained)
    assert "fails in payments: POST /payments" in explained
    assert re.search(r"^  \S+ info storefront request POST /orders 503", explained, re.MULTILINE)


def test_page_has_its_text_and_a_runbook(background_result: DemoRun) -> None:
    """The page names SLO and service in words, and links to the section of the SLO."""
    assert f"storefront burns its error budget fast: {SLO}" in background_result.output
    assert "**What fails?**" in background_result.runbook
