from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.logs.line_formats import create_renderer
from tests.conftest import environment

ERROR = "Traceback (most recent call last):\n  ...\nValueError: x"


class Terminal(io.BytesIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@dataclass
class User:
    """A dataclass that hides a field."""

    password: str = field(repr=False, default="hunter2")


def render(name: str, stream: Any = None, environ: Any = None, **fields: Any) -> str:
    """Render a line."""
    event = {
        "timestamp": "2026-11-26T09:00:00.123456Z",
        "level": "info",
        "event": "said",
        "logger": "shop",
        **fields,
    }
    renderer = create_renderer(name, stream or io.BytesIO(), environ or {})
    return renderer(None, "info", event).decode()


class TestChoice:
    @pytest.mark.parametrize(
        ("name", "stream", "start"),
        [
            ("auto", io.BytesIO(), '{"timestamp"'),
            ("auto", Terminal(), "\x1b"),
            ("json", Terminal(), '{"timestamp"'),
            ("logfmt", Terminal(), "timestamp="),
            ("console", io.BytesIO(), ""),
        ],
    )
    def test_format_follows_setting_and_stream(self, name: str, stream: Any, start: str) -> None:
        """The format follows the setting; by default a terminal gets columns, the rest JSON."""
        assert render(name, stream).startswith(start)

    @pytest.mark.parametrize(
        ("stream", "environ", "colors"),
        [
            (Terminal(), {}, True),
            (Terminal(), {"NO_COLOR": "1"}, False),
            (Terminal(), {"NO_COLOR": ""}, True),
            (Terminal(), {"TERM": "dumb"}, False),
            (io.BytesIO(), {}, False),
            (io.BytesIO(), {"FORCE_COLOR": "1"}, True),
            (io.BytesIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ],
    )
    def test_colours_follow_terminal_and_variables(
        self, stream: Any, environ: dict[str, str], colors: bool
    ) -> None:
        """Colours follow the terminal, NO_COLOR and FORCE_COLOR."""
        assert colors == ("\x1b[" in render("console", stream, environ))

    def test_closed_stream_is_no_terminal(self) -> None:
        """A closed stream is no terminal."""
        stream = io.BytesIO()
        stream.close()

        assert render("auto", stream).startswith("{")


class TestJson:
    @given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.lists(st.text())))
    def test_fields_are_rendered_unchanged(self, fields: dict[str, Any]) -> None:
        """Fields are rendered unchanged."""
        assert fields.items() <= json.loads(render("json", None, None, **{"x": 1} | fields)).items()

    def test_values_that_a_processor_added_show_what_repr_shows(self) -> None:
        """Values that a processor of the application added show no more than `repr`."""
        line = json.loads(render("json", user=User(), amount=Decimal("1.5"), keys={1: "\ud800"}))

        assert ({}, "1.5", {"1": "?"}) == (line["user"], line["amount"], line["keys"])


class TestLogfmt:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("plain", "v=plain"),
            ("two words", 'v="two words"'),
            ('quote"d', r'v="quote\"d"'),
            ("a\nb\x1b", r'v="a\nb\u001b"'),
            ("", 'v=""'),
            (None, "v="),
            (True, "v=true"),
            (1.5, "v=1.5"),
            ([1, "a"], r'v="[1,\"a\"]"'),
        ],
    )
    def test_value_is_one_word_or_quoted(self, value: Any, text: str) -> None:
        """A value is one word or quoted, and the line has no control characters."""
        assert render("logfmt", v=value).endswith(f" {text}")

    def test_key_has_no_spaces_and_signs(self) -> None:
        """A key has no spaces and signs."""
        assert render("logfmt", **{'a b="c': 1}).endswith(" a_b_c=1")


class TestConsole:
    def test_line_has_local_time_and_fields_without_identity(self) -> None:
        """A line has time, level, event and fields, without what is the same in all lines."""
        text = render("console", item="a", service_name="api", trace_id="t", span_id="s")

        assert re.match(r"\d\d:\d\d:00\.123 \[info +\] said +\[shop\] item=a trace_id=t$", text)

    def test_traceback_is_below_line(self) -> None:
        """A traceback is below the line, as Python prints it."""
        text = render("console", exception_type="ValueError", exception_stacktrace=ERROR)

        assert text.endswith(f"\n{ERROR}")
        assert "exception_type" not in text

    def test_control_characters_of_clients_are_visible(self) -> None:
        """Control characters, which a client may have sent, are visible and do nothing."""
        text = render("console", event="\x1b[2J\r", agent="\x1b[31m", **{"k\x1b": "\x9b"})

        assert not set("\x1b\r\x9b") & set(text)
        assert r"\x1b[2J\r" in text

    def test_access_line_reads_like_request_line(self) -> None:
        """An access line shows method, path and status as its message, and the ids at the end."""
        text = render(
            "console",
            event="request",
            request_id="r",
            client_address="::1",
            http_request_method="GET",
            url_path="/items/1",
            http_version="1.1",
            http_response_status_code=404,
            trace_id="t",
        )

        assert re.search(
            r"\] GET /items/1 404 +\[shop\] client_address=::1 request_id=r trace_id=t$", text
        )

    def test_message_of_application_stays_beside_fields_of_request(self) -> None:
        """A message of the application stays, also with fields that access lines have."""
        request = {"http_request_method": "GET", "url_path": "/", "http_response_status_code": 200}

        assert "] called the bank" in render("console", event="called the bank", **request)

    def test_event_of_many_lines_is_indented(self) -> None:
        """The further lines of an event are indented: they cannot pass for lines of their own."""
        assert "a\n    b" in render("console", event="a\nb")


SERVICE = """
import structlog
import otel_meta

otel_meta.configure("shop", set_global=False)
log = structlog.get_logger("shop")
log.info("order placed", order_id=41)
try:
    int("x")
except ValueError:
    log.exception("failed")
"""


class TestTerminal:
    @pytest.fixture
    def on_terminal(self, tmp_path: Path) -> Callable[..., str]:
        """Function that runs a service on a terminal, and returns what the terminal shows."""
        (tmp_path / "shop.py").write_text(SERVICE)

        def run(**given: str) -> str:
            main, standard_output = pty.openpty()
            command = [sys.executable, str(tmp_path / "shop.py")]
            env = environment({"TERM": "xterm", **given})
            done = subprocess.run(command, env=env, stdout=standard_output, check=True, timeout=60)
            os.close(standard_output)
            shown = b""
            while True:
                try:
                    shown += os.read(main, 4096)
                except OSError:  # the end of a terminal
                    break
            os.close(main)
            return shown.decode() if done.returncode == 0 else ""

        return run

    def test_lines_on_terminal_are_for_people(self, on_terminal: Callable[..., str]) -> None:
        """Lines on a terminal are coloured, with a traceback that has source lines."""
        shown = on_terminal()

        assert "\x1b[1morder placed" in shown
        assert 'int("x")' in shown
        assert "{" not in shown

    def test_format_of_terminal_can_be_chosen(self, on_terminal: Callable[..., str]) -> None:
        """The format on a terminal can be chosen."""
        shown = on_terminal(OTEL_META_LOG_FORMAT="json").splitlines()

        assert ["order placed", "failed"] == [json.loads(line)["event"] for line in shown]
