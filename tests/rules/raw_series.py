"""Raw series for promtool: the samples that a flow of events leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import assert_never

from otel_meta.model import MetaRepo, Selector, Slo
from otel_meta.model.slo.event_terms import EventCount, Remainder, TimeSlices
from otel_meta.model.slo.sli import SimpleSli

SERVICE = "svc"

Labels = Mapping[str, str]

Flow = list[tuple[float, float]]
"""Bad events and all events of each minute."""

SLICES = {"each": 2, "worst": 1}
"""The number of series of a gauge; promtool's engine holds six hours of two series at most."""

_BASE = 1_000_000.0
"""The start of counters; near zero Prometheus extrapolates differently."""

_STEPS = 2**14


def constant_flow(minutes: int, share: float, total: float = 1000.0) -> Flow:
    """Some minutes with a constant share of bad events.

    In steps of a power of two, which floats add exactly: else a counter would seem to go back.
    """
    return [(round(share * total * _STEPS) / _STEPS, total)] * minutes


def label_text(labels: Labels) -> str:
    """Return labels in the notation of series."""
    return "{" + ",".join(f"{k}={json.dumps(v)}" for k, v in sorted(labels.items())) + "}"


def counter(increments: Iterable[float]) -> str:
    """Return a counter's samples, one per minute, in promtool's notation."""
    value, runs = _BASE, []
    for step, same in groupby(increments):
        length = len(list(same))
        # The first sample of a run is the last of the run before, which is therefore left out.
        runs.append(f"{value + step!r}+{step!r}x{length - 1}")
        value += step * length
    return f"{_BASE!r} " + " ".join(runs)


def gauge(values: Iterable[float]) -> str:
    """Return a gauge's samples, one per minute, in promtool's notation."""
    return " ".join(f"{value!r}x{len(list(same)) - 1}" for value, same in groupby(values))


def identity(repo: type[MetaRepo], service: str = SERVICE) -> dict[str, str]:
    """Return the labels of every series of a service."""
    return {"service_namespace": repo.name, "service_name": service}


def matching_labels(match: Selector, **more: str) -> dict[str, str]:
    """Return labels of a series that a selector matches."""
    labels = {
        f.name: (f.values[0] if f.values else f"some-{f.name}")
        for f in match.instrument.label_fields
        if f.default is None
    }
    for condition in match.matchers:
        wanted = condition.values
        labels[condition.label] = wanted[0] if isinstance(wanted, tuple) else "SomeError"
    return {name: value for name, value in (labels | more).items() if value}


def other_labels(match: Selector) -> dict[str, str]:
    """Return labels of a series that a selector does not match."""
    labels = matching_labels(Selector(match.instrument))
    for condition in match.matchers:
        fields = {f.name: f for f in match.instrument.label_fields}
        values = fields[condition.label].values or ()
        wanted = condition.values
        if not isinstance(wanted, tuple):
            labels.pop(condition.label, None)
        else:
            labels[condition.label] = next(v for v in values if v not in wanted)
    return labels


def raw_series(
    repo: type[MetaRepo], slo: Slo, flow: Flow, service: str = SERVICE
) -> dict[str, str]:
    """Return the raw series of a flow of events, with the names of the catalogue."""
    parts = slo.sli.parts
    part_of_flow = [(bad / len(parts), total / len(parts)) for bad, total in flow]
    who = identity(repo, service)
    return dict(chain.from_iterable(_of_part(part, who, part_of_flow) for part in parts))


def _of_part(sli: SimpleSli, who: dict[str, str], flow: Flow) -> Iterator[tuple[str, str]]:
    total = sli.total_events.selector
    match sli.bad_events:
        case TimeSlices() as slices:
            yield from _slices(slices, who, flow)
        case Remainder(EventCount(has_bounds=True) as good):
            yield from _buckets(good, who, flow)
        case Remainder(good):
            yield from _counted(good.selector, total, who, [(t - b, t) for b, t in flow])
        case EventCount(part):
            yield from _counted(part, total, who, flow)
        case unknown:
            assert_never(unknown)


def _buckets(good: EventCount, who: dict[str, str], flow: Flow) -> Iterator[tuple[str, str]]:
    """Yield a histogram with its bad values above the upper bound, if there is such a bound."""
    labels, name = matching_labels(good.selector) | who, good.selector.instrument.prometheus_name
    below = 0.0 if good.at_most is not None else 1.0
    everything = [t for _, t in flow]
    if good.above is not None:
        lower = labels | {"le": f"{good.above:g}"}
        yield f"{name}_bucket{label_text(lower)}", counter(below * b for b, _ in flow)
    if good.at_most is not None:
        upper = labels | {"le": f"{good.at_most:g}"}
        yield f"{name}_bucket{label_text(upper)}", counter(t - b for b, t in flow)
    yield f"{name}_bucket{label_text(labels | {'le': '+Inf'})}", counter(everything)
    yield f"{name}_count{label_text(labels)}", counter(everything)


def _counted(
    part: Selector, total: Selector, who: dict[str, str], flow: Flow
) -> Iterator[tuple[str, str]]:
    """Yield the counter of a part of the events and the counter of the other events."""
    yield _sample(part) + label_text(matching_labels(part) | who), counter(p for p, _ in flow)
    if part.instrument is total.instrument:
        yield _sample(part) + label_text(other_labels(part) | who), counter(t - p for p, t in flow)
    else:
        yield _sample(total) + label_text(matching_labels(total) | who), counter(t for _, t in flow)


def _sample(match: Selector) -> str:
    instrument = match.instrument
    return instrument.prometheus_name + ("_count" if instrument.kind == "histogram" else "")


def _slices(slices: TimeSlices, who: dict[str, str], flow: Flow) -> Iterator[tuple[str, str]]:
    instrument = slices.selector.instrument
    open_label = next(f.name for f in instrument.label_fields if f.values is None)
    (outside,) = slices.comparisons()
    good = outside.bound
    bad = good * 0.99 if outside.operator == "<" else good + 1
    counts = bad_series(slices, flow)
    for number in range(SLICES[slices.series]):
        labels = matching_labels(slices.selector, **{open_label: f"some-{number}"}) | who
        values = (bad if number < count else good for count in [counts[0], *counts])
        yield instrument.prometheus_name + label_text(labels), gauge(values)


def bad_series(slices: TimeSlices, flow: Flow) -> list[int]:
    """Return the number of bad series in each minute, so that the shares add up."""
    owed, counts = 0.0, []
    for bad, total in flow:
        owed += bad / total * SLICES[slices.series]
        counts.append(int(owed + 1e-9))
        owed -= counts[-1]
    return counts
