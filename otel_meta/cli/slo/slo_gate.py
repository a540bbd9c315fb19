"""The gate of a deployment: which statuses forbid it. What is not known is never met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otel_meta.status.status import State
from otel_meta.status.status_json import StatusJson

from .selection import Selection, service_name
from .status_texts import count_text, percent_text

NOTHING_KNOWN = "no SLO has a status: nothing is known, so nothing counts as met"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The conditions under which a command fails.

    Args:
        fail_on: states that fail.
        required_coverage: the least share of the period with data.
    """

    fail_on: tuple[State, ...] = ()
    required_coverage: float = 0.0

    @property
    def is_open(self) -> bool:
        """True without any condition."""
        return not self.fail_on and not self.required_coverage

    def failures(self, rows: Sequence[StatusJson], selection: Selection) -> Iterator[str]:
        """Yield a line for each status that fails.

        An SLO or a service that is named and has no status counts as ``no_data``.
        """
        if self.is_open:
            return
        if not rows:
            yield NOTHING_KNOWN
            return
        for row in rows:
            reason = self._reason(row)
            if reason:
                yield f"{service_name(row)} {row['name']}: {reason}"
        if "no_data" in self.fail_on:
            yield from _missing(rows, selection)

    def _reason(self, row: StatusJson) -> str:
        if row["state"] in self.fail_on:
            return f"{row['state']}, {_evidence(row)}"
        if row["coverage"] < self.required_coverage:
            required = percent_text(self.required_coverage)
            return (
                f"data of {percent_text(row['coverage'])} of {row['period']}; {required} required"
            )
        return ""


def _evidence(row: StatusJson) -> str:
    if row["budget_left"] is None:
        return f"no events in {row['period']}"
    bad, total = (count_text(row[key], row["unit"]) for key in ("bad", "total"))
    return f"{percent_text(row['budget_left'])} of the error budget left, {bad} of {total} bad"


def _missing(rows: Sequence[StatusJson], selection: Selection) -> Iterator[str]:
    """Yield the names that no status has."""
    for kind, names, found in (
        ("SLO", selection.slos, {row["name"] for row in rows}),
        ("service", selection.services, {service_name(row) for row in rows}),
    ):
        yield from (
            f"{kind} {name}: no_data, it has no status" for name in names if name not in found
        )
