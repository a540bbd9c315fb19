"""The section of the reference page about corrections, with the series that exist for them only."""

from __future__ import annotations

from collections.abc import Iterator

from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.status.corrections_json import CorrectionJson, corrections_json

from .markdown import literal, table

_RECORDED = (
    (series_names.PERIOD_BAD_EXCLUDED, "bad events over the SLO's period that are excluded"),
    (series_names.PERIOD_TOTAL_EXCLUDED, "all events over the SLO's period that are excluded"),
    ("slo:bad:kept<span>", "bad events over a span that are not excluded"),
    (series_names.SINCE_CORRECTION, "seconds since the end of the last correction, 0 before"),
    (
        series_names.CORRECTION_AGE,
        "the same for each correction, with the labels begin, end, kind and reason",
    ),
    (series_names.BAD_AT_BEGIN, "the cumulative count of bad events when a correction begins"),
    (series_names.BAD_AT_END, "the cumulative count of bad events when a correction has ended"),
    (series_names.TOTAL_AT_BEGIN, "the cumulative count of events when a correction begins"),
    (series_names.TOTAL_AT_END, "the cumulative count of events when a correction has ended"),
)


def corrections_section(options: Options) -> Iterator[str]:
    """Yield the parts of the section; none without corrections."""
    if not options.corrections:
        return
    yield "## Corrections"
    yield "Events of these times count neither as good nor as bad."
    rows = map(_row, corrections_json(options.corrections))
    yield table(["from", "to", "kind", "SLOs", "services", "reason"], rows)
    yield "Series of SLOs with corrections:"
    yield table(["series", "meaning"], ([f"`{name}`", meaning] for name, meaning in _RECORDED))


def _row(correction: CorrectionJson) -> list[str]:
    service = [f'`{name}="{value}"`' for name, value in correction["service"].items()]
    return [
        correction["begin"],
        correction["end"],
        correction["kind"],
        ", ".join(f"`{name}`" for name in correction["slos"]) or "all",
        ", ".join(service) or "all",
        literal(correction["reason"]),
    ]
