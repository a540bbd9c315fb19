from __future__ import annotations

import inspect
import io
import pydoc
import re
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

from otel_meta import Counter, MetaRepo, NoLabels, configure
from otel_meta.errors import ConfigurationError, MissingExtra
from otel_meta.runtime.configure_options import Options
from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from tests.conftest import Run, Service

SHOP = """
import structlog
from fastapi import FastAPI

import otel_meta

telemetry = otel_meta.configure("shop", namespace="acme")
app = FastAPI()
otel_meta.instrument_fastapi(app, telemetry)


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


def quiet(**options: Any) -> Any:
    """Configure telemetry that changes nothing global, with the given options."""
    defaults: dict[str, Any] = {"set_global": False, "log_stream": None, "environ": {}}
    return configure("a", **defaults | options)


class TestOptions:
    def test_docstring_documents_every_option_in_order_of_options(self) -> None:
        """The docstring documents every option, in the order of `Options`."""
        text = inspect.getdoc(configure) or ""
        arguments = text.partition("Args:")[2].partition("Raises:")[0]
        documented = re.findall(r"^    (\w+): ", arguments, re.MULTILINE)

        assert ["service_name", "repo", *Options.__annotations__] == documented

    def test_help_of_configure_shows_its_options_and_no_value(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The help of configure() shows its options, and no value of the environment."""
        monkeypatch.setenv("SECRET", "hunter2")
        text = pydoc.render_doc(configure)

        assert "metric_interval: seconds" in text
        assert "hunter2" not in text

    def test_unknown_option_is_error_that_names_option(self) -> None:
        """An unknown option is an error that names the option."""
        with pytest.raises(
            TypeError, match=r"configure\(\) got an unexpected keyword argument 'port'"
        ):
            quiet(port=9464)

    @pytest.mark.parametrize(
        "name", sorted(Options.__annotations__.keys() - {"clock", "environ", "set_global"})
    )
    def test_none_is_accepted_for_every_option_of_setting(self, name: str) -> None:
        """None is accepted for every option of a setting."""
        with quiet(**{name: None}) as telemetry:
            assert "a" == telemetry.settings.service_name


class TestArguments:
    def test_class_in_place_of_service_name_is_refused_with_right_form(self) -> None:
        """A class in place of the service name is refused with the right form."""
        with pytest.raises(
            ConfigurationError, match=r"Atlas.*; give a text first, as in configure"
        ):
            configure(Atlas, set_global=False)  # type: ignore[arg-type]

    @pytest.mark.parametrize("repo", ["atlas-maps", 5, int])
    def test_repo_that_is_no_meta_repository_is_refused_with_right_form(self, repo: Any) -> None:
        """A repo that is no meta-repository is refused with the right form."""
        with pytest.raises(ConfigurationError, match=r"is no meta-repository; give the class"):
            quiet(repo=repo)

    def test_namespace_is_option_else_name_of_meta_repository(self) -> None:
        """The namespace is the option, else the name of the meta-repository."""
        with quiet(repo=Atlas) as telemetry:
            assert "atlas-maps" == telemetry.resource.attributes["service.namespace"]
        with quiet(repo=Atlas, namespace="other") as telemetry:
            assert "other" == telemetry.resource.attributes["service.namespace"]

    def test_endpoint_is_read_from_given_environment(self) -> None:
        """The endpoint is read from the given environment."""
        with OtlpReceiver() as sink:
            environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint}
            with quiet(environ=environ, repo=Atlas, shutdown_timeout=1) as telemetry:
                telemetry.bind(Atlas).tiles.add(1)

            assert sink.metrics()

    def test_without_set_global_provider_of_process_is_unchanged(self) -> None:
        """Without set_global the provider of the process is unchanged."""
        before = trace.get_tracer_provider()
        with quiet():
            assert before is trace.get_tracer_provider()

    def test_warnings_of_settings_are_logged_as_json(self) -> None:
        """Warnings of the settings are logged as JSON."""
        stream = io.BytesIO()
        with quiet(environ={"OTEL_LOG_LEVEL": "loud"}, log_stream=stream, cache_loggers=False):
            pass

        assert b'"level":"warning"' in stream.getvalue()
        assert b"OTEL_LOG_LEVEL holds 'loud'" in stream.getvalue()

    def test_lines_are_text_on_stdout_that_accepts_only_text(self) -> None:
        """Lines are text on a stdout that accepts only text."""
        text = io.StringIO()
        with redirect_stdout(text):
            configure(set_global=False, environ={}, cache_loggers=False).shutdown()

        assert "the service has no name" in text.getvalue()

    @pytest.mark.parametrize("log", ["structlog.get_logger()", "logging.getLogger()"])
    def test_lines_are_dropped_without_stdout_and_nothing_is_raised(
        self, tmp_path: Path, log: str
    ) -> None:
        """Lines are dropped without a stdout, and nothing is raised."""
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

    def test_missing_package_of_exporter_is_error_at_start(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A missing package of an exporter is an error at start."""
        module = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
        monkeypatch.setitem(sys.modules, module, None)

        with pytest.raises(MissingExtra, match=r"pip install 'otel_meta\[otlp\]'"):
            quiet(traces="otlp")


class TestGlobal:
    def test_spans_and_metrics_of_other_libraries_are_exported_with_ours(
        self, script: Callable[..., Run]
    ) -> None:
        """Spans and metrics of other libraries are exported with ours."""
        with OtlpReceiver() as sink:
            run = script(
                "import otel_meta\n"
                "from opentelemetry import metrics, trace\n"
                "otel_meta.configure('a')\n"
                "trace.get_tracer('library').start_span('theirs').end()\n"
                "metrics.get_meter('library').create_counter('library.calls').add(1)\n",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
            )

        assert (0, "") == (run.code, run.stderr)
        assert ["theirs"] == [each.span.name for each in sink.spans()]
        assert "library.calls" in {metric.name for metric in sink.metrics()}

    def test_process_exports_queued_telemetry_at_exit(self, script: Callable[..., Run]) -> None:
        """A process exports queued telemetry at exit."""
        with OtlpReceiver() as sink:
            run = script(
                "import otel_meta, structlog\n"
                "otel_meta.configure('a')\n"
                "structlog.get_logger('a').info('said')\n",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
            )

        assert 0 == run.code
        assert ["said"] == [record.body.string_value for record in sink.log_records()]

    def test_failed_configure_can_be_repeated(
        self, script: Callable[..., Run], closed_port: int
    ) -> None:
        """A failed configure() can be repeated."""
        with socket.create_server(("127.0.0.1", closed_port)):
            run = script(
                "import otel_meta\n"
                "try:\n"
                f"    otel_meta.configure('a', prometheus_port={closed_port})\n"
                "except otel_meta.errors.PortInUse as error:\n"
                "    print(str(error))\n"
                "otel_meta.configure('a', prometheus_port=0)\n",
                OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1",
            )

        assert (0, "") == (run.code, run.stderr)
        assert f"127.0.0.1:{closed_port}, the port is in use" in run.stdout


@pytest.fixture(scope="module")
def invalid(script: Callable[..., Run]) -> Run:
    """Run a program with invalid variables."""
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
    def test_invalid_variable_causes_one_warning_as_json_line(
        self, invalid: Run, name: str
    ) -> None:
        """An invalid variable causes one warning as a JSON line."""
        (line,) = [line for line in invalid.lines if f"{name} holds" in line["event"]]

        assert "warning" == line["level"]
        assert repr(INVALID[name]) in line["event"]

    def test_no_other_library_warns_of_invalid_variables(self, invalid: Run) -> None:
        """No other library warns of invalid variables."""
        others = [line for line in invalid.lines if line["level"] == "warning"]

        assert len(INVALID) == len(others), others
        assert "True\n" == invalid.stderr

    def test_program_with_invalid_variables_runs_with_defaults(self, invalid: Run) -> None:
        """A program with invalid variables runs with the defaults."""
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
    def test_invalid_variable_of_sdk_does_not_prevent_start(
        self, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """An invalid variable of the SDK does not prevent the start."""
        monkeypatch.setenv(name, "abc")

        with OtlpReceiver() as sink, quiet(traces="otlp", otlp_endpoint=sink.endpoint):
            pass


class TestDisabled:
    def test_disabled_application_answers_and_exports_nothing(
        self, service: Callable[..., Service], closed_port: int
    ) -> None:
        """A disabled application answers, and exports nothing."""
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
        assert "server-timing" not in answer.headers
        assert [404, 200, 200] == statuses
        assert ([], [], []) == (sink.spans(), sink.metrics(), sink.log_records())
        assert 1 == len(shop.lines(event="sold"))
        assert "" == shop.stderr


class TestSignal:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_application_that_gets_signal_exports_queued_telemetry_once(
        self, service: Callable[..., Service], number: int
    ) -> None:
        """An application that gets a signal exports queued telemetry once."""
        with OtlpReceiver() as sink:
            shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
            shop.get("/")
            shop.stop(number)

        assert ["GET /"] == [each.span.name for each in sink.spans()]
        assert 1 == sum(record.body.string_value == "sold" for record in sink.log_records())
        assert "http.server.request.duration" in {metric.name for metric in sink.metrics()}
