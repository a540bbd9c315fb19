"""The texts of the alerts about an SLO, with the numbers at the time of the notification.

A text asks Prometheus again, by ``query`` of Prometheus' templates, which the rulers of Thanos,
Mimir and VictoriaMetrics have as well. A query without an answer leaves its words out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from otel_meta.model import BurnWindow, Duration, MetaRepo, Severity, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.render.options import Options

from . import series_names
from .alert_texts import literal
from .corrections.corrected_series import spans_of
from .excess import INSTANCE, Excess, cause_labels
from .promql_builder import number, quoted

_PERCENT: Final = "humanizePercentage"
_SPAN_OF_CAUSES: Final = BURN_RATE_SPAN
"""The span in which causes are searched for.

The queries read raw counters at each evaluation of an alert that fires. A longer span would cost
more than the recordings, in the middle of an incident (docs/alerting.md)."""
_CAUSES: Final = 3
_LEAST_SHARE: Final = 0.1
"""Excess bad events of a cause, at least, as a share of all bad events."""
_LONGEST_VALUE: Final = 60
_SAFE_NAME: Final = "^[[:alnum:]][[:alnum:]_.-]*$"
_SERVICE, _NUMBER, _RECORDED = "\0service\0", "\0number\0", "\0recorded\0"
_LABEL, _VALUE = "\0label\0", "\0value\0"
_VERBS: Final = MappingProxyType(
    {
        _SERVICE: "%[1]s",
        _NUMBER: "%[2]g",
        _RECORDED: "%[3]s",
        _LABEL: "%[3]s",
        quoted(_VALUE): "%[4]q",
    }
)
"""The verbs of ``printf`` in the place of what is known only when the alert fires."""


def burning(repo: type[MetaRepo], slo: Slo, severity: Severity, options: Options) -> str:
    """Return the description of a burn alert: the bad events, the budget and the limits."""
    windows = [window for window in slo.burn_windows if window.severity == severity]
    spans = sorted({span for window in windows for span in (window.short, window.long)})
    shares = ", ".join(_share(span) for span in spans)
    what = "events" if slo.sli.unit == "events" else "time"
    return (
        f"{_matchers(slo, options)}Bad {what}: {shares}; the objective is {slo.objective} good "
        f"over {slo.period}. {_causes(repo, slo, options)}"
        f"{_budget_left(slo, windows)} The alert fires above {_limits(slo, windows)}. "
        f"{literal(slo.why)} {_next_step(slo)}"
    )


def exhausted(slo: Slo, options: Options) -> str:
    """Return the description of the alert about an exhausted budget; its value is what is spent."""
    rate = _asked(series_names.BURN_RATE_1H, '{{ printf "%.2f" .Value }}', "unknown")
    return (
        f'{_matchers(slo, options)}The error budget is spent {{{{ printf "%.1f" $value }}}} times: '
        f"less than {slo.objective} of its events were good over {slo.period}. The burn rate over "
        f"the last hour is {rate}; at 1 the budget lasts exactly one period. "
        f"{_excluded(slo, options)}{literal(slo.why)} {_next_step(slo)}"
    )


def _next_step(slo: Slo) -> str:
    """Return the command that finds the cause, ready to be copied into a shell.

    A name with signs of a shell is left out: what a service calls itself must not become a command.
    """
    name = f"$labels.{series_names.SERVICE}"
    named = f'{{{{ if match "{_SAFE_NAME}" {name} }}}} --service {{{{ {name} }}}}{{{{ end }}}}'
    return f"The cause: otel-meta explain {slo.name}{named}"


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
    """Return the declaration of two variables: matchers of a service, and of its recordings."""
    labels = options.identity.service
    pattern = ",".join(f"{label}=%q" for label in labels)
    values = " ".join(f"$labels.{label}" for label in labels)
    return (
        f'{{{{ $service := printf "{pattern}" {values} }}}}'
        f"{{{{ $of := printf \"{{{series_names.SLO}='{slo.name}',%s}}\" $service }}}}"
    )


def _share(span: Duration) -> str:
    share = _asked(series_names.error_ratio(span), f"{{{{ .Value | {_PERCENT} }}}}", "none")
    return f"{share} over {span}"


def _causes(repo: type[MetaRepo], slo: Slo, options: Options) -> str:
    """Return a sentence with the label values of the most excess bad events.

    The share of bad events of the service comes first, since every other query reads it.
    """
    span = _SPAN_OF_CAUSES
    excess = Excess(repo=repo, slo=slo, span=span, options=options, where=(_SERVICE,))
    labels = dict.fromkeys((*cause_labels(repo, slo), INSTANCE, *options.foreign.labels))
    least = f"{number(_LEAST_SHARE)} * scalar({series_names.bad(span)}{_RECORDED})"
    worst = f"sort_desc(topk({_CAUSES}, ({excess.of_values(labels, _NUMBER)}) > {least}))"
    share = excess.share(_NUMBER, f"{_LABEL}!={quoted(_VALUE)}")
    each = (
        "{{ range $label, $value := .Labels }}, "
        f'{{{{ $label }}}}={{{{ printf "%.{_LONGEST_VALUE}q" $value }}}} explains '
        f"{{{{ range query ({_printf(f'100 * {share}')} $service $excess $label $value) }}}}"
        '{{ printf "%.0f%%" .Value }}{{ end }}{{ end }}'
    )
    what = "bad events" if slo.sli.unit == "events" else "bad time"
    all_causes = f"{{{{ range . }}}}{{{{ $excess := .Value }}}}{each}{{{{ end }}}}"
    return (
        f"{{{{ range query ({_printf(excess.ratio())} $service) }}}}"
        f"{{{{ with query ({_printf(worst)} $service .Value $of) }}}}Of the {what} over {span}"
        f"{all_causes}. {{{{ end }}}}{{{{ end }}}}"
    )


def _printf(query: str) -> str:
    """Return the call that fills the verbs of a query in."""
    text = query.replace("%", "%%").replace("`", r"\x60")  # an escape in the strings of PromQL
    for filled, verb in _VERBS.items():
        text = text.replace(filled, verb)
    return f"printf `{text}`"


def _budget_left(slo: Slo, windows: Iterable[BurnWindow]) -> str:
    """Return a sentence about the budget, and how long it lasts at the rate of a short window."""
    budget = number(slo.period.seconds * slo.objective.budget)
    fast = " or ".join(
        f"{series_names.error_ratio(window.short)}%[1]s > "
        f"{number(window.limit(slo.period, slo.objective.budget))}"
        for window in windows
    )
    gone = _asked(
        f"{series_names.BUDGET_REMAINING}%[1]s * {budget} / ({fast})",
        ", gone in {{ .Value | humanizeDuration }} at this rate",
    )
    share = f"{{{{ .Value | {_PERCENT} }}}} of the error budget is left{gone}."
    none = "The error budget is exhausted."
    return _asked(
        series_names.BUDGET_REMAINING,
        f"{{{{ if gt .Value 0.0 }}}}{share}{{{{ else }}}}{none}{{{{ end }}}}",
    )


def _asked(query: str, text: str, otherwise: str = "") -> str:
    """Return a text about the answer of a query, or another text if there is no answer."""
    pattern = query if "%" in query else f"{query}%s"
    none = f"{{{{ else }}}}{otherwise}" if otherwise else ""
    return f'{{{{ range query (printf "{pattern}" $of) }}}}{text}{none}{{{{ end }}}}'


def _limits(slo: Slo, windows: Iterable[BurnWindow]) -> str:
    return ", or ".join(_limit_texts(slo, windows))


def _limit_texts(slo: Slo, windows: Iterable[BurnWindow]) -> Iterator[str]:
    for window in windows:
        limit = number(100 * window.limit(slo.period, slo.objective.budget))
        yield f"{limit}% over both {window.long} and {window.short}"
