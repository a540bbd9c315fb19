"""The demo's board: every SLO of every service, as their /slo pages have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_meta.cli.table import table

_HEAD: Final = (
    "SERVICE",
    "SLO",
    "OBJECTIVE",
    "STATE",
    "EVENTS",
    "BAD",
    "BUDGET LEFT",
    "BURN 5m",
    "BURN 1h",
)
_NOTHING: Final = "-"


def board(pages: Iterable[dict[str, Any]]) -> str:
    """A table of the SLOs on these /slo pages."""
    return table(_HEAD, [_row(page["service_name"], slo) for page in pages for slo in page["slos"]])


def _row(service: str, slo: dict[str, Any]) -> list[str]:
    return [
        service,
        slo["name"],
        slo["objective"],
        slo["state"],
        f"{slo['total']:.0f}",
        f"{slo['bad']:.0f}",
        _percent(slo["budget_left"]),
        _number(slo["burn_rates"]["5m"]),
        _number(slo["burn_rates"]["1h"]),
    ]


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{share * 100:.1f}%"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.1f}"
