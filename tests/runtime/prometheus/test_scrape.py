from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event
from typing import Any, Literal
from warnings import catch_warnings

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, UpDownCounter, labels
from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.model.labels import Label
from otel_meta.repos import BUILTIN
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.metrics import register_up
from otel_meta.runtime.prometheus import scrape as prometheus
from otel_meta.runtime.prometheus.scrape import CatalogReader
from otel_meta.runtime.resource import IDENTITY
from otel_meta.testing import CapturedTelemetry, capture

OPENMETRICS = "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8"
# Prometheus 3, as it asks by default.
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
ACCEPTS = ("", "text/plain", "*/*", OPENMETRICS, PROMETHEUS)


@labels
class Tile:
    style: str
    kind: Literal["vector", "raster"] = "vector"


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", Tile, unit="{tile}")
    memory = Gauge("atlas.memory", "Memory.", Tile, unit="By")
    drawing = Histogram("atlas.drawing", "Time to draw.", Tile, unit="s", buckets=(0.1, 1, 10))
    open_maps = UpDownCounter("atlas.open_maps", "Maps that are open.", NoLabels)


@pytest.fixture(scope="module")
def atlas() -> Iterator[tuple[CapturedTelemetry, Atlas]]:
    """Map tiles, live."""
    with capture("maps", Atlas) as captured:
        yield captured, captured.bind(Atlas)


@pytest.fixture
def impatient() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def parsed(text: str, *, openmetrics: bool = False) -> list[Any]:
    """Families, as the client library reads them."""
    return list(parse_openmetrics(text) if openmetrics else parse_text(text))


def samples(text: str, name: str, **wanted: str) -> list[float]:
    """The values of the series of this name that have these labels."""
    return [
        sample.value
        for family in parsed(text)
        for sample in family.samples
        if sample.name == name and wanted.items() <= sample.labels.items()
    ]


class TestFormat:
    @pytest.mark.parametrize("accept", ACCEPTS)
    def test_accepted(self, accept: str) -> None:
        """Whatever format is asked for, its parser takes everything of every meta-repository."""
        with capture() as captured:
            for repo in BUILTIN:
                captured.bind(repo)
            _record(captured.bind(Atlas))
            assert captured.telemetry.scrape is not None
            body, content_type = captured.telemetry.scrape.render(accept)

        families = parsed(body.decode(), openmetrics="openmetrics" in content_type)
        names = [family.name for family in families]

        assert len(set(names)) == len(names)
        assert {"atlas_memory_bytes", "atlas_drawing_seconds", "atlas_open_maps"} <= set(names)

    @settings(max_examples=30)
    @given(accept=st.text(st.characters(codec="latin-1"), max_size=40) | st.just(PROMETHEUS))
    def test_any(self, atlas: tuple[CapturedTelemetry, Atlas], accept: str) -> None:
        """Whatever a caller accepts, there is an answer."""
        assert atlas[0].prometheus_text(accept)

    @pytest.mark.parametrize(
        "accept",
        [
            "text/plain;version=abc",
            "application/openmetrics-text; version=abc",
            "application/openmetrics-text; version=1.0.0\r\nx: y",
            "application/openmetrics-text; version=\xe9",
            "application/openmetrics-text; version=",
            "application/openmetrics-text; version=99.0",
        ],
    )
    def test_odd(self, atlas: tuple[CapturedTelemetry, Atlas], accept: str) -> None:
        """So there is for a version that there is not, and its type is fit for a header."""
        scrape = atlas[0].telemetry.scrape
        assert scrape is not None
        body, content_type = scrape.render(accept)

        assert b"atlas_memory_bytes" in body or b"otel_meta_up" in body
        assert content_type.isascii()
        assert content_type.isprintable()


class TestSeries:
    def test_values(self) -> None:
        """A scrape shows what was recorded, by name, unit and labels."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            text = captured.prometheus_text()

        assert [3.0] == samples(text, "atlas_tiles_total", style="dark", kind="raster")
        assert [1024.0] == samples(text, "atlas_memory_bytes", style="dark")
        assert [0.0, 1.0, 1.0, 1.0] == samples(text, "atlas_drawing_seconds_bucket", style="dark")
        assert [0.5] == samples(text, "atlas_drawing_seconds_sum", style="dark")
        assert [-1.0] == samples(text, "atlas_open_maps")
        assert [1.0] == samples(text, "otel_meta_up")

    def test_identity(self) -> None:
        """Every series says which service it is of, of which meta-repository, and no scope."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            text = captured.prometheus_text()
        own = [s for f in parsed(text) for s in f.samples if s.name.startswith("atlas_")]

        assert {("maps", "atlas-maps")} == {
            (s.labels["service_name"], s.labels["service_namespace"]) for s in own
        }
        assert [] == [s for s in own if any(name.startswith("otel_scope") for name in s.labels)]

    def test_le(self) -> None:
        """Buckets are named by floats, on every path."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            text = captured.prometheus_text()
        found = [s.labels["le"] for f in parsed(text) for s in f.samples if "le" in s.labels]

        assert ["0.1", "1.0", "10.0", "+Inf"] == found

    def test_zero(self) -> None:
        """A closed counter is shown before it counts anything."""
        with capture("maps", Atlas) as captured:
            captured.bind(Atlas).tiles.add(1, style="dark", kind="raster")
            text = captured.prometheus_text()

        assert [0.0] == samples(text, "atlas_tiles_total", kind="vector")

    def test_overflow(self) -> None:
        """What is over the limit is one series, marked as such."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            for number in range(2100):
                atlas.memory.set(1, style=str(number))
            text = captured.prometheus_text()

        assert 2001 == len(samples(text, "atlas_memory_bytes"))
        assert [1.0] == samples(text, "atlas_memory_bytes", otel_metric_overflow="true")

    def test_foreign(self) -> None:
        """What other libraries record through the SDK is in the same scrape."""
        with capture("maps") as captured:
            assert captured.telemetry.metrics is not None
            meter = captured.telemetry.metrics.provider.get_meter("library")
            meter.create_counter("library.calls").add(2, {"a.b": "c"})
            text = captured.prometheus_text()

        assert [2.0] == samples(text, "library_calls_total", a_b="c", service_name="maps")

    def test_process(self, atlas: tuple[CapturedTelemetry, Atlas]) -> None:
        """So are the process' memory and time."""
        assert samples(atlas[0].prometheus_text(), "process_resident_memory_bytes")

    @settings(max_examples=50)
    @given(text=st.text(min_size=1))
    def test_label(self, atlas: tuple[CapturedTelemetry, Atlas], text: str) -> None:
        """Any text that is a label value comes out of a scrape as it went in."""
        captured, maps = atlas
        maps.memory.set(7, style=text)
        found = samples(captured.prometheus_text(OPENMETRICS), "atlas_memory_bytes", style=text)

        assert [7.0] == found

    def test_surrogate(self) -> None:
        """A label value that UTF-8 cannot hold does not take the scrape down."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            atlas.memory.set(1, style="\ud800")
            atlas.memory.set(2, style="fine")
            text = captured.prometheus_text()

        assert [2.0] == samples(text, "atlas_memory_bytes", style="fine")

    @pytest.mark.parametrize("value", [2**63, -(2**70), 10**400])
    def test_integer(self, value: int) -> None:
        """A gauge set to an integer of any size does not take the scrape down."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            atlas.memory.set(value, style="large")
            atlas.memory.set(2, style="fine")
            text = captured.prometheus_text()

        assert [2.0] == samples(text, "atlas_memory_bytes", style="fine")


class TestTwoScopes:
    def test_labels(self) -> None:
        """A library that measures the same with other labels keeps its values under its labels."""
        with capture("maps", Atlas) as captured:
            assert captured.telemetry.metrics is not None
            meter = captured.telemetry.metrics.provider.get_meter("library")
            meter.create_up_down_counter("atlas.open_maps", description="Maps that are open.").add(
                5, {"apple": "a", "zebra": "z"}
            )
            captured.bind(Atlas).open_maps.add(1)
            text = captured.prometheus_text()

        assert [5.0] == samples(text, "atlas_open_maps", apple="a", zebra="z")
        assert [1.0, 5.0] == sorted(samples(text, "atlas_open_maps", service_name="maps"))

    def test_sum(self) -> None:
        """What it measures with the same labels is added to what the catalogue has."""
        with capture("maps", Atlas) as captured:
            meter(captured).create_up_down_counter("atlas.open_maps").add(5)
            captured.bind(Atlas).open_maps.add(1)
            text = captured.prometheus_text()

        assert [6.0] == samples(text, "atlas_open_maps")

    def test_type(self) -> None:
        """Where it measures something else by the same name, the catalogue's is shown."""
        with capture("maps", Atlas) as captured:
            meter(captured).create_counter("atlas.open_maps").add(5)
            captured.bind(Atlas).open_maps.add(1)
            text = captured.prometheus_text()

            assert [1.0] == samples(text, "atlas_open_maps")
            assert [] == samples(text, "atlas_open_maps_total")
            assert {("atlas_open_maps", "conflict")} == faults(captured)


class TestStock:
    def test_names(self) -> None:
        """Every series of every meta-repository is what the stock exporter calls it."""
        with capture("maps", namespace="atlas-maps") as captured:
            for repo in (*BUILTIN, Atlas):
                live = captured.bind(repo)
                for name, instrument in repo.instruments.items():
                    some = {field.name: _some(field) for field in instrument.label_fields}
                    getattr(getattr(live, name), _VERBS[instrument.kind])(0.5, **some)
            ours = captured.prometheus_text()
            registry = CollectorRegistry()
            stock = PrometheusMetricReader(
                scope_info_enabled=False,
                resource_attribute_filter=IDENTITY.__contains__,
                registry=registry,
            )
            provider = MeterProvider([], captured.telemetry.resource, shutdown_on_exit=False)
            provider.add_metric_reader(_Also(stock, MetricProducer(captured.telemetry.storage)))
            register_up(provider)
            theirs = generate_latest(registry).decode()

        assert _values(theirs, "target_info") == _values(ours, "target_info", "process", "python")
        assert 200 < len(_values(ours))

    def test_registry(self) -> None:
        """prometheus_client's own renderer shows the same from the registry."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            meter(captured).create_counter("library.calls").add(2, {"a.b": "c"})
            assert captured.telemetry.scrape is not None
            theirs = generate_latest(captured.telemetry.scrape.registry).decode()

            assert _values(theirs, "process", "python") == _values(
                captured.prometheus_text(), "process", "python"
            )

    def test_reader(self) -> None:
        """It is the ecosystem's reader, and leaves its registry when it is shut down."""
        registry = CollectorRegistry(auto_describe=True)
        reader = CatalogReader(list, Resource({}), registry, lambda *_: None)
        provider = MeterProvider([reader], Resource({}), shutdown_on_exit=False)
        provider.get_meter("library").create_counter("calls").add(1)

        assert isinstance(reader, PrometheusMetricReader)
        assert "calls_total 1.0" in generate_latest(registry).decode()
        provider.shutdown()
        assert b"" == generate_latest(registry)


class TestConcurrent:
    def test_whole(self, impatient: None) -> None:
        """Twenty scrapes at the same time each get everything, once."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            for number in range(100):
                atlas.memory.set(number, style=str(number))
            with ThreadPoolExecutor(20) as pool:
                texts = list(pool.map(captured.prometheus_text, [""] * 100))

        assert {100} == {text.count("\natlas_memory_bytes{") for text in texts}

    def test_queue(self) -> None:
        """Scrapes are made one after the other: the reader would mix overlapping ones up."""
        under_way: list[int] = []
        seen: list[int] = []

        class Slow:
            def collect(self) -> Iterator[GaugeMetricFamily]:
                under_way.append(1)
                time.sleep(0.02)  # long enough for another scrape to come, if it may
                seen.append(len(under_way))
                under_way.pop()
                yield GaugeMetricFamily("slow", "Slow.", 1)

        with capture() as captured, ThreadPoolExecutor(4) as pool:
            assert captured.telemetry.scrape is not None
            captured.telemetry.scrape.registry.register(Slow())
            seen.clear()
            list(pool.map(captured.prometheus_text, [""] * 8))

        assert [1] * 8 == seen

    def test_after_force_flush(self) -> None:
        """Nor does one of the SDK's, of which nothing is shown later."""
        with capture("maps", Atlas) as captured:
            assert captured.telemetry.metrics is not None
            calls = meter(captured).create_counter("library.calls")
            for _ in range(2):
                calls.add(1)
                captured.telemetry.metrics.provider.force_flush()
            calls.add(1)
            text = captured.prometheus_text()

        assert [3.0] == samples(text, "library_calls_total")

    def test_after_flush(self) -> None:
        """A flush does not make the next scrape come out twice."""
        with capture("maps", Atlas) as captured:
            captured.bind(Atlas).open_maps.add(1)
            captured.telemetry.flush()
            captured.telemetry.flush()
            text = captured.prometheus_text()

        assert [1.0] == samples(text, "atlas_open_maps")


class TestBroken:
    def test_collection(self) -> None:
        """Where the SDK fails for good, the catalogue is shown, and that the process is there."""
        with capture("maps", Atlas) as captured:
            money: Any = meter(captured).create_counter("library.money")
            captured.bind(Atlas).open_maps.add(1)
            for value in (Decimal("1.5"), 0.5):  # which the SDK adds up at a collection
                money.add(value)
                text = captured.prometheus_text()

            assert [1.0] == samples(text, "atlas_open_maps")
            assert [1.0] == samples(text, "otel_meta_up", service_name="maps")
            assert samples(text, "target_info", service_name="maps")
            assert {("/metrics", "collection")} == faults(captured)

    def test_hanging(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a library's callback hangs, later scrapes are shown the catalogue."""
        monkeypatch.setattr(prometheus, "_PATIENCE", 0.05)
        hanging, go_on = Event(), Event()

        def hang(_options: CallbackOptions) -> list[Observation]:
            hanging.set()
            go_on.wait(20)
            return []

        with capture("maps", Atlas) as captured, ThreadPoolExecutor(1) as pool:
            meter(captured).create_observable_gauge("library.level", [hang])
            captured.bind(Atlas).open_maps.add(1)
            first = pool.submit(captured.prometheus_text)
            hanging.wait(20)
            text = captured.prometheus_text()
            go_on.set()

            assert (
                [1.0]
                == samples(text, "atlas_open_maps")
                == samples(first.result(20), "atlas_open_maps")
            )
            assert [1.0] == samples(text, "otel_meta_up")
            assert {("/metrics", "busy")} == faults(captured)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_forked(self) -> None:
        """A process that was forked while a scrape was under way can be scraped at once."""
        under_way, go_on = Event(), Event()

        class Slow:
            def collect(self) -> list[GaugeMetricFamily]:
                under_way.set()
                go_on.wait(20)
                return []

        with capture("maps", Atlas) as captured, ThreadPoolExecutor(1) as pool:
            assert captured.telemetry.scrape is not None
            captured.telemetry.scrape.registry.register(Slow())
            scraped = pool.submit(captured.prometheus_text)
            under_way.wait(20)
            with catch_warnings(action="ignore", category=DeprecationWarning):
                child = os.fork()
            if child == 0:
                go_on.set()
                captured.telemetry.scrape.render()
                os._exit(("/metrics", "busy") in faults(captured))
            go_on.set()
            scraped.result(20)

            assert (child, 0) == os.waitpid(child, 0)


class TestPort:
    def test_token(self) -> None:
        """Where there is a token, the port answers whoever bears it alone."""
        port: dict[str, Any] = {"prometheus_port": 0, "prometheus_host": "127.0.0.1"}
        with capture("maps", Atlas, prometheus_token="s3cret", **port) as captured:
            assert captured.telemetry.metrics is not None
            assert captured.telemetry.metrics.port is not None
            url = f"http://127.0.0.1:{captured.telemetry.metrics.port.number}/metrics"
            bearer = {"authorization": "Bearer s3cret"}
            refused = httpx.get(url, trust_env=False)
            admitted = httpx.get(f"{url}?name[]=otel_meta_up", headers=bearer, trust_env=False)

        assert (401, "Bearer") == (refused.status_code, refused.headers["www-authenticate"])
        assert [200, 1.0] == [admitted.status_code, *samples(admitted.text, "otel_meta_up")]
        assert ["otel_meta_up"] == [family.name for family in parsed(admitted.text)]

    def test_served(self) -> None:
        """A port of its own answers scrapes, and its number is known."""
        with capture("maps", Atlas, prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            captured.bind(Atlas).open_maps.add(1)
            assert captured.telemetry.metrics is not None
            port = captured.telemetry.metrics.port
            assert port is not None
            text = httpx.get(f"http://127.0.0.1:{port.number}/metrics", trust_env=False).text

        assert [1.0] == samples(text, "atlas_open_maps")

    def test_said(self) -> None:
        """Where it is, is said once."""
        with capture(prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None
            port = captured.telemetry.metrics.port
            assert port is not None
            events = [line["event"] for line in captured.logs()]

        assert [f"metrics on http://127.0.0.1:{port.number}/metrics"] == events

    def test_freed(self) -> None:
        """Shut down, the port is free again."""
        with capture(prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None
            assert captured.telemetry.metrics.port is not None
            number = captured.telemetry.metrics.port.number

        with capture(prometheus_port=number, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None
            assert captured.telemetry.metrics.port is not None

    def test_in_use(self) -> None:
        """A port that somebody else has is an error that names it and says what to do."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]

            with pytest.raises(
                PortInUse, match=rf"127\.0\.0\.1:{number}, the port is in use; set OTEL_EXPORTER_"
            ) as caught:
                capture(prometheus_port=number, prometheus_host="127.0.0.1").__enter__()

        assert ("127.0.0.1", number) == (caught.value.host, caught.value.port)

    def test_after_in_use(self) -> None:
        """After that error, another port may be tried."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]
            with pytest.raises(PortInUse):
                capture(prometheus_port=number, prometheus_host="127.0.0.1").__enter__()

        with capture(prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
    def test_no_address(self, host: str) -> None:
        """A host that this machine is not is a configuration error that names it."""
        with pytest.raises(ConfigurationError, match=host):
            capture(prometheus_port=0, prometheus_host=host).__enter__()


_VERBS = {"counter": "add", "updowncounter": "add", "gauge": "set", "histogram": "record"}


class _Also(MetricReader):
    """Hands what was collected to a stock reader, with the accumulators' points beside it."""

    def __init__(self, stock: PrometheusMetricReader, points: MetricProducer) -> None:
        super().__init__()
        self._stock, self._points = stock, points
        stock._collector._callback = self.collect

    def _receive_metrics(self, metrics_data: MetricsData, *_: Any, **__: Any) -> None:
        self._stock._receive_metrics(self._points.append_to(metrics_data))

    def shutdown(self, *_: Any, **__: Any) -> None:
        """Have nothing to shut down."""


def _some(field: Label) -> str:
    return field.values[0] if field.values else "some"


def _values(text: str, *but: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every series' value, labels without a value left out."""
    return {
        (sample.name, frozenset(pair for pair in sample.labels.items() if pair[1])): sample.value
        for family in parsed(text)
        for sample in family.samples
        if not sample.name.startswith(but or ("target_info",))
    }


def meter(captured: CapturedTelemetry) -> Meter:
    """What another library records through."""
    assert captured.telemetry.metrics is not None
    return captured.telemetry.metrics.provider.get_meter("library")


def faults(captured: CapturedTelemetry) -> set[tuple[str, str]]:
    """What went wrong."""
    return {cell.labels for cell in captured.telemetry.faults.family.cells()}


def _record(atlas: Atlas) -> None:
    atlas.tiles.add(3, style="dark", kind="raster")
    atlas.memory.set(1024, style="dark")
    atlas.drawing.record(0.5, style="dark")
    atlas.open_maps.add(-1)
