from __future__ import annotations

import inspect
import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
from opentelemetry import metrics, trace

from otel_meta import Counter, MetaRepo, NoLabels, Telemetry, configure
from otel_meta.errors import ConfigurationError
from otel_meta.testing import OtlpReceiver, capture
from otel_meta.testing.loopback import free_port
from tests.conftest import PATIENCE, environment, wait_until

SERVICE = """
import os

import uvicorn
from fastapi import FastAPI

from otel_meta import Counter, MetaRepo, NoLabels, configure, instrument_fastapi


class Shop(MetaRepo, name="acme", owner="sales"):
    '''Sales.'''

    sales = Counter("shop.sales", "Sales.", NoLabels)


telemetry = configure("shop", Shop)
shop = telemetry.bind(Shop)
app = FastAPI()
instrument_fastapi(app, telemetry)


@app.get("/")
async def sell() -> None:
    shop.sales.add(1)


if __name__ == "__main__":
    uvicorn.run("service:app", port=int(os.environ["PORT"]), OPTIONS)
"""


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)


def start(**options: Any) -> Telemetry:
    """Configure the telemetry of this process without a change of its logging."""
    return configure("maps", Atlas, **{"log_stream": None, "environ": {}, **options})


PLACE = f"{__file__}:{inspect.getsourcelines(start)[1] + 2}"
"""File and line of the call of `configure` in `start`."""


@pytest.fixture
def opened() -> Iterator[Telemetry]:
    """The open telemetry of this process."""
    with start() as telemetry:
        yield telemetry


@contextmanager
def serving(
    folder: Path, options: str, environ: dict[str, str]
) -> Iterator[tuple[httpx.Client, Callable[[], str]]]:
    """Run the service as a program; yield a client and a function that returns the output."""
    folder.joinpath("service.py").write_text(SERVICE.replace("OPTIONS", options))
    out, port = folder / "output", free_port()
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "service.py"],
            cwd=folder,
            env=environment({**environ, "PORT": str(port)}),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: answers(port) or process.poll() is not None)
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            yield client, out.read_text
    finally:
        process.terminate()
        process.wait(PATIENCE)


def answers(port: int) -> bool:
    """Return True if the service answers."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


class TestSecondCall:
    def test_call_with_equal_arguments_returns_open_telemetry(self, opened: Telemetry) -> None:
        """A call with equal arguments returns the open telemetry."""
        assert opened is start()

    def test_call_without_arguments_returns_open_telemetry(self, opened: Telemetry) -> None:
        """A call without arguments returns the open telemetry."""
        assert opened is configure()

    def test_reuse_is_logged_with_both_places(
        self, opened: Telemetry, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The reuse is logged with both places, at level debug."""
        with caplog.at_level(logging.DEBUG, "otel_meta"):
            start()
        (message,) = caplog.messages

        assert 2 == message.count(PLACE)

    def test_concurrent_calls_return_one_telemetry(self) -> None:
        """Concurrent calls return one telemetry."""
        barrier = Barrier(8)

        def call(_number: int) -> Telemetry:
            barrier.wait()
            return start()

        with ThreadPoolExecutor(8) as executor:
            found = set(executor.map(call, range(8)))
        for telemetry in found:
            telemetry.shutdown()

        assert 1 == len(found)

    @pytest.mark.parametrize(
        ("options", "difference"),
        [
            ({"max_series": 5}, "max_series"),
            ({"metric_interval": 5.0, "log_level": "debug"}, "metric_interval, log_level"),
            ({"log_stream": io.BytesIO()}, "log_stream"),
            ({"namespace": "other"}, "namespace"),
        ],
    )
    def test_call_with_other_arguments_is_error_with_differences_and_places(
        self, opened: Telemetry, options: dict[str, Any], difference: str
    ) -> None:
        """A call with other arguments is an error with the differences and both places."""
        with pytest.raises(ConfigurationError) as caught:
            start(**options)
        message = str(caught.value)

        assert f" differs in {difference} from configure() in {PLACE}, whose" in message
        assert message.startswith(f"configure() in {PLACE} differs")
        assert "call its shutdown() before, or pass set_global=False" in message

    def test_invalid_variable_is_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A variable that the first call has warned of and removed is no difference."""
        monkeypatch.setenv("OTEL_METRICS_EXEMPLAR_FILTER", "bogus")
        monkeypatch.setenv("OTEL_PROPAGATORS", "bogus")
        with configure("maps", log_stream=None) as telemetry:
            assert telemetry is configure("maps", log_stream=None)

    def test_capture_runs_beside_open_telemetry(self, opened: Telemetry) -> None:
        """A capture runs beside the open telemetry, and leaves it open."""
        with capture("maps", Atlas) as captured:
            captured.bind(Atlas).tiles.add(1)

        assert opened is start()
        assert 1.0 == captured.value(Atlas.tiles)


class TestAfterShutdown:
    def test_telemetry_is_configured_again_with_other_settings(self) -> None:
        """Telemetry is configured again with other settings after a shutdown."""
        with start():
            pass
        with start(max_series=5) as telemetry:
            assert 5 == telemetry.settings.max_series

    def test_tracer_and_instrument_obtained_before_export_to_next_telemetry(self) -> None:
        """A tracer and an instrument that were obtained before export to the next telemetry."""
        with OtlpReceiver() as first, OtlpReceiver() as second:
            with start(otlp_endpoint=first.endpoint):
                tracer = trace.get_tracer("library")
                counter = metrics.get_meter("library").create_counter("library.calls")
            with start(otlp_endpoint=second.endpoint):
                tracer.start_span("span").end()
                counter.add(1)

        assert ([], ["span"]) == tuple([s.span.name for s in r.spans()] for r in (first, second))
        assert "library.calls" in {metric.name for metric in second.metrics()}

    def test_live_instrument_of_former_telemetry_records_harmlessly(self) -> None:
        """A live instrument of a former telemetry records harmlessly, and nowhere else."""
        with start() as former:
            atlas = former.bind(Atlas)
        with start() as telemetry:
            atlas.tiles.add(1)

            assert not telemetry.storage.has_recordings()


class TestModuleImportedTwice:
    @pytest.mark.parametrize(
        ("options", "environ", "expected"),
        [
            ("", {}, []),
            ("reload=True", {}, []),
            ("workers=2", {}, ["this process is one of several workers"] * 2),
            ("workers=2", {"OTEL_META_MULTIPROCESS_DIR": "numbers"}, []),
            (
                "workers=2",
                {"OTEL_EXPORTER_PROMETHEUS_PORT": "{port}"},
                ["port {port} for /metrics is in use"] * 2,
            ),
        ],
    )
    def test_program_that_imports_itself_by_server_answers_with_its_warnings(
        self, tmp_path: Path, options: str, environ: dict[str, str], expected: list[str]
    ) -> None:
        """A program answers whose server imports it again; workers warn of a missing directory."""
        port = str(free_port())
        given = {name: value.format(port=port) for name, value in environ.items()}
        with serving(tmp_path, options, given) as (client, output):
            status = client.get("/").status_code
            page = client.get("/metrics").text
            workers = 2 if options == "workers=2" else 1
            wait_until(lambda: output().count("Application startup complete") == workers)
            lines = [json.loads(line) for line in output().splitlines() if line.startswith("{")]
        events = [line["event"] for line in lines if line["level"] == "warning"]

        assert (200, True) == (status, "shop_sales_total{" in page)
        assert [words.format(port=port) for words in expected] == [
            event.partition(",")[0] for event in events
        ]
