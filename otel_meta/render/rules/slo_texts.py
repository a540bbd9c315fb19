"""The texts of the alerts about an SLO, with the numbers at the time of the notification.

A text asks Prometheus again, by ``query`` of Prometheus' templates, which the rulers of Thanos,
Mimir and VictoriaMetrics have as well. A query without an answer leaves its words out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from otel_meta.model import BurnWindow, Duration, Severity, Slo
from otel_meta.render.options import Options

from . import series_names
from .alert_texts import literal
from .corrections.corrected_series import spans_of
from .promql_builder import number

_PERCENT: Final = "humanizePercentage"


def burning(slo: Slo, severity: Severity, options: Options) -> str:
    """Return the description of a burn alert: the bad events, the budget and the limits."""
    windows = [window for window in slo.burn_windows if window.severity == severity]
    spans = sorted({span for window in windows for span in (window.short, window.long)})
    shares = ", ".join(_share(span) for span in spans)
    what = "events" if slo.sli.unit == "events" else "time"
    return (
        f"{_matchers(slo, options)}Bad {what}: {shares}; the objective is {slo.objective} good "
        f"over {slo.period}. {_budget_left(slo)} The alert fires above {_limits(slo, windows)}. "
        f"{literal(slo.why)}"
    )


def exhausted(slo: Slo, options: Options) -> str:
    """Return the description of the alert about an exhausted budget; its value is what is spent."""
    rate = _asked(series_names.BURN_RATE_1H, '{{ printf "%.2f" .Value }}', "unknown")
    return (
        f'{_matchers(slo, options)}The error budget is spent {{{{ printf "%.1f" $value }}}} times: '
        f"less than {slo.objective} of its events were good over {slo.period}. The burn rate over "
        f"the last hour is {rate}; at 1 the budget lasts exactly one period. "
        f"{_excluded(slo, options)}{literal(slo.why)}"
    )


def _excluded(slo: Slo, options: Options) -> str:
    """Return the bad events that corrections exclude; empty for an SLO without corrections."""
    if not spans_of(slo, options):
        return ""
    what = "bad events" if slo.sli.unit == "events" else "bad seconds"
    return _asked(
        f"{series_names.PERIOD_BAD_EXCLUDED}%s > 0",
        f'Corrections exclude {{{{ printf "%.0f" .Value }}}} {what} of this period. ',
    )


def _matchers(slo: Slo, options: Options) -> str:
    """Return the declaration of a variable, the matchers of the series that an alert is about."""
    labels = options.identity.service
    pattern = ",".join([f"{series_names.SLO}='{slo.name}'", *(f"{label}=%q" for label in labels)])
    values = " ".join(f"$labels.{label}" for label in labels)
    return f'{{{{ $of := printf "{{{pattern}}}" {values} }}}}'


def _share(span: Duration) -> str:
    share = _asked(series_names.error_ratio(span), f"{{{{ .Value | {_PERCENT} }}}}", "none")
    return f"{share} over {span}"


def _budget_left(slo: Slo) -> str:
    left, rate = f"{series_names.BUDGET_REMAINING}%s", f"{series_names.BURN_RATE_1H}%s"
    lasts = _asked(
        f"{left} * {slo.period.seconds} / ({rate} > 0)",
        ", which lasts {{ .Value | humanizeDuration }} at the burn rate of the last hour",
    )
    share = f"{{{{ .Value | {_PERCENT} }}}} of the error budget is left{lasts}."
    none = "The error budget is exhausted."
    return _asked(
        series_names.BUDGET_REMAINING,
        f"{{{{ if gt .Value 0.0 }}}}{share}{{{{ else }}}}{none}{{{{ end }}}}",
    )


def _asked(query: str, text: str, otherwise: str = "") -> str:
    """Return a text about the answer of a query, or another text if there is no answer."""
    pattern = query if "%" in query else f"{query}%s"
    matchers = " $of" * pattern.count("%s")
    none = f"{{{{ else }}}}{otherwise}" if otherwise else ""
    return f'{{{{ range query (printf "{pattern}"{matchers}) }}}}{text}{none}{{{{ end }}}}'


def _limits(slo: Slo, windows: Iterable[BurnWindow]) -> str:
    return ", or ".join(_limit_texts(slo, windows))


def _limit_texts(slo: Slo, windows: Iterable[BurnWindow]) -> Iterator[str]:
    for window in windows:
        limit = number(100 * window.limit(slo.period, slo.objective.budget))
        yield f"{limit}% over both {window.long} and {window.short}"
