"""The engines, and the cases that an engine does not meet."""

from __future__ import annotations

from typing import Final

ENGINES: Final = ("meta", "contrib", "native")

UNMET: Final[dict[str, dict[str, str]]] = {
    "meta": {},
    "contrib": {},
    "native": {},
}
"""The reason by engine and by the name of the test."""


def unmet(engine: str, case: str) -> str | None:
    """Return why an engine does not meet a case; None if the engine meets it."""
    return UNMET[engine].get(case)
