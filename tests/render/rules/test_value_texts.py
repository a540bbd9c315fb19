from __future__ import annotations

from typing import Literal

import pytest

from otel_meta import measures
from otel_meta.model import Counter, Gauge, Histogram, NoLabels, labels
from otel_meta.model.measure import Measure
from otel_meta.render.rules.value_texts import span_text, value_text


@labels
class Kind:
    kind: Literal["a", "b"]


COUNT = Counter("acme.calls", "Calls.", Kind)
SHARE = measures.share(COUNT.where(kind="a"), COUNT, "30m")
WAIT = Histogram("acme.wait", "Wait.", NoLabels, unit="s", buckets=(1, 2))


def gauge(unit: str, name: str = "acme.level") -> Measure:
    """Return the present value of a gauge in a unit."""
    return measures.latest(Gauge(name, "Level.", NoLabels, unit=unit))


@pytest.mark.parametrize(
    ("measure", "bound", "value", "text"),
    [
        (SHARE, 0.01, "{{ $value | humanizePercentage }}", "1%"),
        (SHARE, 0.0005, "{{ $value | humanizePercentage }}", "0.05%"),
        (gauge("{ratio}"), 0.95, "{{ $value | humanizePercentage }}", "95%"),
        (gauge("", "acme.level.ratio"), 0.95, "{{ $value | humanizePercentage }}", "95%"),
        (gauge("%"), 80, '{{ printf "%.1f" $value }}%', "80%"),
        (gauge("By"), 2**30, "{{ $value | humanize1024 }}B", "1GiB"),
        (gauge("By"), 100, "{{ $value | humanize1024 }}B", "100B"),
        (gauge("s"), 5400, "{{ $value | humanizeDuration }}", "1h 30m"),
        (gauge("s"), 0.5, "{{ $value | humanizeDuration }}", "500ms"),
        (gauge("d"), 30, '{{ printf "%.1f" $value }} days', "30 days"),
        (gauge("{tile}"), 10_000, '{{ printf "%.0f" $value }}', "10000"),
        (gauge("{tile}"), 0.5, '{{ printf "%.2f" $value }}', "0.5"),
        (measures.increase(COUNT, "15m"), 0, '{{ printf "%.0f" $value }}', "0"),
        (measures.increase(WAIT, "15m"), 3, '{{ printf "%.0f" $value }}', "3"),
        (measures.rate(COUNT, "1h"), 5, '{{ printf "%.1f" $value }} a second', "5 a second"),
        (measures.quantile(WAIT, "0.99", "1h"), 2, "{{ $value | humanizeDuration }}", "2s"),
        (
            measures.relative_change(measures.increase(COUNT, "1d"), "7d"),
            0.2,
            "{{ $value | humanizePercentage }}",
            "20%",
        ),
    ],
)
def test_value_and_bound_are_in_unit_of_measure(
    measure: Measure, bound: float, value: str, text: str
) -> None:
    """The value and the bound are in the unit of the measure, and counts are whole."""
    texts = value_text(measure, bound)

    assert (value, text) == (texts.value, texts.bound(bound))


def test_span_is_told_of_measure_over_time() -> None:
    """The span of a measure over time is told, and the present value has none."""
    assert (" over 30m", "") == (span_text(SHARE), span_text(gauge("s")))
