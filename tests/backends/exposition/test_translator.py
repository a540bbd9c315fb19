"""Names and labels of SDK metrics, compared with Prometheus' OTLP receiver."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry

from otel_meta.runtime.prometheus.page import render_page
from otel_meta.runtime.prometheus.scrape import PullReader
from otel_meta.runtime.prometheus.text_format import TEXT
from tests.backends.alerting_servers import Prometheus
from tests.runtime.prometheus.page_parser import parse_samples

EXAMPLES = 300
CONFIG = {
    "otlp": {
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "promote_resource_attributes": ["service.name", "service.namespace"],
        # By default, Prometheus keeps translations from before the specification.
        "label_name_underscore_sanitization": False,
        "label_name_preserve_multiple_underscores": False,
    }
}
ADDED = ("job", "instance")
"""Labels added by the OTLP receiver."""

UNITS = st.sampled_from(
    [
        "1", "s", "ms", "By", "KiBy", "%", "Cel", "min", "d", "{a}", "By/s", "{a}/s", "1/s", "/s",
        "m/min", "By/{a}", "s/", "By{x}", "{x}By", "[degF]", "x_", "_x", "10*2", "kWh", "By / s",
        " s", "%/s", "a__b", "/", "s/m/h",
    ]
) | st.text(st.characters(codec="ascii"), max_size=5)  # fmt: skip
WORDS = st.sampled_from(
    ["total", "ratio", "seconds", "bytes", "percent", "per", "second", "x", "1", "Camel", ""]
)
NAMES = st.builds(
    lambda words, separators: "".join(
        word + separator for word, separator in zip(words, separators, strict=True)
    ),
    st.lists(WORDS, min_size=3, max_size=3),
    st.lists(st.sampled_from([".", "_", "-", "/", "__", "._", ""]), min_size=3, max_size=3),
)
KEYS = st.from_regex(
    r"[a-zA-Z0-9_.\-é]{0,3}[a-zA-Z0-9][a-zA-Z0-9_.\-é]{0,3}", fullmatch=True
).filter(
    lambda key: not (key.startswith("__") and key.endswith("__"))  # a scrape would drop the label
)
VALUES = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
KINDS = {
    "counter": ("create_counter", "add"),
    "updowncounter": ("create_up_down_counter", "add"),
    "gauge": ("create_gauge", "set"),
    "histogram": ("create_histogram", "record"),
}

Series = set[tuple[str, frozenset[tuple[str, str]]]]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Start a Prometheus that receives OTLP."""
    with Prometheus(tmp_path_factory.mktemp("translator"), yaml.safe_dump(CONFIG)) as started:
        yield started.wait_until_ready()


class TestTranslator:
    def test_sdk_metrics_have_equal_names_scraped_or_pushed(self, prometheus: Prometheus) -> None:
        """SDK metrics have equal names and labels, scraped or pushed."""
        scraped = CollectorRegistry()
        resource = Resource({"service.name": "maps", "service.namespace": "atlas"})
        reader = PullReader(list, resource, scraped, lambda *_: None)
        exporter = OTLPMetricExporter(f"{prometheus.url}/api/v1/otlp/v1/metrics")
        pushing = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
        provider = MeterProvider([reader, pushing], resource, shutdown_on_exit=False)
        _measure(provider.get_meter("library"))
        pushing.force_flush()
        families = reader.families(reader.collect_sdk(), ())
        page = render_page(families, TEXT, lambda *_: None).decode()
        provider.shutdown()

        pushed, shown = _pushed(prometheus), _shown(page)

        assert (set(), set()) == (pushed - shown, shown - pushed)
        assert EXAMPLES < len(shown)


def _measure(meter: Meter) -> None:
    numbers = count()

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(NAMES, UNITS, st.sampled_from(sorted(KINDS)), st.dictionaries(KEYS, VALUES, max_size=3))
    def measure(name: str, unit: str, kind: str, attributes: dict[str, Any]) -> None:
        create, method = KINDS[kind]
        instrument = getattr(meter, create)(f"m{next(numbers)}n{name}", unit)
        getattr(instrument, method)(1, attributes)

    measure()


def _shown(page: str) -> Series:
    return {
        _series(name, dict(labels))
        for name, labels in parse_samples(page)
        if name not in ("target_info", "otel_meta_up")
    }


def _pushed(prometheus: Prometheus) -> Series:
    found = prometheus.get("query", query='{job="atlas/maps"}')["result"]
    return {
        _series(each["metric"].pop("__name__"), each["metric"])
        for each in found
        if each["metric"]["__name__"] != "target_info"
    }


def _series(name: str, labels: dict[str, str]) -> tuple[str, frozenset[tuple[str, str]]]:
    if name.endswith("_bucket"):
        labels = labels | {"le": repr(float(labels["le"]))}
    return name, frozenset(
        (key, value) for key, value in labels.items() if value and key not in ADDED
    )
