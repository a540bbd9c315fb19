"""Tests on the real servers; what they found out is printed at the end."""

from __future__ import annotations

import os

import pytest

from tests.backends import report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the ledger and the list of differences, as docs/reliability.md has them."""
    for name, text in report.parts().items():
        terminalreporter.section(name)
        terminalreporter.write_line(text)
    if os.environ.get("RELIABILITY") == "write":
        report.write()
