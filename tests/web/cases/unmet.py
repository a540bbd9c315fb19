"""The cases that an engine or a server does not meet, and why."""

from __future__ import annotations

from typing import Any, Final

UNMET: Final[dict[str, dict[str, str]]] = {
    "contrib": {},
    "native": {},
    "hypercorn": {
        "test_close_is_counted_by_reason[client leaves]": "Hypercorn says 1006 for each close by a client",
    },
    "granian": {
        "test_while_handler_runs": "Granian says nothing of a disconnect unless receive() waits",
        "test_handshake_has_ids": "Granian sends no headers of websocket.accept",
    },
}
"""The reason by engine or server, and by the name of the test, with parameters or without."""


def reason(item: Any) -> str | None:
    """Return why a test has to fail; None if it has to pass."""
    call = getattr(item, "callspec", None)
    for subject in [] if call is None else UNMET.keys() & set(map(str, call.params.values())):
        parameters = "-".join(call.id.replace(subject, "").strip("-").split("--"))
        for name in (item.originalname, f"{item.originalname}[{parameters}]"):
            if name in UNMET[subject]:
                return UNMET[subject][name]
    return None
