"""Series of a platform during an incident, for the images: a week of SLOs, a day of instruments.

An outage of a payment service two hours ago, a slow leak of a shop, a budget overspent a hundred
times, a pipeline that stopped, a staging environment worse than production, and two clusters. The
recordings of SLOs are computed from event rates; the queries of the dashboards run on all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, product

from otel_meta.model import Catalog, Duration, Instrument, MetaRepo, Slo
from otel_meta.model.identity import ENVIRONMENT, NAMESPACE, SERVICE
from otel_meta.model.labels import Label
from otel_meta.render.rules import series_names

END = 1_768_478_400
"""Seconds since the epoch: 2026-01-15 12:00 UTC."""
HOUR, DAY = 3600, 86_400
_SLO_STEP, _STEP = 240, 120
_DAYS = 7
_EVENTS_PER_SECOND = 20.0
_MOST_COMBINATIONS = 6

Labels = dict[str, str]
Samples = Iterator[str]


@dataclass(frozen=True)
class Deployment:
    """A service at a place."""

    repo: str
    service: str
    environment: str = "production"
    cluster: str = "east"
    stopped: int = 0
    """Seconds before the end at which the last process ended."""

    @property
    def labels(self) -> Labels:
        """The identity of the service."""
        return {
            NAMESPACE: self.repo,
            SERVICE: self.service,
            ENVIRONMENT: self.environment,
            "cluster": self.cluster,
        }


DEPLOYMENTS = (
    Deployment("nebula-cloud-platform", "provisioner"),
    Deployment("sentinel-ai-engine", "inference"),
    Deployment("chronos-data-platform", "pipelines", stopped=5 * HOUR),
    Deployment("titan-microservices-mesh", "payments"),
    Deployment("titan-microservices-mesh", "payments", cluster="west"),
    Deployment("titan-microservices-mesh", "payments", environment="staging"),
    Deployment("titan-microservices-mesh", "orders"),
    Deployment("obsidian-devsecops-platform", "scanner"),
    Deployment("aurora-fullstack-saas", "storefront"),
)


def bad_share(slo: Slo, place: Deployment, ago: float) -> float:
    """Return the share of bad events of an SLO at a time.

    Args:
        slo: the SLO.
        place: the service.
        ago: seconds before the end.
    """
    allowed = float(1 - slo.objective.ratio)
    usual = 0.4 * allowed * (1 + 0.5 * math.sin(ago / 20_000 + len(slo.name)))
    if place.environment == "staging":
        return 1.6 * allowed
    if (slo.name, place.service, place.cluster) == (
        "titan-service-availability",
        "payments",
        "east",
    ):
        return 0.35 if 2 * HOUR < ago < 2.8 * HOUR else usual
    if slo.name == "aurora-api-latency":
        return 2.6 * allowed if ago < 30 * HOUR else usual
    if slo.name == "obsidian-policy-compliance":
        return 1.0
    return usual


def series(catalog: Catalog) -> Samples:
    """Yield the lines of all series in OpenMetrics' text format, without the end mark."""
    for place in DEPLOYMENTS:
        repo = next(repo for repo in catalog if repo.name == place.repo)
        for slo in repo.slos.values():
            yield from _slo_series(repo, slo, place)
        for instrument in repo.instruments.values():
            yield from _instrument_series(instrument, place)
        yield from _health(place)
    for repo in catalog:
        yield from _recordings(repo)
    yield from _week("ALERTS", _alert("Watchdog", "none", "firing", {}), lambda _: 1.0)


# -------------------------------------------------------------------------------------- SLOs


def _slo_series(repo: type[MetaRepo], slo: Slo, place: Deployment) -> Samples:
    labels = {"slo": slo.name, **place.labels}
    declared = {"objective": str(slo.objective), "period": str(slo.period), "owner": repo.owner}
    yield from _week("slo:objective:ratio", labels, lambda _: float(slo.objective.ratio))
    yield from _week("slo_info", labels | declared, lambda _: 1.0)
    if slo.name == "sentinel-accuracy-maintenance":
        return  # no event was counted yet
    shares = _Shares(slo, place)
    allowed = float(1 - slo.objective.ratio)
    period = shares.over(slo.period)
    for name, values in (
        (series_names.SLI, lambda index: 1 - period(index)),
        (series_names.BUDGET_REMAINING, lambda index: 1 - period(index) / allowed),
        (series_names.COMPLIANT, lambda index: float(period(index) <= allowed)),
        (series_names.PERIOD_ERROR_RATIO, period),
        (series_names.COVERAGE, lambda _: 1.0 if place.service != "orders" else 0.31),
    ):
        yield from _week(name, labels, values)
    if not place.stopped:
        yield from _burning(slo, shares, labels, repo.owner)


def _burning(slo: Slo, shares: _Shares, labels: Labels, owner: str) -> Samples:
    allowed = float(1 - slo.objective.ratio)
    hour = shares.over(Duration("1h"))

    def burn_rate(index: int) -> float:
        return hour(index) / allowed

    yield from _week(series_names.BURN_RATE_1H, labels, burn_rate)
    for lookback in {*slo.burn_lookbacks(), Duration("1h")}:
        yield from _week(series_names.error_ratio(lookback), labels, shares.over(lookback))
    five = shares.over(Duration("5m"))
    events = _EVENTS_PER_SECOND * 300
    yield from _week(series_names.TOTAL, labels, lambda _: events)
    yield from _week(series_names.BAD, labels, lambda index: events * five(index))
    for name, severity, lowest in (
        ("SloErrorBudgetBurnFast", "page", 14.4),
        ("SloErrorBudgetBurnSlow", "ticket", 2.0),
    ):
        alert = _alert(name, severity, "firing", labels | {"team": owner})
        yield from _week("ALERTS", alert, partial(_while_above, burn_rate, lowest))


def _while_above(value: Callable[[int], float], lowest: float, index: int) -> float:
    """Return 1 while a value is above a bound, and no number at other times."""
    return 1.0 if value(index) > lowest else math.nan


def _alert(name: str, severity: str, state: str, labels: Labels) -> Labels:
    return labels | {"alertname": name, "severity": severity, "alertstate": state}


class _Shares:
    """Shares of bad events over windows; before the week, the usual share."""

    def __init__(self, slo: Slo, place: Deployment) -> None:
        self._times = _times(_SLO_STEP, _DAYS * DAY)
        shares = [bad_share(slo, place, END - time) for time in self._times]
        self._usual = shares[0]
        self._sums = [0.0, *accumulate(shares)]

    def over(self, window: Duration) -> Callable[[int], float]:
        """Return the share of bad events over a window, by the index of the time."""
        steps = max(1, window.seconds // _SLO_STEP)

        def share(index: int) -> float:
            first = index + 1 - steps
            before = max(0, -first) * self._usual
            return (self._sums[index + 1] - self._sums[max(0, first)] + before) / steps

        return share


# -------------------------------------------------------------------------------- instruments


def _instrument_series(instrument: Instrument[...], place: Deployment) -> Samples:
    combinations = product(*(_values(field) for field in instrument.label_fields))
    for index, values in enumerate(combinations):
        if index == _MOST_COMBINATIONS:
            return
        names = (field.name for field in instrument.label_fields)
        labels = place.labels | dict(zip(names, values, strict=True))
        yield from _KINDS[instrument.traits.prometheus_type](instrument, labels, place, index)


def _values(field: Label) -> Sequence[str]:
    """Return a few values of a label; the first is the most frequent."""
    if field.values is not None:
        absent = () if field.default is None or field.default in field.values else (field.default,)
        return (*absent, *field.values)[:3]
    return ("a", "b") if field.default is None else (field.default, "timeout")


def _wave(time: float, index: int) -> float:
    """Return a factor around 1 that follows the day and tells series apart."""
    return (1 + 0.3 * math.sin(time / 9000) + 0.1 * math.sin(time / 700 + index)) / (1 + index) ** 2


def _slow(place: Deployment, time: float) -> float:
    during = 2 * HOUR < END - time < 2.8 * HOUR
    return 6.0 if during and place.service == "payments" and place.cluster == "east" else 1.0


def _counter(instrument: Instrument[...], labels: Labels, place: Deployment, index: int) -> Samples:
    total = accumulate(5 * _STEP * _wave(time, index) for time in _times(_STEP, 26 * HOUR))
    yield from _lines(instrument.prometheus_name, labels, total, place)


def _gauge(instrument: Instrument[...], labels: Labels, place: Deployment, index: int) -> Samples:
    scale = {"{ratio}": 0.7, "{score}": 0.9, "{bool}": 1.0, "%": 60.0}.get(instrument.unit, 40.0)
    whole = instrument.unit == "{bool}"
    values = (
        float(index == 0) if whole else scale * min(1.3, 0.75 * (1 + index) * _wave(time, index))
        for time in _times(_STEP, 26 * HOUR)
    )
    yield from _lines(instrument.prometheus_name, labels, values, place)


def _histogram(
    instrument: Instrument[...], labels: Labels, place: Deployment, index: int
) -> Samples:
    bounds = [*instrument.buckets, math.inf]
    middle = instrument.buckets[len(instrument.buckets) // 2] / 2
    for bound in bounds:
        rates = (
            5 * _STEP * _wave(time, index) * (1 - math.exp(-bound / (middle * _slow(place, time))))
            for time in _times(_STEP, 26 * HOUR)
        )
        le = "+Inf" if bound == math.inf else f"{bound:g}"
        name = f"{instrument.prometheus_name}_bucket"
        yield from _lines(name, labels | {"le": le}, accumulate(rates), place)
    counts = accumulate(5 * _STEP * _wave(time, index) for time in _times(_STEP, 26 * HOUR))
    yield from _lines(f"{instrument.prometheus_name}_count", labels, counts, place)


_KINDS: dict[str, Callable[[Instrument[...], Labels, Deployment, int], Samples]] = {
    "counter": _counter,
    "gauge": _gauge,
    "histogram": _histogram,
}


def _health(place: Deployment) -> Samples:
    times = _times(_STEP, 26 * HOUR)
    yield from _lines(series_names.UP, place.labels, (3.0 for _ in times), place)
    version = {"service_version": "2.4.0"}
    before = (1.0 if END - time > 3 * HOUR else math.nan for time in times)
    after = (1.0 if END - time <= 3 * HOUR else math.nan for time in times)
    yield from _lines("target_info", place.labels | version, before, place)
    if place.service == "payments":
        yield from _lines("target_info", place.labels | {"service_version": "2.4.1"}, after, place)


_SCALES = {
    "drifted": 0.02, "errors": 0.004, "success": 0.97, "closed": 0.995, "accuracy": 0.96,
    "usage_percent": 61, "critical": 2, "findings_open": 34, "records": 1800, "users": 420,
    "remediation": 400_000, "pipeline_duration": 900, "dbt": 45,
}  # fmt: skip
"""The usual value of a recording, by a word of its name."""


def _recordings(repo: type[MetaRepo]) -> Samples:
    places = [place for place in DEPLOYMENTS if place.repo == repo.name]
    for recording in repo.recordings.values():
        for index, place in enumerate(places):
            grouped = {name: "a" for name in recording.measure.by if name != SERVICE}
            scale = next((v for word, v in _SCALES.items() if word in recording.name), 0.4)
            values = (
                scale * (0.95 + 0.05 * _wave(time, 0) / (1 + index))
                for time in _times(_STEP, 26 * HOUR)
            )
            yield from _lines(recording.name, place.labels | grouped, values, place)
    for name, value in ((series_names.COMPLIANCE, 0.75), (series_names.VIOLATIONS, 1.0)):
        for place in places:
            yield from _week(name, place.labels, partial(_constant, value))


def _constant(value: float, _: int) -> float:
    return value


# -------------------------------------------------------------------------------------- lines


def _times(step: int, span: int) -> range:
    return range(END - span, END + 1, step)


def _week(name: str, labels: Labels, value: Callable[[int], float]) -> Samples:
    times = _times(_SLO_STEP, _DAYS * DAY)
    return _format(name, labels, ((time, value(index)) for index, time in enumerate(times)))


def _lines(name: str, labels: Labels, values: Iterator[float], place: Deployment) -> Samples:
    times = _times(_STEP, 26 * HOUR)
    pairs = zip(times, values, strict=True)
    return _format(name, labels, ((t, v) for t, v in pairs if END - t >= place.stopped))


def _format(name: str, labels: Labels, samples: Iterator[tuple[int, float]]) -> Samples:
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    head = f"{name}{{{inside}}}"
    return (f"{head} {value:.7g} {time}\n" for time, value in samples if not math.isnan(value))
