from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event
from typing import TYPE_CHECKING, Any, Literal
from warnings import catch_warnings

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily

from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, UpDownCounter, labels
from otel_meta.errors import ConfigurationError, PortInUse
from otel_meta.model.labels import Label
from otel_meta.model.self_metrics import UP
from otel_meta.repos import BUILTIN
from otel_meta.runtime.export.producer import MetricProducer
from otel_meta.runtime.prometheus.scrape import PullReader, Scrape
from otel_meta.runtime.prometheus.timed_collection import TimedCollection
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.resource import IDENTITY
from otel_meta.testing import CapturedTelemetry, capture
from tests.runtime.prometheus.page_parser import parse_page

if TYPE_CHECKING:
    from tests.conftest import Eventually

OPENMETRICS = "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8"
# The Accept header of Prometheus 3.
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
    """Telemetry and live instruments, shared by the tests of this module."""
    with capture("maps", Atlas) as captured:
        yield captured, captured.bind(Atlas)


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Make the interpreter switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def samples(text: str, name: str, **labels: str) -> list[float]:
    """Return the values of the series with this name and these labels."""
    return [
        sample.value
        for family in parse_page(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


class TestFormat:
    @pytest.mark.parametrize("accept", ACCEPTS)
    def test_parsers_accept_metrics_of_all_meta_repositories(self, accept: str) -> None:
        """The parser of each format accepts the metrics of all meta-repositories."""
        with capture() as captured:
            for repo in BUILTIN:
                captured.bind(repo)
            _record(captured.bind(Atlas))
            assert captured.telemetry.scrape is not None
            body, content_type = captured.telemetry.scrape.render(accept)

        families = parse_page(body.decode(), content_type)
        names = [family.name for family in families]

        assert len(set(names)) == len(names)
        assert {"atlas_memory_bytes", "atlas_drawing_seconds", "atlas_open_maps"} <= set(names)

    @settings(max_examples=30)
    @given(accept=st.text(st.characters(codec="latin-1"), max_size=40) | st.just(PROMETHEUS))
    def test_any_accept_header_gets_page(
        self, atlas: tuple[CapturedTelemetry, Atlas], accept: str
    ) -> None:
        """Any Accept header gets a page."""
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
    def test_unknown_version_gets_page_with_printable_content_type(
        self, atlas: tuple[CapturedTelemetry, Atlas], accept: str
    ) -> None:
        """An unknown version gets a page with a printable content type."""
        scrape = atlas[0].telemetry.scrape
        assert scrape is not None
        body, content_type = scrape.render(accept)

        assert b"otel_meta_up" in body
        assert content_type.isascii()
        assert content_type.isprintable()


class TestSeries:
    def test_page_shows_recorded_values_by_name_unit_and_labels(self) -> None:
        """A page shows recorded values by name, unit and labels."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            text = captured.prometheus_text()

        assert [3.0] == samples(text, "atlas_tiles_total", style="dark", kind="raster")
        assert [1024.0] == samples(text, "atlas_memory_bytes", style="dark")
        assert [0.0, 1.0, 1.0, 1.0] == samples(text, "atlas_drawing_seconds_bucket", style="dark")
        assert [0.5] == samples(text, "atlas_drawing_seconds_sum", style="dark")
        assert [-1.0] == samples(text, "atlas_open_maps")
        assert [1.0] == samples(text, "otel_meta_up")

    def test_series_have_labels_of_service_and_no_scope(self) -> None:
        """Series have the labels of the service and no scope."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            text = captured.prometheus_text()
        own = [s for f in parse_page(text) for s in f.samples if s.name.startswith("atlas_")]

        assert {("maps", "atlas-maps")} == {
            (s.labels["service_name"], s.labels["service_namespace"]) for s in own
        }
        assert [] == [s for s in own if any(name.startswith("otel_scope") for name in s.labels)]

    def test_bucket_bounds_are_floats(self) -> None:
        """Bucket bounds are floats."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            text = captured.prometheus_text()
        found = [s.labels["le"] for f in parse_page(text) for s in f.samples if "le" in s.labels]

        assert ["0.1", "1.0", "10.0", "+Inf"] == found

    def test_counter_of_closed_label_values_is_shown_at_zero(self) -> None:
        """A counter of closed label values is shown before its first increment."""
        with capture("maps", Atlas) as captured:
            captured.bind(Atlas).tiles.add(1, style="dark", kind="raster")
            text = captured.prometheus_text()

        assert [0.0] == samples(text, "atlas_tiles_total", kind="vector")

    def test_series_above_limit_are_one_series_with_overflow_label(self) -> None:
        """Series above the limit are one series with the overflow label."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            for number in range(2100):
                atlas.memory.set(1, style=str(number))
            text = captured.prometheus_text()

        assert 2001 == len(samples(text, "atlas_memory_bytes"))
        assert [1.0] == samples(text, "atlas_memory_bytes", otel_metric_overflow="true")

    def test_metrics_of_other_libraries_are_on_same_page(self) -> None:
        """Metrics of other libraries are on the same page."""
        with capture("maps") as captured:
            meter(captured).create_counter("library.calls").add(2, {"a.b": "c"})
            text = captured.prometheus_text()

        assert [2.0] == samples(text, "library_calls_total", a_b="c", service_name="maps")

    def test_metrics_of_process_are_on_same_page(
        self, atlas: tuple[CapturedTelemetry, Atlas]
    ) -> None:
        """Metrics of the process are on the same page."""
        assert samples(atlas[0].prometheus_text(), "process_resident_memory_bytes")

    @settings(max_examples=50)
    @given(text=st.text(min_size=1))
    def test_any_label_value_survives_scrape(
        self, atlas: tuple[CapturedTelemetry, Atlas], text: str
    ) -> None:
        """Any label value survives the scrape."""
        captured, maps = atlas
        maps.memory.set(7, style=text)
        found = samples(captured.prometheus_text(OPENMETRICS), "atlas_memory_bytes", style=text)

        assert [7.0] == found

    def test_lone_surrogate_in_label_value_does_not_fail_scrape(self) -> None:
        """A lone surrogate in a label value does not fail the scrape."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            atlas.memory.set(1, style="\ud800")
            atlas.memory.set(2, style="fine")
            text = captured.prometheus_text()

        assert [2.0] == samples(text, "atlas_memory_bytes", style="fine")

    @pytest.mark.parametrize("value", [2**63, -(2**70), 10**400])
    def test_gauge_set_to_huge_integer_does_not_fail_scrape(self, value: int) -> None:
        """A gauge set to a huge integer does not fail the scrape."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            atlas.memory.set(value, style="large")
            atlas.memory.set(2, style="fine")
            text = captured.prometheus_text()

        assert [2.0] == samples(text, "atlas_memory_bytes", style="fine")


class TestTwoScopes:
    def test_library_metric_of_same_name_keeps_its_own_labels(self) -> None:
        """A library metric of the same name keeps its own labels."""
        with capture("maps", Atlas) as captured:
            counter = meter(captured).create_up_down_counter("atlas.open_maps")
            counter.add(5, {"apple": "a", "zebra": "z"})
            captured.bind(Atlas).open_maps.add(1)
            text = captured.prometheus_text()

        assert [5.0] == samples(text, "atlas_open_maps", apple="a", zebra="z")
        assert [1.0, 5.0] == sorted(samples(text, "atlas_open_maps", service_name="maps"))

    def test_library_metric_of_same_name_and_labels_is_added(self) -> None:
        """A library metric of the same name and labels is added."""
        with capture("maps", Atlas) as captured:
            meter(captured).create_up_down_counter("atlas.open_maps").add(5)
            captured.bind(Atlas).open_maps.add(1)
            text = captured.prometheus_text()

        assert [6.0] == samples(text, "atlas_open_maps")

    def test_declared_metric_wins_over_library_metric_of_another_type(self) -> None:
        """A declared metric wins over a library metric of another type."""
        with capture("maps", Atlas) as captured:
            meter(captured).create_counter("atlas.open_maps").add(5)
            captured.bind(Atlas).open_maps.add(1)
            text = captured.prometheus_text()

            assert [1.0] == samples(text, "atlas_open_maps")
            assert [] == samples(text, "atlas_open_maps_total")
            assert {("atlas_open_maps", "conflict")} == faults(captured)


class TestStock:
    def test_all_series_are_equal_to_those_of_opentelemetry_exporter(self) -> None:
        """All series are equal to those of the OpenTelemetry exporter."""
        with capture("maps", namespace="atlas-maps") as captured:
            for repo in (*BUILTIN, Atlas):
                live = captured.bind(repo)
                for name, instrument in repo.instruments.items():
                    values = {field.name: _any_value(field) for field in instrument.label_fields}
                    getattr(getattr(live, name), _METHODS[instrument.kind])(0.5, **values)
            ours = captured.prometheus_text()
            registry = CollectorRegistry()
            stock = _StockReader(MetricProducer(captured.telemetry.storage), registry)
            provider = MeterProvider([stock], captured.telemetry.resource, shutdown_on_exit=False)
            provider.get_meter("process").create_observable_gauge(UP, [_observe_one])
            theirs = generate_latest(registry).decode()

        assert _values(theirs, "target_info") == _values(ours, "target_info", "process", "python")
        assert 200 < len(_values(ours))

    def test_prometheus_client_renders_same_series_from_registry(self) -> None:
        """prometheus_client renders the same series from the registry."""
        with capture("maps", Atlas) as captured:
            _record(captured.bind(Atlas))
            meter(captured).create_counter("library.calls").add(2, {"a.b": "c"})
            assert captured.telemetry.scrape is not None
            theirs = generate_latest(captured.telemetry.scrape.registry).decode()

            assert _values(theirs, "process", "python") == _values(
                captured.prometheus_text(), "process", "python"
            )

    def test_readers_families_leave_registry_at_shutdown(self) -> None:
        """A reader's families leave the registry at shutdown."""
        registry = CollectorRegistry(auto_describe=True)
        reader = PullReader(list, Resource({}), registry, lambda *_: None)
        provider = MeterProvider([reader], Resource({}), shutdown_on_exit=False)
        provider.get_meter("library").create_counter("calls").add(1)

        assert "calls_total 1.0" in generate_latest(registry).decode()
        provider.shutdown()
        assert b"" == generate_latest(registry)


class TestConcurrent:
    def test_twenty_concurrent_scrapes_each_get_complete_page(
        self, frequent_switches: None
    ) -> None:
        """Twenty concurrent scrapes each get a complete page."""
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            for number in range(100):
                atlas.memory.set(number, style=str(number))
            with ThreadPoolExecutor(20) as pool:
                texts = list(pool.map(captured.prometheus_text, [""] * 100))

        assert {100} == {text.count("\natlas_memory_bytes{") for text in texts}

    def test_concurrent_scrapes_collect_one_after_another(self) -> None:
        """Concurrent scrapes collect one after another."""
        running: list[int] = []
        seen: list[int] = []

        class Slow:
            def collect(self) -> Iterator[GaugeMetricFamily]:
                running.append(1)
                time.sleep(0.02)  # time for another scrape to start, if nothing prevents it
                seen.append(len(running))
                running.pop()
                yield GaugeMetricFamily("slow", "Slow.", 1)

        with capture() as captured, ThreadPoolExecutor(4) as pool:
            assert captured.telemetry.scrape is not None
            captured.telemetry.scrape.registry.register(Slow())
            seen.clear()
            list(pool.map(captured.prometheus_text, [""] * 8))

        assert [1] * 8 == seen

    def test_forced_flush_of_sdk_does_not_duplicate_series(self) -> None:
        """A forced flush of the SDK does not duplicate series."""
        with capture("maps", Atlas) as captured:
            assert captured.telemetry.metrics is not None
            calls = meter(captured).create_counter("library.calls")
            for _ in range(2):
                calls.add(1)
                captured.telemetry.metrics.provider.force_flush()
            calls.add(1)
            text = captured.prometheus_text()

        assert [3.0] == samples(text, "library_calls_total")

    def test_flush_does_not_duplicate_series(self) -> None:
        """A flush does not duplicate series."""
        with capture("maps", Atlas) as captured:
            captured.bind(Atlas).open_maps.add(1)
            captured.telemetry.flush()
            captured.telemetry.flush()
            text = captured.prometheus_text()

        assert [1.0] == samples(text, "atlas_open_maps")


class TestFaults:
    def test_declared_metrics_are_shown_if_collection_of_sdk_fails(self) -> None:
        """Declared metrics are shown if the collection of the SDK fails."""
        with capture("maps", Atlas) as captured:
            money: Any = meter(captured).create_counter("library.money")
            captured.bind(Atlas).open_maps.add(1)
            for value in (Decimal("1.5"), 0.5):  # the SDK fails to add these at a collection
                money.add(value)
                text = captured.prometheus_text()

            assert [1.0] == samples(text, "atlas_open_maps")
            assert [1.0] == samples(text, "otel_meta_up", service_name="maps")
            assert samples(text, "target_info", service_name="maps")
            assert {("/metrics", "collection")} == faults(captured)

    def test_hanging_callback_does_not_block_other_scrapes(self) -> None:
        """A hanging callback of a library does not keep other scrapes from declared metrics."""
        hanging, proceed = Event(), Event()
        reasons: list[str] = []

        def hang(_options: CallbackOptions) -> list[Observation]:
            hanging.set()
            proceed.wait(20)
            return []

        storage = MetricStorage(Faults())
        open_maps: Any = storage.recorder(Atlas.open_maps)
        open_maps.add(1)
        scrape = Scrape(
            storage.families,
            Resource({}),
            lambda _source, reason, _detail: reasons.append(reason),
            collection_timeout=0.05,
        )
        provider = MeterProvider([scrape.reader], Resource({}), shutdown_on_exit=False)
        provider.get_meter("library").create_observable_gauge("library.level", [hang])
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(scrape.render)
            hanging.wait(20)
            text = scrape.render()[0].decode()
            proceed.set()

            assert ["busy"] == reasons
            assert [1.0] == samples(text, "otel_meta_up")
            assert [1.0] == samples(text, "atlas_open_maps")
            assert [1.0] == samples(first.result(20)[0].decode(), "atlas_open_maps")
        provider.shutdown()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_child_forked_during_scrape_can_be_scraped_at_once(self) -> None:
        """A child forked during a scrape can be scraped at once."""
        collecting, proceed = Event(), Event()

        class Slow:
            def collect(self) -> list[GaugeMetricFamily]:
                collecting.set()
                proceed.wait(20)
                return []

        with capture("maps", Atlas) as captured, ThreadPoolExecutor(1) as pool:
            assert captured.telemetry.scrape is not None
            captured.telemetry.scrape.registry.register(Slow())
            scraped = pool.submit(captured.prometheus_text)
            collecting.wait(20)
            with catch_warnings(action="ignore", category=DeprecationWarning):
                child = os.fork()
            if child == 0:
                proceed.set()
                captured.telemetry.scrape.render()
                os._exit(bool(faults(captured) & {("/metrics", "busy"), ("Slow", "late")}))
            proceed.set()
            scraped.result(20)

            assert (child, 0) == os.waitpid(child, 0)


@pytest.mark.usefixtures("untraced")
class TestReentrancy:
    def test_signal_handler_can_scrape_and_record_during_scrape(self) -> None:
        """A signal handler that scrapes and records does not stop a scrape of the same thread."""
        pages: list[str] = []
        inside: list[bool] = []
        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            meter(captured).create_counter("library.calls").add(1)
            for number in range(200):
                atlas.memory.set(number, style=str(number))

            def handle(_number: int, _frame: object) -> None:
                if not inside:
                    inside.append(True)
                    atlas.tiles.add(1, style="dark")
                    pages.append(captured.prometheus_text())
                    inside.clear()

            before = signal.signal(signal.SIGALRM, handle)
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            try:
                texts = [captured.prometheus_text() for _ in range(50)]
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)

        assert len(pages) > 5
        assert {200} == {text.count("\natlas_memory_bytes{") for text in (*texts, *pages)}

    def test_finalizer_can_scrape_and_record_during_scrape(
        self, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
    ) -> None:
        """A finalizer that the garbage collector runs during a scrape can scrape and record."""
        pages: list[str] = []

        class Cycle:
            def __init__(self) -> None:
                self.itself = self

            def __del__(self) -> None:
                atlas.tiles.add(1, style="dark")
                pages.append(captured.prometheus_text())

        class Garbage:
            def collect(self) -> list[GaugeMetricFamily]:
                if not pages:
                    Cycle()
                    gc.collect()
                return []

        with capture("maps", Atlas) as captured:
            atlas = captured.bind(Atlas)
            scrape = captured.telemetry.scrape
            assert scrape is not None
            atlas.memory.set(1, style="dark")
            scrape.registry.register(Garbage())
            timed = TimedCollection(captured.telemetry.faults.report, 0.1)
            monkeypatch.setattr(scrape, "_timed", timed)  # with a shorter time limit
            text = captured.prometheus_text()
            eventually(lambda: pages)

        assert "atlas_memory_bytes" in text
        assert "atlas_tiles_total" in pages[0]


class TestServer:
    def test_server_with_token_requires_token(self) -> None:
        """A server with a token requires the token."""
        address: dict[str, Any] = {"prometheus_port": 0, "prometheus_host": "127.0.0.1"}
        with capture("maps", Atlas, prometheus_token="s3cret", **address) as captured:
            assert captured.telemetry.metrics is not None
            assert captured.telemetry.metrics.server is not None
            url = f"http://127.0.0.1:{captured.telemetry.metrics.server.port}/metrics"
            bearer = {"authorization": "Bearer s3cret"}
            refused = httpx.get(url, trust_env=False)
            admitted = httpx.get(f"{url}?name[]=otel_meta_up", headers=bearer, trust_env=False)

        assert (401, "Bearer") == (refused.status_code, refused.headers["www-authenticate"])
        assert [200, 1.0] == [admitted.status_code, *samples(admitted.text, "otel_meta_up")]
        assert ["otel_meta_up"] == [family.name for family in parse_page(admitted.text)]

    def test_server_answers_scrapes_on_its_own_port(self) -> None:
        """A server answers scrapes on its own port."""
        with capture("maps", Atlas, prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            captured.bind(Atlas).open_maps.add(1)
            assert captured.telemetry.metrics is not None
            server = captured.telemetry.metrics.server
            assert server is not None
            text = httpx.get(f"http://127.0.0.1:{server.port}/metrics", trust_env=False).text

        assert [1.0] == samples(text, "atlas_open_maps")

    def test_address_of_server_is_logged_once(self) -> None:
        """The address of the server is logged once."""
        with capture(prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None
            server = captured.telemetry.metrics.server
            assert server is not None
            (line,) = captured.logs()

        assert f"metrics on http://127.0.0.1:{server.port}/metrics" in line["event"]

    def test_port_is_free_after_shutdown(self) -> None:
        """The port is free after a shutdown."""
        with capture(prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None
            assert captured.telemetry.metrics.server is not None
            number = captured.telemetry.metrics.server.port

        with capture(prometheus_port=number, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None
            assert captured.telemetry.metrics.server is not None

    def test_port_in_use_is_error_with_remedy(self) -> None:
        """A port in use is an error with the port and a remedy."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]

            with pytest.raises(
                PortInUse, match=rf"127\.0\.0\.1:{number}, the port is in use; set OTEL_EXPORTER_"
            ) as caught:
                capture(prometheus_port=number, prometheus_host="127.0.0.1").__enter__()

        assert ("127.0.0.1", number) == (caught.value.host, caught.value.port)

    def test_another_port_can_be_configured_after_port_was_in_use(self) -> None:
        """Another port can be configured after a port was in use."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]
            with pytest.raises(PortInUse):
                capture(prometheus_port=number, prometheus_host="127.0.0.1").__enter__()

        with capture(prometheus_port=0, prometheus_host="127.0.0.1") as captured:
            assert captured.telemetry.metrics is not None

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
    def test_foreign_host_is_error_with_name_of_host(self, host: str) -> None:
        """A foreign host is an error with the name of the host."""
        with pytest.raises(ConfigurationError, match=host):
            capture(prometheus_port=0, prometheus_host=host).__enter__()


_METHODS = {"counter": "add", "updowncounter": "add", "gauge": "set", "histogram": "record"}


class _StockReader(PrometheusMetricReader):
    """The reader of OpenTelemetry's exporter, which gets declared metrics as SDK metrics."""

    def __init__(self, producer: MetricProducer, registry: CollectorRegistry) -> None:
        super().__init__(
            scope_info_enabled=False,
            resource_attribute_filter=IDENTITY.__contains__,
            registry=registry,
        )
        self._producer = producer

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> None:
        super()._receive_metrics(self._producer.append_to(metrics_data), timeout_millis, **kwargs)


def _observe_one(_options: CallbackOptions) -> list[Observation]:
    return [Observation(1)]


def _any_value(field: Label) -> str:
    return field.values[0] if field.values else "any"


def _values(text: str, *excluded: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the values by name and labels, without empty labels and excluded prefixes."""
    return {
        (sample.name, frozenset(pair for pair in sample.labels.items() if pair[1])): sample.value
        for family in parse_page(text)
        for sample in family.samples
        if not sample.name.startswith(excluded or ("target_info",))
    }


def meter(captured: CapturedTelemetry) -> Meter:
    """Return the meter of another library."""
    assert captured.telemetry.metrics is not None
    return captured.telemetry.metrics.provider.get_meter("library")


def faults(captured: CapturedTelemetry) -> set[tuple[str, ...]]:
    """Return the reported faults as pairs of source and reason."""
    return {cell.labels for cell in captured.telemetry.faults.family.cells()}


def _record(atlas: Atlas) -> None:
    atlas.tiles.add(3, style="dark", kind="raster")
    atlas.memory.set(1024, style="dark")
    atlas.drawing.record(0.5, style="dark")
    atlas.open_maps.add(-1)
