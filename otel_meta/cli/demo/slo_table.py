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
_MULTIPLE: Final = 10


def board(pages: Iterable[dict[str, Any]]) -> str:
    """A table of the SLOs on these /slo pages."""
    return table(_HEAD, [_row(page["service_name"], slo) for page in pages for slo in page["slos"]])


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
    """A share of the budget; what is overspent many times over as a multiple."""
    if share is None:
        return _NOTHING
    return f"{share * 100:.1f}%" if share > -_MULTIPLE else f"{share:.0f} x"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.1f}"
