from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import redirect_stdout

import pytest

from otel_meta.cli.demo.display import Display

CLEAR = "\x1b[H\x1b[2J"


class Terminal:
    """A terminal as standard output."""

    def __init__(self) -> None:
        self._inside, outside = os.openpty()
        self.output = open(outside, "w")  # noqa: SIM115, PTH123  # closed by close()

    def screens(self) -> list[str]:
        """Return what has been shown, screen by screen."""
        self.output.flush()
        return os.read(self._inside, 1 << 16).decode().replace("\r\n", "\n").split(CLEAR)[1:]

    def close(self) -> None:
        """Close both ends."""
        self.output.close()
        os.close(self._inside)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal in place of standard output."""
    opened = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    yield opened
    opened.close()


def test_pipe_gets_every_line_once_and_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe gets each address, event and page when it comes, and each table."""
    display = Display()
    display.show_addresses(["http://a"])
    display.show_event("a fault")
    display.show_page("A", "orders fail")

    assert "http://a\na fault\norders fail\n" == capsys.readouterr().out

    display.show_table("TABLE", "1 of 2 s")

    assert "\nTABLE\n\n1 of 2 s\n\n" == capsys.readouterr().out


def test_terminal_shows_addresses_last_events_and_table(terminal: Terminal) -> None:
    """A terminal shows the addresses, the last eight events and the table, again and again."""
    with redirect_stdout(terminal.output):
        display = Display()
        display.show_addresses(["http://a"])
        for number in range(10):
            display.show_event(f"event {number}")
        display.show_table("TABLE", "1 of 2 s")
        display.show_table("TABLE", "2 of 2 s")
    first, second = terminal.screens()

    last = [f"event {number}" for number in range(2, 10)]

    assert ["http://a", *last, "", "TABLE"] == first.split("\n")[1:12]
    assert first.replace("1 of", "2 of") == second


def test_page_stays_on_terminal_until_its_end(terminal: Terminal) -> None:
    """The text of a page stays on the terminal until the page ends."""
    with redirect_stdout(terminal.output):
        display = Display()
        display.show_page("A", "orders fail")
        display.show_table("TABLE", "1 of 3 s")
        display.show_table("TABLE", "2 of 3 s")
        display.end_page("A")
        display.show_table("TABLE", "3 of 3 s")

    assert [True, True, False] == ["orders fail" in screen for screen in terminal.screens()]
