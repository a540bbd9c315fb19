"""The engines of server spans."""

from __future__ import annotations

from typing import Any, Final

ENGINES: Final[dict[str, dict[str, Any]]] = {
    name: {"engine": name} for name in ("meta", "contrib", "native")
}
"""The arguments of ``instrument_fastapi`` by engine."""
