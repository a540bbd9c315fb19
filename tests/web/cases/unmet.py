"""The cases that an engine or a server does not meet, and why."""

from __future__ import annotations

from typing import Any, Final

_UNGUARDED: Final = "an exception of a processor or a sampler reaches the application"
_TWICE: Final = "FastAPI adds a span for each background task"

UNMET: Final[dict[str, dict[str, str]]] = {
    "contrib": {
        "test_by_failing_span_processor[on_start]": _UNGUARDED,
        "test_by_failing_sampler": _UNGUARDED,
        "test_failing_processor_is_counted": _UNGUARDED,
        "test_two_traceparents_start_new_trace": "the first of two traceparents is continued",
    },
    "native": {
        "test_by_failing_span_processor": _UNGUARDED,
        "test_by_failing_sampler": _UNGUARDED,
        "test_failing_processor_is_counted": _UNGUARDED,
        "test_two_traceparents_start_new_trace": "the first of two traceparents is continued",
        "test_background_task_has_span_of_its_own": _TWICE,
        "test_failed_background_task_is_error_on_its_own_span": _TWICE,
    },
    "hypercorn": {
        "test_close_is_counted_by_reason[client leaves]": "a close by a client has the code 1006",
    },
    "granian": {
        "test_while_handler_runs": "a disconnect is not told unless `receive()` waits for it",
        "test_handshake_has_ids": "headers of `websocket.accept` are not sent",
    },
}
"""The reason by engine or server, and by the name of the test, with parameters or without."""


def reason(item: Any) -> str | None:
    """Return why a test has to fail; None if it has to pass."""
    call: Any = getattr(item, "callspec", None)
    if call is None:
        return None
    for subject in UNMET.keys() & set(map(str, call.params.values())):
        parameters = call.id.replace(subject, "").strip("-").replace("--", "-")
        for name in (item.originalname, f"{item.originalname}[{parameters}]"):
            if name in UNMET[subject]:
                return UNMET[subject][name]
    return None
