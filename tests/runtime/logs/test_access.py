from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.logs.access import (
    AccessRecord,
    SilencedPaths,
    add_access_fields,
    parse_access_args,
)

GUNICORN = {"h": "1.2.3.4", "m": "GET", "U": "/items/7", "H": "HTTP/1.1", "s": "200", "q": "t=s"}


def access(name: str = "uvicorn.access", args: Any = None) -> dict[str, Any]:
    """Return an access line of a server after its fields were added."""
    if args is None:
        args = ("1.2.3.4:5", "GET", "/items/7?token=secret", "1.1", 200)
    record = logging.makeLogRecord({"name": name, "args": args})
    return dict(add_access_fields(record, {"event": "text"}))


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

    def test_access_line_of_gunicorn_has_same_fields(self) -> None:
        """An access line of gunicorn has the same fields, and no query string."""
        line = access("gunicorn.access", GUNICORN)

        assert access() == {**line, "client_address": "1.2.3.4:5"}

    @pytest.mark.parametrize("args", [(), ("a",), {"a": 1}, ("a", "b", "c", "d", "e", "f")])
    def test_other_lines_keep_their_event(self, args: Any) -> None:
        """Other lines keep their event."""
        assert {"event": "text"} == access("uvicorn.error", args)
        assert {"event": "text"} == access("uvicorn.access", args)


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


class TestSilencedPaths:
    @pytest.mark.parametrize(
        ("target", "status", "name", "is_silenced"),
        [
            ("/metrics?name=a", 200, "uvicorn.access", True),
            ("/metrics", 503, "uvicorn.access", False),
            ("/metrics/all", 200, "uvicorn.access", False),
            ("/metrics", 200, "shop", False),
        ],
    )
    def test_successful_requests_of_paths_are_silenced(
        self, target: str, status: int, name: str, is_silenced: bool
    ) -> None:
        """Successful requests of the paths are silenced, and no others."""
        silenced = SilencedPaths()
        silenced.paths.add("/metrics")
        args = ("1.2.3.4:5", "GET", target, "1.1", status)

        assert is_silenced == silenced.includes(logging.makeLogRecord({"name": name, "args": args}))
