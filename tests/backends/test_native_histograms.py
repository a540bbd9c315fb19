"""Native histograms in Prometheus: exponential, and with the declared buckets as custom ones."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator

import pytest

from otel_meta import Duration, Histogram, MetaRepo, NoLabels
from otel_meta.render.options import ANCHORED, Options
from otel_meta.render.rules.sli_promql import Scope, increments
from otel_meta.testing import capture
from otel_meta.testing.servers import Backend
from tests.backends.generated_prometheus import port_of, prometheus, scrape_of, values
from tests.waiting import wait_until

BUCKETS = (0.05, 0.1, 0.25, 1.0)
NATIVE_FORMS = {
    "scrape_native_histograms": True,
    "convert_classic_histograms_to_nhcb": True,
    "always_scrape_classic_histograms": True,
}
_RANDOM = random.Random(7)
VALUES = [_RANDOM.lognormvariate(-2, 0.8) for _ in range(500)]


class Native(MetaRepo, name="native", owner="tests"):
    """The same values in a native histogram and in another; one has none."""

    fine = Histogram("native.fine", "Times.", NoLabels, unit="s", buckets=BUCKETS, native=True)
    coarse = Histogram("native.coarse", "Times.", NoLabels, unit="s", buckets=BUCKETS)
    idle = Histogram("native.idle", "Times.", NoLabels, unit="s", buckets=BUCKETS)


FINE, COARSE = Native.fine.prometheus_name, Native.coarse.prometheus_name


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A Prometheus that keeps native and other buckets, after some scrapes of all values."""
    with capture("native", Native, prometheus_port=0, traces="none", logs="none") as service:
        live = service.bind(Native)
        live.idle.with_labels()
        for value in VALUES:
            live.fine.record(value)
            live.coarse.record(value)
        job = scrape_of("native", port_of(service), **NATIVE_FORMS)
        with prometheus(tmp_path_factory.mktemp("native"), job) as server:
            server.wait_until_ready()
            wait_until(lambda: values(server, f"count_over_time({COARSE}_count[5m]) >= 3"))
            yield server


def below(bound: float) -> int:
    """Return the number of values at or below a bound."""
    return bisect_right(sorted(VALUES), bound)


def share(metric: str, bound: float) -> str:
    """Return a query of the values at or below a bound, by the native form of a histogram."""
    return f"histogram_count({metric}) * histogram_fraction(-Inf, {bound}, {metric})"


def test_declared_buckets_are_equal_with_and_without_native(server: Backend) -> None:
    """The declared buckets, the count and the sum are equal with and without native."""
    for suffix in ("_bucket", "_count", "_sum"):
        fine, coarse = (values(server, f"sort({name}{suffix})") for name in (FINE, COARSE))
        assert fine
        assert fine == coarse


def test_custom_buckets_are_exact_at_every_declared_bound(server: Backend) -> None:
    """Of a histogram with custom buckets, the share at every declared bound is exact."""
    found = [values(server, share(COARSE, bound)) for bound in BUCKETS]

    assert [[pytest.approx(below(bound), abs=1e-9)] for bound in BUCKETS] == found


def test_exponential_buckets_are_exact_at_their_bounds_alone(server: Backend) -> None:
    """An exponential histogram is exact at 0.25, which is a bound, and interpolates at 0.1."""
    assert [pytest.approx(below(0.25), abs=1e-9)] == values(server, share(FINE, 0.25))
    (interpolated,) = values(server, share(FINE, 0.1))
    assert 1e-3 < abs(interpolated - below(0.1)) < 20


def test_rules_of_slo_count_native_histogram_as_declared_buckets(server: Backend) -> None:
    """The rules of an SLO count the same from custom buckets as from the declared ones."""
    for native in (False, True):
        options = Options(prometheus=ANCHORED, native_histograms=native)
        scope = Scope("native", Duration("5m"), options)
        bad, total = increments(Native.coarse.within(0.1), scope)

        assert native == ("histogram_fraction" in bad)
        assert [pytest.approx(len(VALUES) - below(0.1), abs=1e-9)] == values(server, bad)
        assert [len(VALUES)] == values(server, total)


def test_rules_of_slo_read_declared_buckets_of_exponential_histogram(server: Backend) -> None:
    """The rules of an SLO on an exponential histogram stay exact: they read declared buckets."""
    options = Options(prometheus=ANCHORED, native_histograms=True)
    bad, _ = increments(Native.fine.within(0.1), Scope("native", Duration("5m"), options))

    assert "histogram_fraction" not in bad
    assert [len(VALUES) - below(0.1)] == values(server, bad)


def test_rules_count_nothing_of_histogram_without_values(server: Backend) -> None:
    """A histogram without values in the span has no bad events, instead of an unknown number."""
    options = Options(prometheus=ANCHORED, native_histograms=True)
    bad, total = increments(Native.idle.within(0.1), Scope("native", Duration("5m"), options))

    assert [[0.0], [0.0]] == [values(server, bad), values(server, total)]


def test_quantile_of_exponential_histogram_is_within_bucket(server: Backend) -> None:
    """The median of an exponential histogram is at most a bucket of 10 % away from the truth."""
    (found,) = values(server, f"histogram_quantile(0.5, {FINE})")

    assert pytest.approx(sorted(VALUES)[249], rel=0.1) == found


def test_first_values_of_native_forms_count(server: Backend) -> None:
    """The values before the first scrape count in both native forms, as in the declared buckets."""
    for metric in (FINE, COARSE):
        counted = values(server, f"histogram_count(increase({metric}[5m] anchored))")
        assert [float(len(VALUES))] == counted
