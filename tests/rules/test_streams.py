"""The latency of HTTP with streams, by the committed rules: streams count by their first byte."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from otel_meta.repos import Aurora
from tests.rules.committed_rules import rules_of
from tests.rules.promtool import Case, QueryTest, firing_query
from tests.rules.raw_series import identity, label_text

SLO = Aurora.api_latency
MINUTES = 200
DURATION = "http_server_request_duration_seconds"
FIRST_BYTE = "http_server_time_to_first_byte_seconds"
SHARED = {"http_request_method": "GET", "url_scheme": "https", "http_route": "/events"}
"""A stream and a plain response of one route differ by the name of their metric alone."""

Series = dict[str, str]


def histogram(name: str, good: str, every: str, **labels: str) -> Series:
    """Return the series of a histogram with a bucket at the bound of the SLO."""
    own = identity(Aurora) | SHARED | labels

    def bucket(bound: str) -> str:
        return f"{name}_bucket{label_text(own | {'le': bound})}"

    return {bucket("0.1"): good, bucket("+Inf"): every, f"{name}_count{label_text(own)}": every}


def rate(events: int, start: int = 0) -> str:
    """Return a counter that grows by some events a minute."""
    return f"{start}+{events}x{MINUTES}"


def counts(series: Series, total: float, bad: float) -> Case:
    """Expect counts of the last hour; extrapolation adds less than the share of an interval."""
    wrong = [
        QueryTest(MINUTES - 5, f"abs({name}:increase1h - {count}) > 1e-6")
        for name, count in (("slo:total", total), ("slo:bad", bad))
    ]
    known = QueryTest(MINUTES - 5, "count(slo:bad:increase1h)", {"{}": 1.0})
    quiet = QueryTest(MINUTES - 5, firing_query("SloNoData"))
    return Case(rules_of(Aurora, SLO), series, [*wrong, known, quiet], step=5)


PLAIN = histogram(DURATION, rate(10), rate(10))
SLOW = histogram(DURATION, rate(8), rate(10))
ENDED_AFTER_AN_HOUR = histogram(DURATION, rate(0), rate(5), stream="true")
QUICK_STREAMS = histogram(FIRST_BYTE, rate(5), rate(5)) | ENDED_AFTER_AN_HOUR
LATE_STREAMS = histogram(FIRST_BYTE, rate(1), rate(5)) | ENDED_AFTER_AN_HOUR
BORN_LATE = histogram(FIRST_BYTE, f"_x150 {rate(5)}", f"_x150 {rate(5)}")
WITHOUT_BUCKET = {
    series: values for series, values in LATE_STREAMS.items() if 'le="0.1"' not in series
}

CASES = {
    "long stream with early first byte is good": counts(PLAIN | QUICK_STREAMS, 900, 0),
    "stream with late first byte is bad": counts(PLAIN | LATE_STREAMS, 900, 240),
    "slow plain response is bad": counts(SLOW | QUICK_STREAMS, 900, 120),
    "slow plain responses and late streams are added up": counts(SLOW | LATE_STREAMS, 900, 360),
    "service without streams has its plain responses": counts(SLOW, 600, 120),
    "service of streams alone has its streams": counts(LATE_STREAMS, 300, 240),
    "streams without bucket at bound are not counted": counts(SLOW | WITHOUT_BUCKET, 600, 120),
    "restart of counters loses nothing": counts(
        histogram(DURATION, f"0+8x165 {rate(8, 8)}", f"0+10x165 {rate(10, 10)}") | LATE_STREAMS,
        900,
        360,
    ),
    "instances are added up": counts(
        histogram(FIRST_BYTE, rate(1), rate(5), instance="a")
        | histogram(FIRST_BYTE, rate(5), rate(5), instance="b")
        | histogram(DURATION, rate(8), rate(10), instance="a"),
        1200,
        360,
    ),
}


def _case(name: str) -> Case:
    return CASES[name]


def first_stream() -> Case:
    """Build a service whose first streams come after two and a half hours."""
    asked = [
        QueryTest(140, "abs(slo:total:increase1h - 600) > 1e-6"),
        QueryTest(190, "abs(slo:total:increase1h - 600 - 5 * 39) > 10"),
        QueryTest(190, "slo:bad:increase1h > 1e-6"),
    ]
    return Case(rules_of(Aurora, SLO), PLAIN | BORN_LATE, asked, step=5)


MAKERS: list[Callable[[], Case]] = [*(partial(_case, name) for name in CASES), first_stream]


@pytest.mark.parametrize("make", MAKERS, ids=[*CASES, "first streams come late"])
def test_response_is_judged_by_duration_and_stream_by_first_byte(
    make: Callable[[], Case], wrong: str
) -> None:
    """A response is judged by its duration, and a stream by its first byte."""
    assert "" == wrong
