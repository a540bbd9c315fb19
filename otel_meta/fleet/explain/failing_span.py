"""The span of a trace in which a request failed, from Jaeger's HTTP API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, TypedDict

from otel_meta.fleet.answers import WrongAnswer, one_line
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.failures import refused, wrong_answer
from otel_meta.fleet.http_request import send

_TYPE, _MESSAGE = "exception.type", "exception.message"
_OTHER_FORM: Final = "answers, but in another form than Jaeger does"
_MALFORMED: Final = (ValueError, RecursionError, LookupError, TypeError, AttributeError)


class FailingSpan(TypedDict):
    """The innermost span with an error."""

    service: str
    operation: str
    status: str
    """The description of the status, or the type of the error."""
    exception: str
    """Type and message; empty without an exception."""


class Jaeger:
    """Jaeger's HTTP API."""

    def __init__(self, connection: Connection) -> None:
        """Remember how the server is reached."""
        self._connection: Final = connection

    def link(self, trace_id: str) -> str:
        """Return the address of a trace in Jaeger's pages."""
        return f"{self._connection.url}/trace/{trace_id}"

    def failing_span(self, trace_id: str) -> FailingSpan | None:
        """Return the span in which a trace failed; None if it has no error or is not stored.

        Raises:
            BackendError: the server does not answer, or has no traces.
        """
        connection = self._connection
        answer = send(connection, f"{connection.url}/api/traces/{trace_id}")
        if answer.status == HTTPStatus.NOT_FOUND and b"trace not found" in answer.body:
            return None
        if answer.status != HTTPStatus.OK:
            raise refused(connection, *answer)
        try:
            return _failing_span(json.loads(answer.body)["data"])
        except _MALFORMED as error:
            raise wrong_answer(connection, WrongAnswer(_OTHER_FORM)) from error


def _failing_span(traces: list[Any] | None) -> FailingSpan | None:
    for trace in traces or ():
        failed = {span["spanID"]: span for span in trace["spans"] if _is_error(_tags(span))}
        causing = {parent for span in failed.values() for parent in _parents(span)}
        innermost = [span for key, span in failed.items() if key not in causing]
        if innermost:
            return _described(min(innermost, key=lambda span: span["startTime"]), trace)
    return None


def _described(span: Any, trace: Any) -> FailingSpan:
    tags = _tags(span)
    events = [_fields(log["fields"]) for log in span.get("logs") or ()]
    no_exception: dict[str, str] = {}
    exception = next(
        (event for event in events if _TYPE in event or _MESSAGE in event), no_exception
    )
    named = (exception.get(_TYPE, ""), exception.get(_MESSAGE, ""))
    status = tags.get("otel.status_description") or tags.get("error.type") or "error"
    return FailingSpan(
        service=one_line(trace["processes"][span["processID"]]["serviceName"]),
        operation=one_line(span["operationName"]),
        status=one_line(status),
        exception=one_line(": ".join(filter(None, named))),
    )


def _parents(span: Any) -> Iterator[str]:
    yield from (reference["spanID"] for reference in span.get("references") or ())


def _is_error(tags: Mapping[str, str]) -> bool:
    return tags.get("otel.status_code") == "ERROR" or tags.get("error") == "True"


def _tags(span: Any) -> dict[str, str]:
    return _fields(span.get("tags") or ())


def _fields(fields: Any) -> dict[str, str]:
    return {field["key"]: str(field["value"]) for field in fields}
