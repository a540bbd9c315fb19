"""The demo's table of all SLOs, from /slo pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_meta.cli.console.tables import table

_HEADINGS: Final = (
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
_NO_VALUE: Final = "-"
_SHOWN_AS_MULTIPLE: Final = -10
"""A lower share of error budget left is shown as a multiple, not as a percentage."""


def slo_table(pages: Iterable[dict[str, Any]]) -> str:
    """Render each SLO of these /slo pages as a row."""
    return table(
        _HEADINGS, [_row(page["service_name"], slo) for page in pages for slo in page["slos"]]
    )


def _row(service: str, slo: dict[str, Any]) -> list[str]:
    return [
        service,
        slo["name"],
        slo["objective"],
        slo["state"],
        _count(slo["total"], slo["unit"]),
        _count(slo["bad"], slo["unit"]),
        _percent(slo["budget_left"]),
        _number(slo["burn_rates"]["5m"]),
        _number(slo["burn_rates"]["1h"]),
    ]


def _count(number: float, unit: str) -> str:
    return f"{number:.0f} s" if unit == "seconds" else f"{number:.0f}"


def _percent(share: float | None) -> str:
    """Render the error budget left: a percentage, or a multiple if it is far below zero."""
    if share is None:
        return _NO_VALUE
    return f"{share * 100:.1f}%" if share > _SHOWN_AS_MULTIPLE else f"{share:.0f} x"


def _number(value: float | None) -> str:
    return _NO_VALUE if value is None else f"{value:.1f}"
