"""What a terminal shows of statuses: the table, the notes, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict

from rich.console import RenderableType
from rich.text import Text

from otel_meta.status.corrections_json import CorrectionJson
from otel_meta.status.page.ordering import grouped

from .found_statuses import FoundStatuses
from .slo_gate import NOTHING_KNOWN
from .status_table import StatusTable


def status_view(found: FoundStatuses, states: Collection[str] = ()) -> Iterator[RenderableType]:
    """Yield the parts of the view.

    Args:
        found: the statuses.
        states: the states to show; none means all.
    """
    rows = [row for row in found.rows if not states or row["state"] in states]
    if rows:
        yield StatusTable(rows)
    elif found.rows:
        yield Text(f"None of {len(found.rows)} SLOs is {' or '.join(states)}.")
    else:
        yield Text(f"{NOTHING_KNOWN[0].upper()}{NOTHING_KNOWN[1:]}.")
    yield from (Text(_correction(each)) for each in found.corrections)
    yield from (Text(note, "dim") for note in found.notes)


def _correction(correction: CorrectionJson) -> str:
    about = [*correction["slos"], *(f"{k}={v}" for k, v in correction["service"].items())]
    return (
        f"Excluded: {correction['begin']} to {correction['end']}, {correction['kind']}, "
        f"{', '.join(about) or 'all SLOs'}: {correction['reason']}"
    )


def statuses_as_json(
    found: FoundStatuses, failures: Sequence[str], states: Collection[str] = ()
) -> str:
    """Return the plain values of the statuses, worst first, with notes and problems."""
    rows = [row for _, group in grouped(found.rows) for row in group]
    shown = [row for row in rows if not states or row["state"] in states]
    others = {key: value for key, value in asdict(found).items() if key != "rows"}
    return json.dumps({"slos": shown, **others, "failures": failures}, indent=2)
