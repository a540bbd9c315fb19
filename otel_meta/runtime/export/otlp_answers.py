"""Judge the answers of OTLP receivers: what was delivered, and why the rest was not.

By OTLP's specification, a batch is delivered if the status is 2xx and the body is the signal's
response message, which is empty unless items were rejected.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from textwrap import shorten
from typing import Any, Final, NamedTuple

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_meta.runtime.signals import Signal

from .attempts import Attempt, DeliveryError

MAX_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read; a response message is far shorter."""
_MAX_QUOTE: Final = 200

_JSON: Final = "application/json"
_PARTIAL_SUCCESS: Final = frozenset({"partialSuccess", "partial_success"})
_RETRIED: Final = frozenset({429, 502, 503, 504})
"""Statuses of OTLP's specification for a later request."""


class _Response(NamedTuple):
    message: Any
    rejected: str


_RESPONSES: Final[Mapping[Signal, _Response]] = {
    "traces": _Response(ExportTraceServiceResponse, "rejected_spans"),
    "metrics": _Response(ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": _Response(ExportLogsServiceResponse, "rejected_log_records"),
}

_CURES: Final[Mapping[int, str]] = {
    400: "check that the address is one of OTLP over HTTP, and whether it needs https://",
    401: "set the credentials in OTEL_EXPORTER_OTLP_HEADERS",
    403: "check the credentials in OTEL_EXPORTER_OTLP_HEADERS",
    404: "no receiver of OTLP is at this path; the base URL has no path such as /v1/traces, the "
    "endpoint of a single signal needs it",
    405: "this is another server's address; give the address of an OTLP receiver",
    407: "set the credentials of the proxy in its URL, or exclude this host with NO_PROXY",
    413: "raise the receiver's limit, or reduce OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    415: "the receiver does not know protobuf or the compression; see OTEL_EXPORTER_OTLP_PROTOCOL "
    "and OTEL_EXPORTER_OTLP_COMPRESSION",
}


class HttpAnswer(NamedTuple):
    """An answer over HTTP, with at most `MAX_ANSWER` + 1 bytes of its body."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Names are compared without case."""
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def judge(answer: HttpAnswer, attempt: Attempt) -> None:
    """Note what the receiver rejected.

    Raises:
        DeliveryError: nothing of the batch was delivered.
    """
    family = answer.status // 100
    if family == 3:  # noqa: PLR2004 - redirection
        raise DeliveryError(_redirection(answer))
    if family != 2:  # noqa: PLR2004 - success
        raise DeliveryError(
            _refusal(answer),
            is_transient=answer.status in _RETRIED,
            pause=retry_after(answer.headers.get("retry-after")),
        )
    note_partial_success(_parsed(answer, attempt.signal), attempt)


def note_partial_success(response: Any, attempt: Attempt) -> None:
    """Note the items that the receiver rejected, and its remark."""
    partial = response.partial_success
    rejected = getattr(partial, _RESPONSES[attempt.signal].rejected)
    attempt.rejected = max(rejected, 0)
    attempt.remark = quoted(partial.error_message)


def _redirection(answer: HttpAnswer) -> str:
    location = answer.headers.get("location", "")
    target = f"; set the endpoint to {quoted(location)}" if location else ""
    return f"redirected with status {answer.status}, which OTLP does not follow{target}"


def _refusal(answer: HttpAnswer) -> str:
    parts = (
        f"status {answer.status} {answer.reason}".rstrip(),
        _message(answer),
        _CURES.get(answer.status, ""),
    )
    return "; ".join(filter(None, parts))


def _message(answer: HttpAnswer) -> str:
    """Return the receiver's text: of a status message, or of a plain text."""
    if answer.media_type.startswith("text/") and answer.media_type != "text/html":
        return quoted(answer.body.decode("utf-8", "replace"))
    try:
        return quoted(Status.FromString(answer.body).message)
    except (DecodeError, UnicodeDecodeError):
        return ""


def _parsed(answer: HttpAnswer, signal: Signal) -> Any:
    """Return the response message.

    Raises:
        DeliveryError: the answer is not OTLP's.
    """
    kind = answer.media_type or "unknown type"
    is_text = kind.startswith("text/") and answer.body
    parse = _parsed_json if kind == _JSON and answer.body else _parsed_protobuf
    try:
        if not is_text and len(answer.body) <= MAX_ANSWER:
            return parse(answer.body, _RESPONSES[signal].message)
    except (ValueError, DecodeError, ParseError) as error:
        raise _foreign(answer, kind) from error
    raise _foreign(answer, kind)


def _foreign(answer: HttpAnswer, kind: str) -> DeliveryError:
    return DeliveryError(
        f"status {answer.status}, but the answer ({kind}) is not OTLP's; give the address of an "
        "OTLP receiver instead of this server"
    )


def _parsed_protobuf(body: bytes, message: Any) -> Any:
    return message.FromString(body)


def _parsed_json(body: bytes, message: Any) -> Any:
    fields = json.loads(body)
    if not isinstance(fields, dict) or (fields and not _PARTIAL_SUCCESS & fields.keys()):
        raise ValueError("another message")
    return Parse(body, message(), ignore_unknown_fields=True)


def retry_after(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which has seconds or a date; None if invalid."""
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdecimal() else _seconds_until(text)
    except (ValueError, OverflowError):
        return None
    return max(seconds, 0.0)


def _seconds_until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time.time()


def quoted(text: str) -> str:
    """Return the text of a server as one short line that ends with a whole word."""
    line = " ".join(text.split())
    return shorten(line, _MAX_QUOTE, placeholder=" ...") if " " in line else line[:_MAX_QUOTE]
