"""Tests with real servers, and a report of their results at the end of the run."""

from __future__ import annotations

import os

import pytest

from tests.backends import reliability_page


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the generated sections of docs/reliability.md."""
    for name, text in reliability_page.current_sections().items():
        terminalreporter.section(name)
        terminalreporter.write_line(text)
    if os.environ.get("RELIABILITY") == "write":
        reliability_page.publish_sections()
