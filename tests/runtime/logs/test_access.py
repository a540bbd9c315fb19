from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.logs.access import AccessRecord, add_access_fields, parse_access_args


def access(name: str = "uvicorn.access", args: Any = None) -> dict[str, Any]:
    """Uvicorn's access line, as the chain gets it, after it was taken apart."""
    if args is None:
        args = ("1.2.3.4:5", "GET", "/items/7?token=secret", "1.1", 200)
    record = logging.makeLogRecord({"name": name})
    event = {"event": "text", "_record": record, "positional_args": args, "color_message": "c"}
    line = dict(add_access_fields(None, "info", event))
    del line["_record"]
    return line


class TestAccess:
    def test_fields(self) -> None:
        """The line's parts become fields, under the conventions' names."""
        assert {
            "event": "request",
            "client_address": "1.2.3.4:5",
            "http_request_method": "GET",
            "url_path": "/items/7",
            "http_version": "1.1",
            "http_response_status_code": 200,
        } == access()

    @pytest.mark.parametrize("target", ["/?a=b?c", "/?token=secret", "?token=secret", "/a?"])
    def test_query(self, target: str) -> None:
        """The query string is left out."""
        line = access(args=("", "GET", target, "1.1", 200))

        assert "?" not in json.dumps(line)

    @pytest.mark.parametrize("args", [(), None, ("a",), {"a": 1}, ("a", "b", "c", "d", "e", "f")])
    def test_others(self, args: Any) -> None:
        """Other lines keep what they say, and lose the copy for terminals."""
        assert {"event": "text"} == access("uvicorn.error", args or ())
        assert {"event": "text"} == access("uvicorn.access", args or ())


class TestParseAccessArgs:
    @given(st.text())
    def test_path(self, target: str) -> None:
        """A path is what stands before the first question mark."""
        access = parse_access_args(("", "GET", target, "1.1", 200))

        assert isinstance(access, AccessRecord)
        assert target.split("?", maxsplit=1)[0] == access.path

    @pytest.mark.parametrize("args", [None, (), {"a": 1}, ("a", "b", "c", "d", "200"), "abcde"])
    def test_others(self, args: Any) -> None:
        """Arguments of another form are no access."""
        assert parse_access_args(args) is None
