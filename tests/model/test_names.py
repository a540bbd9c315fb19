from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry

from otel_meta import Counter, Gauge, Histogram, NoLabels
from otel_meta import UpDownCounter as UpDown
from otel_meta.errors import DeclarationError
from otel_meta.model import Instrument
from otel_meta.model.names import check_name, prometheus_name
from otel_meta.model.units import SUFFIXES

WORDS = (
    "a",
    "http",
    "x9",
    "ratio",
    "count",
    "total",
    "per",
    "second",
    *["seconds", "bytes", "usd"],
)

names = st.builds(
    lambda first, rest: first + "".join(separator + word for separator, word in rest),
    st.sampled_from([word for word in WORDS if word != "total"]),
    st.lists(st.tuples(st.sampled_from("._"), st.sampled_from(WORDS)), max_size=4),
)
units = st.sampled_from([*SUFFIXES, "{request}", "{free tier}"])
kinds = st.sampled_from(["counter", "updowncounter", "gauge", "histogram"])


def declared(kind: str, name: str, unit: str) -> Instrument[...]:
    """Declare an instrument, or reject the example of hypothesis."""
    try:
        if kind == "histogram":
            return Histogram(name, "Text.", NoLabels, unit=unit, buckets=(0.5,))
        made = {"counter": Counter, "updowncounter": UpDown, "gauge": Gauge}[kind]
        return made(name, "Text.", NoLabels, unit=unit)
    except DeclarationError:
        assume(False)
        raise


def scraped_names(kind: str, name: str, unit: str) -> set[str]:
    """Return the series that opentelemetry-exporter-prometheus shows for an instrument."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(disable_target_info=True, registry=registry)
    provider = MeterProvider([reader], Resource.get_empty(), shutdown_on_exit=False)
    meter = provider.get_meter("test")
    if kind == "counter":
        meter.create_counter(name, unit).add(1)
    elif kind == "updowncounter":
        meter.create_up_down_counter(name, unit).add(1)
    elif kind == "gauge":
        meter.create_gauge(name, unit).set(1)
    else:
        meter.create_histogram(name, unit).record(1)
    seen = {sample.name for family in registry.collect() for sample in family.samples}
    provider.shutdown()
    return seen


def go_name(kind: str, name: str, unit: str) -> str:
    """Translate a name as Go's otlptranslator does, for the Collector and the OTLP receiver.

    Models normalizeName in metric_namer.go v1.0.0: each half of the unit is added unless the words
    of the name contain it. "per second" is one token in Go, and never among the words of a name.
    """
    tokens = [token for token in re.split(r"[^a-zA-Z0-9:]+", name) if token]
    main, _, per = (half.strip() for half in unit.partition("/"))
    halves = [
        GO_UNITS.get(main, main) if "{" not in main else "",
        f"per_{GO_PER_UNITS.get(per, per)}" if per and "{" not in per else "",
    ]
    tokens += [half for half in halves if half and half not in tokens]
    if kind == "counter":
        tokens = [token for token in tokens if token != "total"] + ["total"]
    if kind == "gauge" and unit == "1":
        tokens = [token for token in tokens if token != "ratio"] + ["ratio"]
    return "_".join(tokens)


GO_UNITS = {
    "1": "",
    "%": "percent",
    "A": "amperes",
    "By": "bytes",
    "Cel": "celsius",
    "Hz": "hertz",
    "J": "joules",
    "V": "volts",
    "W": "watts",
    "d": "days",
    "g": "grams",
    "m": "meters",
    "s": "seconds",
}
GO_PER_UNITS = {"s": "second"}


class TestParity:
    """An accepted name is one name on every export path."""

    @given(kind=kinds, name=names, unit=units)
    @example(kind="gauge", name="a.bytes", unit="By/s")
    @example(kind="gauge", name="a.bytes.x", unit="By/s")
    def test_exporter_for_prometheus_shows_sample_names_of_instrument(
        self, kind: str, name: str, unit: str
    ) -> None:
        """The exporter for Prometheus shows the sample names of the instrument."""
        instrument = declared(kind, name, unit)

        assert set(instrument.sample_names) == scraped_names(kind, name, unit)

    @given(kind=kinds, name=names, unit=units)
    @example(kind="gauge", name="a.bytes", unit="By/s")
    @example(kind="gauge", name="a.bytes.per.second", unit="By/s")
    def test_translator_of_go_gives_prometheus_name_of_instrument(
        self, kind: str, name: str, unit: str
    ) -> None:
        """Go's translator gives the Prometheus name of the instrument."""
        instrument = declared(kind, name, unit)

        assert instrument.prometheus_name == go_name(kind, name, unit)

    @pytest.mark.parametrize(
        ("kind", "name", "unit", "python", "go"),
        [
            ("gauge", "a.util", "1", "a_util", "a_util_ratio"),
            ("counter", "a.total.time", "s", "a_total_time_seconds_total", "a_time_seconds_total"),
            ("gauge", "a.seconds.b", "s", "a_seconds_b_seconds", "a_seconds_b"),
            ("gauge", "a.x.", "", "a_x_", "a_x"),
        ],
    )
    def test_refused_for_a_reason(
        self, kind: str, name: str, unit: str, python: str, go: str
    ) -> None:
        """A refused name has two names, because the exporters differ."""
        assert {python} == scraped_names(kind, name, unit)
        assert go == go_name(kind, name, unit)
        with pytest.raises(DeclarationError):
            check_name(name, unit)


class TestPrometheusName:
    @pytest.mark.parametrize(
        ("name", "unit", "monotonic", "expected"),
        [
            ("atlas.requests", "{request}", True, "atlas_requests_total"),
            ("atlas.requests", "", False, "atlas_requests"),
            ("atlas.traffic", "By", True, "atlas_traffic_bytes_total"),
            ("atlas.traffic.bytes", "By", True, "atlas_traffic_bytes_total"),
            ("atlas.kilobytes", "By", False, "atlas_kilobytes_bytes"),
            ("atlas.free_tier", "%", False, "atlas_free_tier_percent"),
            ("atlas.throughput", "By/s", False, "atlas_throughput_bytes_per_second"),
        ],
    )
    def test_prometheus_name_has_joined_words_one_unit_and_total_on_counters(
        self, name: str, unit: str, expected: str, *, monotonic: bool
    ) -> None:
        """The Prometheus name has joined words, one unit, and _total on counters."""
        assert expected == prometheus_name(name, unit, monotonic=monotonic)


class TestRefused:
    @pytest.mark.parametrize(
        "name",
        ["", "Atlas", "1st", "a..b", "a__b", "a._b", "a.", "a_", ".a", "a-b", "a b", "é", "a\n"],
    )
    def test_name_that_export_path_would_change_is_refused(self, name: str) -> None:
        """A name that an export path would change is refused."""
        with pytest.raises(DeclarationError, match=r"(?s)metric '.*every export path.*use lower"):
            check_name(name, "")

    def test_name_that_opentelemetry_would_refuse_is_refused(self) -> None:
        """A name that OpenTelemetry would refuse at run time is refused at declaration."""
        check_name("a" * 255, "")

        with pytest.raises(DeclarationError, match="255 characters at most"):
            check_name("a" * 256, "")

    @pytest.mark.parametrize(
        ("unit", "mend"), [("1", r"\{ratio\}"), ("ms", '"s"'), ("bytes", '"By"'), ("furlong", "Hz")]
    )
    def test_unit_that_exporters_name_differently_is_refused_with_suggestion(
        self, unit: str, mend: str
    ) -> None:
        """A unit that exporters name differently is refused with a suggestion."""
        with pytest.raises(DeclarationError, match=rf"'a\.b': has the unit '{unit}'.*use .*{mend}"):
            check_name("a.b", unit)

    def test_unit_longer_than_opentelemetry_allows_is_refused(self) -> None:
        """A unit longer than OpenTelemetry allows is refused."""
        check_name("a.b", f"{{{'x' * 61}}}")

        with pytest.raises(DeclarationError, match="has the unit"):
            check_name("a.b", f"{{{'x' * 62}}}")

    @pytest.mark.parametrize("name", ["a.total", "total", "a.total.b", "a_total"])
    def test_word_total_is_refused_at_every_position(self, name: str) -> None:
        """The word total is refused at every position."""
        with pytest.raises(
            DeclarationError, match=r"contains the word \"total\".*leave the word out"
        ):
            check_name(name, "")

    def test_total_within_a_word(self) -> None:
        """A longer word that contains total is accepted."""
        check_name("a.subtotal", "")

    @pytest.mark.parametrize(
        ("name", "unit"),
        [
            ("a.seconds.b", "s"),
            ("seconds.a", "s"),
            ("a.bytes.b", "By"),
            ("a.bytes", "By/s"),
            ("a.bytes.per.second", "By/s"),
        ],
    )
    def test_word_of_unit_is_refused_before_end_of_name(self, name: str, unit: str) -> None:
        """The word of the unit is refused before the end of the name."""
        with pytest.raises(
            DeclarationError, match=r"contains the word of its unit.*leave the word out"
        ):
            check_name(name, unit)

    @pytest.mark.parametrize(
        ("name", "unit"), [("seconds", "s"), ("bytes", "By"), ("per.second", "By/s")]
    )
    def test_name_that_consists_of_its_unit_is_refused(self, name: str, unit: str) -> None:
        """A name that consists of its unit is refused."""
        with pytest.raises(DeclarationError, match="consists of its unit alone; name the thing"):
            check_name(name, unit)
