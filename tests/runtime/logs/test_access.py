from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.logs.access import AccessRecord, add_access_fields, parse_access_args


def access(name: str = "uvicorn.access", args: Any = None) -> dict[str, Any]:
    """Return an access line of uvicorn after its fields were added."""
    if args is None:
        args = ("1.2.3.4:5", "GET", "/items/7?token=secret", "1.1", 200)
    record = logging.makeLogRecord({"name": name})
    event = {"event": "text", "_record": record, "positional_args": args, "color_message": "c"}
    line = dict(add_access_fields(None, "info", event))
    del line["_record"]
    return line


class TestAccess:
    def test_parts_of_access_line_become_fields_with_conventions_names(self) -> None:
        """The parts of an access line become fields with the conventions' names."""
        assert {
            "event": "request",
            "client_address": "1.2.3.4:5",
            "http_request_method": "GET",
            "url_path": "/items/7",
            "http_version": "1.1",
            "http_response_status_code": 200,
        } == access()

    @pytest.mark.parametrize("target", ["/?a=b?c", "/?token=secret", "?token=secret", "/a?"])
    def test_access_line_has_no_query_string(self, target: str) -> None:
        """An access line has no query string."""
        line = access(args=("", "GET", target, "1.1", 200))

        assert "?" not in json.dumps(line)

    @pytest.mark.parametrize("args", [(), None, ("a",), {"a": 1}, ("a", "b", "c", "d", "e", "f")])
    def test_other_lines_keep_their_event_without_coloured_message(self, args: Any) -> None:
        """Other lines keep their event, without the coloured message."""
        assert {"event": "text"} == access("uvicorn.error", args or ())
        assert {"event": "text"} == access("uvicorn.access", args or ())


class TestParseAccessArgs:
    @given(st.text())
    def test_path_ends_before_first_question_mark(self, target: str) -> None:
        """The path ends before the first question mark."""
        access = parse_access_args(("", "GET", target, "1.1", 200))

        assert isinstance(access, AccessRecord)
        assert target.split("?", maxsplit=1)[0] == access.path

    @pytest.mark.parametrize("args", [None, (), {"a": 1}, ("a", "b", "c", "d", "200"), "abcde"])
    def test_arguments_of_other_types_are_no_access_record(self, args: Any) -> None:
        """Arguments of other types are no access record."""
        assert parse_access_args(args) is None
