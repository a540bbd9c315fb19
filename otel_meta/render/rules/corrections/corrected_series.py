"""The series that alerts and ratios of an SLO read, with and without corrections."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.model.slo.corrected_span import CorrectedSpan, corrected_spans
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import EVALUATION_INTERVAL, RECOUNT_SPAN, alert_spans
from otel_meta.render.rules.promql_builder import equals, selector, slo_series

_LATE: Final = 2 * EVALUATION_INTERVAL.seconds
"""Seconds until the events of a moment are counted: an export or a scrape, and an evaluation."""


def spans_of(slo: Slo, options: Options) -> tuple[CorrectedSpan, ...]:
    """Return the corrections of an SLO; empty for an SLO without corrections."""
    return corrected_spans(options.corrections, slo.name)


def bad_name(slo: Slo, span: Duration, options: Options) -> str:
    """Return the name of the bad events over a span, without excluded ones.

    Events that are counted from raw counters stay the whole truth under their own name, since the
    cumulative counts add them up.
    """
    is_raw = span in (*alert_spans(slo), RECOUNT_SPAN)
    return (
        series_names.bad_kept(span) if is_raw and spans_of(slo, options) else series_names.bad(span)
    )


def overlapping(slo: Slo, span: Duration, late: int = 0) -> str:
    """Return a condition: a span that ends now contains a part of a correction."""
    return f"{slo_series(series_names.SINCE_CORRECTION, slo)} < {span.seconds + late}"


def unless_corrected(slo: Slo, span: Duration, options: Options) -> str:
    """Return the end of an alert's condition: no late event of a correction is in a span.

    The last events of a correction are counted after its end. In a short span they would be most
    of the events.
    """
    if not spans_of(slo, options):
        return ""
    by = ", ".join(options.identity.service)
    return f"\nunless on ({by}) {overlapping(slo, span, _LATE)}"


def bad_of_repo(repo: type[MetaRepo], span: Duration, options: Options) -> str:
    """Return the bad events of a meta-repository over a span from raw counters, without excluded.

    SLOs without corrections have no series of their own for these.
    """
    own = [equals(series_names.NAMESPACE, repo.name)]
    bad = selector(series_names.bad(span), own)
    if not _is_corrected(repo, options):
        return bad
    return f"({selector(series_names.bad_kept(span), own)} or {bad})"


def unless_repo_corrected(repo: type[MetaRepo], span: Duration, options: Options) -> str:
    """Return the end of a condition on SLOs of a meta-repository, as `unless_corrected`."""
    if not _is_corrected(repo, options):
        return ""
    since = selector(series_names.SINCE_CORRECTION, [equals(series_names.NAMESPACE, repo.name)])
    by = ", ".join((series_names.SLO, *options.identity.service))
    return f"\nunless on ({by}) {since} < {span.seconds + _LATE}"


def _is_corrected(repo: type[MetaRepo], options: Options) -> bool:
    return any(spans_of(slo, options) for slo in repo.slos.values())
