"""The demo with its real servers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from threading import Timer
from typing import NamedTuple

import pytest

from tests.waiting import TIMEOUT

NOTIFICATION = re.compile(r"Alertmanager: (page|ticket) (\w+) (\S+) (\w+) firing")
EXPECTED = {
    ("page", "SloErrorBudgetBurnFast", "titan-service-availability", "payments"),
    ("page", "SloErrorBudgetBurnFast", "aurora-api-availability", "storefront"),
}


class DemoRun(NamedTuple):
    """A finished demo.

    Attributes:
        pages: severity, alert, SLO and service of each notification.
        code: the exit code.
        output: all lines of standard output.
        errors: the text of standard error.
    """

    pages: set[tuple[str, ...]]
    code: int
    output: str
    errors: str


def run_demo() -> DemoRun:
    """Run the demo, and interrupt it as soon as it has shown the expected pages."""
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
    for line in demo.stdout:
        output += line
        pages.update(NOTIFICATION.findall(line))
        if pages >= EXPECTED:
            demo.send_signal(signal.SIGINT)
            break
    rest, errors = demo.communicate()
    limit.cancel()
    return DemoRun(pages, demo.returncode, output + rest, errors)


@pytest.mark.background.with_args(run_demo)
def test_demo_shows_pages_of_the_real_servers(background_result: DemoRun) -> None:
    """The rules fire on series from the Collector, and Alertmanager pages about both services."""
    assert (0, "") == (background_result.code, background_result.errors)
    assert EXPECTED <= background_result.pages
    assert "two processes" in background_result.output
