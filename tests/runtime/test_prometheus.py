from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_meta import (
    ConfigurationError,
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    PortInUse,
    UpDownCounter,
    labels,
)
from otel_meta.repos import BUILTIN
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
    @pytest.mark.xfail(strict=True, reason="the stock renderer; ends with one of our own")
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

    def test_after_flush(self) -> None:
        """A flush does not make the next scrape come out twice."""
        with capture("maps", Atlas) as captured:
            captured.bind(Atlas).open_maps.add(1)
            captured.telemetry.flush()
            captured.telemetry.flush()
            text = captured.prometheus_text()

        assert [1.0] == samples(text, "atlas_open_maps")


class TestPort:
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


def _record(atlas: Atlas) -> None:
    atlas.tiles.add(3, style="dark", kind="raster")
    atlas.memory.set(1024, style="dark")
    atlas.drawing.record(0.5, style="dark")
    atlas.open_maps.add(-1)
