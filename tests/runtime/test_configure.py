from __future__ import annotations

import io
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from otel_meta import Counter, MetaRepo, MissingExtra, NoLabels, configure
from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from tests.conftest import Run, Service

SHOP = """
import structlog
from fastapi import FastAPI

import otel_meta

telemetry = otel_meta.configure("shop", namespace="acme")
app = FastAPI()
otel_meta.instrument(app, telemetry)


@app.get("/")
async def sell() -> str:
    structlog.get_logger("shop").info("sold")
    return "sold"
"""
INVALID = {
    "OTEL_TRACES_SAMPLER": "foo",
    "OTEL_METRIC_EXPORT_INTERVAL": "abc",
    "OTEL_PROPAGATORS": "bogus",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "x",
    "OTEL_LOG_LEVEL": "loud",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "carrier-pigeon",
}


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)


def quiet(**settings: Any) -> Any:
    """Telemetry that leaves this process alone."""
    return configure(
        **{"service_name": "a", "set_global": False, "log_stream": None, "environ": {}} | settings
    )


class TestArguments:
    def test_repo(self) -> None:
        """A meta-repository gives the namespace; a namespace that is given wins."""
        with quiet(repo=Atlas) as telemetry:
            assert "atlas-maps" == telemetry.resource.attributes["service.namespace"]
        with quiet(repo=Atlas, namespace="other") as telemetry:
            assert "other" == telemetry.resource.attributes["service.namespace"]

    def test_endpoint_variable(self) -> None:
        """The endpoint is read from the environment that is given."""
        with OtlpReceiver() as sink:
            environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint}
            with quiet(environ=environ, repo=Atlas, shutdown_timeout=1) as telemetry:
                telemetry.bind(Atlas).tiles.add(1)

            assert sink.metrics()

    def test_not_global(self) -> None:
        """Without the globals, the process' provider stays as it is."""
        before = trace.get_tracer_provider()
        with quiet():
            assert before is trace.get_tracer_provider()

    def test_warned(self) -> None:
        """What settings warn of is logged, as JSON."""
        stream = io.BytesIO()
        with quiet(environ={"OTEL_LOG_LEVEL": "loud"}, log_stream=stream, cache_loggers=False):
            pass

        assert b'"level":"warning"' in stream.getvalue()
        assert b"OTEL_LOG_LEVEL holds 'loud'" in stream.getvalue()

    def test_no_bytes(self) -> None:
        """Where standard output takes text alone, lines are written as text."""
        text = io.StringIO()
        with redirect_stdout(text):
            configure(set_global=False, environ={}, cache_loggers=False).shutdown()

        assert "the service has no name" in text.getvalue()

    @pytest.mark.parametrize("log", ["structlog.get_logger()", "logging.getLogger()"])
    def test_no_stdout(self, tmp_path: Path, log: str) -> None:
        """Where there is no standard output at all, lines are lost and nothing is raised."""
        program = tmp_path / "program.py"
        program.write_text(
            "import logging, structlog, otel_meta, sys\n"
            "assert sys.stdout is None\n"
            "otel_meta.configure('a')\n"
            f"{log}.warning('said')\n"
        )
        command = ["/bin/sh", "-c", 'exec "$0" "$1" >&-', sys.executable, str(program)]
        run = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=60)

        assert (0, "") == (run.returncode, run.stderr)

    def test_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An exporter whose package is missing is an error at start."""
        module = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
        monkeypatch.setitem(sys.modules, module, None)

        with pytest.raises(MissingExtra, match=r"pip install 'otel_meta\[otlp\]'"):
            quiet(traces="otlp")


class TestGlobal:
    def test_second(self, script: Callable[..., Run]) -> None:
        """A second configure() of the process is refused, and says what to do instead."""
        run = script(
            "import otel_meta\n"
            "otel_meta.configure('a')\n"
            "try:\n"
            "    otel_meta.configure('b')\n"
            "except otel_meta.ConfigurationError as error:\n"
            "    print(str(error))\n"
            "otel_meta.configure('c', set_global=False).shutdown()\n"
        )

        assert (0, "") == (run.code, run.stderr)
        assert "this process has a tracer provider already; call configure() once" in run.stdout

    def test_found(self, script: Callable[..., Run]) -> None:
        """Other libraries find the providers, and their spans and metrics leave with ours."""
        with OtlpReceiver() as sink:
            run = script(
                "import otel_meta\n"
                "from opentelemetry import metrics, trace\n"
                "otel_meta.configure('a')\n"
                "trace.get_tracer('library').start_span('theirs').end()\n"
                "metrics.get_meter('library').create_counter('library.calls').add(1)\n",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
            )

        assert (0, "", "") == (run.code, run.stdout, run.stderr)
        assert ["theirs"] == [each.span.name for each in sink.spans()]
        assert "library.calls" in {metric.name for metric in sink.metrics()}

    def test_kept(self, script: Callable[..., Run]) -> None:
        """At exit, what has not been exported yet is exported."""
        with OtlpReceiver() as sink:
            run = script(
                "import otel_meta, structlog\n"
                "otel_meta.configure('a')\n"
                "structlog.get_logger('a').info('said')\n",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
            )

        assert 0 == run.code
        assert ["said"] == [record.body.string_value for record in sink.log_records()]

    def test_failed(self, script: Callable[..., Run], closed_port: int) -> None:
        """A configure() that failed leaves the process as it was, and can be tried again."""
        with socket.create_server(("127.0.0.1", closed_port)):
            run = script(
                "import otel_meta\n"
                "try:\n"
                f"    otel_meta.configure('a', prometheus_port={closed_port})\n"
                "except otel_meta.PortInUse as error:\n"
                "    print(str(error))\n"
                "otel_meta.configure('a', prometheus_port=0)\n",
                OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1",
            )

        assert (0, "") == (run.code, run.stderr)
        assert f"127.0.0.1:{closed_port}, the port is in use" in run.stdout


@pytest.fixture(scope="module")
def invalid(script: Callable[..., Run]) -> Run:
    """A program whose variables are all wrong."""
    with OtlpReceiver() as sink:
        return script(
            "import otel_meta, structlog\n"
            "telemetry = otel_meta.configure('a')\n"
            "from opentelemetry import propagate, trace\n"
            "structlog.get_logger('a').debug('quiet')\n"
            "with trace.get_tracer('a').start_as_current_span('span') as span:\n"
            "    headers = {}\n"
            "    propagate.inject(headers)\n"
            "    structlog.get_logger('a').info('said', headers=sorted(headers),\n"
            "        interval=telemetry.settings.metric_interval, on=span.is_recording())\n"
            "print(telemetry.flush(), file=__import__('sys').stderr)\n",
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
            **INVALID,
        )


class TestInvalid:
    @pytest.mark.parametrize("name", INVALID)
    def test_warned(self, invalid: Run, name: str) -> None:
        """A variable that cannot be used is warned of in one line, as JSON."""
        (line,) = [line for line in invalid.lines if f"{name} holds" in line["event"]]

        assert "warning" == line["level"]
        assert repr(INVALID[name]) in line["event"]

    def test_nothing_else(self, invalid: Run) -> None:
        """Nobody else complains of them."""
        others = [line for line in invalid.lines if line["event"] != "said"]

        assert len(INVALID) == len(others), others
        assert "True\n" == invalid.stderr

    def test_fallen_back(self, invalid: Run) -> None:
        """The program runs with the defaults."""
        (said,) = [line for line in invalid.lines if line["event"] == "said"]

        assert 0 == invalid.code
        assert (60.0, True, ["traceparent"]) == (said["interval"], said["on"], said["headers"])

    @pytest.mark.parametrize(
        "name",
        [
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "OTEL_METRICS_EXEMPLAR_FILTER",
            "OTEL_BSP_SCHEDULE_DELAY",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
        ],
    )
    def test_of_the_sdk(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """Nor does a variable that the SDK reads for itself keep a program from starting."""
        monkeypatch.setenv(name, "abc")

        with OtlpReceiver() as sink, quiet(traces="otlp", otlp_endpoint=sink.endpoint):
            pass


class TestDisabled:
    def test_service(self, service: Callable[..., Service], closed_port: int) -> None:
        """Disabled, an application answers, exports nothing, opens no port, and has no /metrics."""
        with OtlpReceiver() as sink:
            shop = service(
                SHOP,
                OTEL_SDK_DISABLED="true",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
                OTEL_METRICS_EXPORTER="prometheus,otlp",
                OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1",
                OTEL_EXPORTER_PROMETHEUS_PORT=str(closed_port),
                OTEL_METRIC_EXPORT_INTERVAL="100",
                OTEL_BSP_SCHEDULE_DELAY="100",
                OTEL_BLRP_SCHEDULE_DELAY="100",
            )
            answer = shop.get("/")
            statuses = [shop.get(path).status_code for path in ("/metrics", "/healthz", "/readyz")]
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", closed_port))
            shop.stop()

        assert (200, '"sold"') == (answer.status_code, answer.text)
        assert "traceresponse" not in answer.headers
        assert [404, 200, 200] == statuses
        assert ([], [], []) == (sink.spans(), sink.metrics(), sink.log_records())
        assert 1 == len(shop.lines(event="sold"))
        assert "" == shop.stderr


class TestSignal:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_exported(self, service: Callable[..., Service], number: int) -> None:
        """An application that is told to stop exports what it has not exported yet, once."""
        with OtlpReceiver() as sink:
            shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
            shop.get("/")
            shop.stop(number)

        assert ["GET /"] == [each.span.name for each in sink.spans()]
        assert 1 == sum(record.body.string_value == "sold" for record in sink.log_records())
        assert "http.server.request.duration" in {metric.name for metric in sink.metrics()}
