from __future__ import annotations

import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from otel_meta import configure
from otel_meta.errors import ConfigurationError
from otel_meta.render.collector import env_variables
from otel_meta.runtime.environment import value_kinds
from otel_meta.runtime.environment.foreign_variables import (
    FOREIGN_VARIABLES,
    UNSUPPORTED_VARIABLES,
)
from otel_meta.runtime.export import exporters
from otel_meta.runtime.setting_variables import REFUSED_VARIABLES, TOKEN, VARIABLES
from otel_meta.runtime.settings import Settings, read_settings
from otel_meta.runtime.signals import Signal
from otel_meta.testing import OtlpReceiver

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
"""The discard port: no exporter gets an answer."""
PROMETHEUS = {"OTEL_METRICS_EXPORTER": "prometheus"}
RATIO = {"OTEL_TRACES_SAMPLER": "traceidratio"}
CORRECTIONS = str(Path(__file__).with_name("slo-corrections.toml"))
SIGNALS = ("", "TRACES_", "METRICS_", "LOGS_")


class Row(NamedTuple):
    """Values of a variable: a valid one that is not the default, and an invalid one."""

    valid: str
    invalid: str | None
    """None if all values are valid, or if a further test has the invalid ones."""
    context: Mapping[str, str] = {}
    """Further variables."""


def for_signals(suffix: str, valid: str, invalid: str) -> dict[str, Row]:
    """Return the rows of a variable of OTLP export."""
    return {f"OTEL_EXPORTER_OTLP_{signal}{suffix}": Row(valid, invalid) for signal in SIGNALS}


ROWS: dict[str, Row] = {
    "OTEL_SERVICE_NAME": Row("shop", None),
    "OTEL_RESOURCE_ATTRIBUTES": Row("team=a", "nonsense"),
    "OTEL_META_REPO": Row("aurora", "arora"),
    "OTEL_SDK_DISABLED": Row("true", "1"),
    "OTEL_TRACES_EXPORTER": Row("console", "jaeger"),
    "OTEL_METRICS_EXPORTER": Row("console", "statsd"),
    "OTEL_LOGS_EXPORTER": Row("none", "console"),
    "OTEL_META_IDENTITY_ATTRIBUTES": Row("cloud.region", "cloud region"),
    "OTEL_EXPORTER_PROMETHEUS_HOST": Row("0.0.0.0", "a b"),
    "OTEL_EXPORTER_PROMETHEUS_PORT": Row("9000", "http", PROMETHEUS),
    "OTEL_META_METRICS_IN_APP": Row("true", "yes", PROMETHEUS),
    "OTEL_META_PROMETHEUS_TOKEN": Row("hidden", None),
    "OTEL_META_RUNBOOKS_URL": Row("https://books.example", "docs/runbooks"),
    "OTEL_META_DASHBOARDS_URL": Row("https://grafana.example/d", "/d"),
    "OTEL_META_TRACES_URL": Row("https://traces.example/{service}", "https://a/{trace}"),
    "OTEL_META_LOGS_URL": Row("https://logs.example/{slo}", "javascript:alert(1)"),
    "OTEL_META_MERGE_PROMETHEUS_CLIENT": Row("false", "no"),
    "OTEL_META_PROMETHEUS_CREATED": Row("true", "yes"),
    "OTEL_META_ENGINE": Row("contrib", "fast"),
    "OTEL_META_REDACTION": Row("false", "no"),
    "OTEL_META_REDACT_NAMES": Row("iban", "i ban"),
    "OTEL_META_MULTIPROCESS_DIR": Row("/nowhere", None),
    "OTEL_META_SLO_PATH": Row("/nowhere/slo", None),
    "OTEL_META_SLO_REQUIRED_COVERAGE": Row("0.5", "2"),
    "OTEL_METRIC_EXPORT_INTERVAL": Row("1500", "1.5 s"),
    "OTEL_META_SCRAPE_INTERVAL": Row("30", "-1"),
    "OTEL_META_JOB": Row("true", "nightly"),
    "OTEL_META_TAIL_SAMPLING": Row("true", "errors"),
    "OTEL_META_TAIL_SAMPLING_SLOW": Row("0.5", "-1"),
    "OTEL_META_NATIVE_CORE": Row("false", None),
    "OTEL_META_MAX_SERIES": Row("7", "0"),
    "OTEL_META_SLO_CORRECTIONS": Row(CORRECTIONS, "/nowhere.toml"),
    "OTEL_TRACES_SAMPLER": Row("always_off", "jaeger_remote"),
    "OTEL_TRACES_SAMPLER_ARG": Row("0.5", "2", RATIO),
    "OTEL_PROPAGATORS": Row("baggage", "b3"),
    "OTEL_PYTHON_ID_GENERATOR": Row("theirs", "xray"),
    "OTEL_LOG_LEVEL": Row("error", "loud"),
    "OTEL_META_LOG_FORMAT": Row("json", "xml"),
    "OTEL_META_SHUTDOWN_TIMEOUT": Row("2", "-1"),
    "OTEL_META_EXPORT_ON_SIGTERM": Row("false", "no"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": Row("http://c:4318", None),
    **{
        f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT": Row(f"http://c/v1/{signal}", "ftp://c")
        for signal in ("traces", "metrics", "logs")
    },
    **for_signals("PROTOCOL", "grpc", "http/json"),
    **for_signals("TIMEOUT", "2000", "2 s"),
    **for_signals("HEADERS", "api-key=a", "api-key"),
    **for_signals("COMPRESSION", "gzip", "zstd"),
    **for_signals("CERTIFICATE", "PEM", "/nowhere.pem"),
    **for_signals("CLIENT_CERTIFICATE", "PEM", "/nowhere.pem"),
    **{
        name: row._replace(context={"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "PEM"})
        for name, row in for_signals("CLIENT_KEY", "PEM", "/nowhere.pem").items()
    },
    **for_signals("INSECURE", "true", "yes"),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": Row("delta", "sideways"),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": Row(
        "base2_exponential_bucket_histogram", "linear"
    ),
    "OTEL_METRICS_EXEMPLAR_FILTER": Row("always_off", "sometimes"),
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": Row("64", "-1"),
    "OTEL_ATTRIBUTE_COUNT_LIMIT": Row("64", "many"),
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": Row("64", "abc"),
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": Row("64", "1.5"),
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": Row("64", "-1"),
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": Row("64", "-1"),
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": Row("64", "-1"),
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": Row("64", "-1"),
    "OTEL_SPAN_EVENT_COUNT_LIMIT": Row("64", "9" * 30),
    "OTEL_SPAN_LINK_COUNT_LIMIT": Row("64", "-1"),
    **{
        f"OTEL_{prefix}_{name}": row
        for prefix in ("BSP", "BLRP")
        for name, row in {
            "SCHEDULE_DELAY": Row("100", "0"),
            "EXPORT_TIMEOUT": Row("2000", "-1"),
            "MAX_QUEUE_SIZE": Row("256", "9" * 30),
            "MAX_EXPORT_BATCH_SIZE": Row("100", "0"),
        }.items()
    },
    "OTEL_METRIC_EXPORT_TIMEOUT": Row("2000", "nan"),
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": Row("process", "nosuch"),
    "OTEL_PYTHON_CONTEXT": Row("theirs", "nosuch"),
    "OTEL_PYTHON_EXCLUDED_URLS": Row("health", "(health"),
    "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": Row("health", "(health"),
    **{
        f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_{name}": Row("x-.*", "(x")
        for name in ("SERVER_REQUEST", "SERVER_RESPONSE", "SANITIZE_FIELDS")
    },
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": Row("true", "yes"),
    "OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES": Row("UNAVAILABLE", "FINE"),
    **{
        f"OTEL_PYTHON_EXPORTER_OTLP_{protocol}_{signal}CREDENTIAL_PROVIDER": Row("theirs", "nosuch")
        for protocol in ("HTTP", "GRPC")
        for signal in SIGNALS
    },
}

# Of the specification: "Environment Variable Specification", "OTLP Exporter Configuration" and
# "Declarative configuration"; with names of earlier versions.
SPECIFICATION = set(
    re.findall(
        r"\w+",
        """
OTEL_SDK_DISABLED OTEL_ENTITIES OTEL_RESOURCE_ATTRIBUTES OTEL_SERVICE_NAME OTEL_LOG_LEVEL
OTEL_PROPAGATORS OTEL_TRACES_SAMPLER OTEL_TRACES_SAMPLER_ARG OTEL_CONFIG_FILE
OTEL_EXPERIMENTAL_CONFIG_FILE OTEL_BSP_SCHEDULE_DELAY OTEL_BSP_EXPORT_TIMEOUT
OTEL_BSP_MAX_QUEUE_SIZE OTEL_BSP_MAX_EXPORT_BATCH_SIZE OTEL_BLRP_SCHEDULE_DELAY
OTEL_BLRP_EXPORT_TIMEOUT OTEL_BLRP_MAX_QUEUE_SIZE OTEL_BLRP_MAX_EXPORT_BATCH_SIZE
OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT OTEL_ATTRIBUTE_COUNT_LIMIT
OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT
OTEL_SPAN_EVENT_COUNT_LIMIT OTEL_SPAN_LINK_COUNT_LIMIT OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT
OTEL_LINK_ATTRIBUTE_COUNT_LIMIT OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT
OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT OTEL_EXPORTER_ZIPKIN_ENDPOINT OTEL_EXPORTER_ZIPKIN_TIMEOUT
OTEL_EXPORTER_ZIPKIN_PROTOCOL OTEL_EXPORTER_JAEGER_PROTOCOL OTEL_EXPORTER_JAEGER_AGENT_HOST
OTEL_EXPORTER_JAEGER_AGENT_PORT OTEL_EXPORTER_JAEGER_ENDPOINT OTEL_EXPORTER_JAEGER_TIMEOUT
OTEL_EXPORTER_JAEGER_USER OTEL_EXPORTER_JAEGER_PASSWORD OTEL_EXPORTER_PROMETHEUS_HOST
OTEL_EXPORTER_PROMETHEUS_PORT OTEL_TRACES_EXPORTER OTEL_METRICS_EXPORTER OTEL_LOGS_EXPORTER
OTEL_METRICS_EXEMPLAR_FILTER OTEL_METRIC_EXPORT_INTERVAL OTEL_METRIC_EXPORT_TIMEOUT
OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_EXPORTER_OTLP_LOGS_ENDPOINT OTEL_EXPORTER_OTLP_INSECURE
OTEL_EXPORTER_OTLP_TRACES_INSECURE OTEL_EXPORTER_OTLP_METRICS_INSECURE
OTEL_EXPORTER_OTLP_LOGS_INSECURE OTEL_EXPORTER_OTLP_SPAN_INSECURE
OTEL_EXPORTER_OTLP_METRIC_INSECURE OTEL_EXPORTER_OTLP_CERTIFICATE
OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE
OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE OTEL_EXPORTER_OTLP_CLIENT_KEY
OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY
OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE
OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE
OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE OTEL_EXPORTER_OTLP_HEADERS
OTEL_EXPORTER_OTLP_TRACES_HEADERS OTEL_EXPORTER_OTLP_METRICS_HEADERS
OTEL_EXPORTER_OTLP_LOGS_HEADERS OTEL_EXPORTER_OTLP_COMPRESSION
OTEL_EXPORTER_OTLP_TRACES_COMPRESSION OTEL_EXPORTER_OTLP_METRICS_COMPRESSION
OTEL_EXPORTER_OTLP_LOGS_COMPRESSION OTEL_EXPORTER_OTLP_TIMEOUT OTEL_EXPORTER_OTLP_TRACES_TIMEOUT
OTEL_EXPORTER_OTLP_METRICS_TIMEOUT OTEL_EXPORTER_OTLP_LOGS_TIMEOUT OTEL_EXPORTER_OTLP_PROTOCOL
OTEL_EXPORTER_OTLP_TRACES_PROTOCOL OTEL_EXPORTER_OTLP_METRICS_PROTOCOL
OTEL_EXPORTER_OTLP_LOGS_PROTOCOL OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE
OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION
""",
    )
)

ODD = (
    *("abc", "-1", "0", "1", "100", "1.5", "1e309", "nan", "inf", "9" * 30, " ", "a=b=c,,=,%zz"),
    *("\u0661", "\ud800", "\u00e9" * 5000, "true", "none", "*", "://", "http://", ",", "a\nb"),
)
NAMES = {row.name for row in VARIABLES}
_LITERAL = re.compile(r"""["'](OTEL_[A-Z0-9_]+)["']""")


def is_installed(*, group: str, name: str = "") -> tuple[str, ...]:
    """Stand in for the search of entry points, which takes 10 ms for each."""
    known = name in {"theirs", "process", "tracecontext", "baggage"}
    return (name,) if known and not name.startswith(group) else ()


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the packages of `ROWS`."""
    monkeypatch.setattr(value_kinds, "entry_points", is_installed)
    monkeypatch.setattr(exporters, "entry_points", lambda **_: ())


def read(**variables: str) -> Settings:
    """Return the settings of a service that exports with OTLP."""
    return read_settings(environ={"OTEL_SERVICE_NAME": "acme", **ENDPOINT, **variables})


def without_warnings(settings: Settings) -> Settings:
    """Return the same settings without warnings."""
    return replace(settings, warnings=())


def installed_names() -> Iterator[str]:
    """Yield the names of variables in the source of the installed packages."""
    root = Path(str(find_spec("opentelemetry.sdk").submodule_search_locations[0])).parent  # type: ignore[union-attr,index]
    for path in root.rglob("*.py"):
        if "semconv" not in path.parts:
            yield from _LITERAL.findall(path.read_text())


class TestTable:
    def test_each_variable_has_one_row(self) -> None:
        """Each variable has one row."""
        assert [] == [name for name, n in Counter(row.name for row in VARIABLES).items() if n > 1]

    def test_every_variable_of_specification_has_row(self) -> None:
        """Every variable of the specification has a row."""
        assert set() == SPECIFICATION - NAMES

    @pytest.mark.parametrize(
        "module",
        [
            "opentelemetry.environment_variables",
            "opentelemetry.sdk.environment_variables",
            "opentelemetry.instrumentation.environment_variables",
        ],
    )
    def test_every_constant_of_installed_package_has_row(self, module: str) -> None:
        """Every constant for the name of a variable in an installed package has a row."""
        values = map(str, vars(import_module(module)).values())

        assert set() == {value for value in values if value.startswith("OTEL_")} - NAMES

    def test_every_name_in_source_of_installed_packages_has_row(self) -> None:
        """Every name of a variable in the source of the installed packages has a row."""
        assert set() == set(installed_names()) - NAMES

    def test_every_checked_variable_has_values_in_this_test(self) -> None:
        """Every variable that `configure` reads has a valid and an invalid value here."""
        others = (*FOREIGN_VARIABLES, *UNSUPPORTED_VARIABLES, *REFUSED_VARIABLES)

        assert NAMES - {row.name for row in others} == set(ROWS)


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """Return a file in PEM format."""
    path = tmp_path / "certificate.pem"
    path.write_text("-----BEGIN CERTIFICATE-----")
    return path


def with_file(row: Row, pem: Path) -> Row:
    """Return a row with the path of a file in place of the word PEM."""
    context = {name: text.replace("PEM", str(pem)) for name, text in row.context.items()}
    return row._replace(valid=row.valid.replace("PEM", str(pem)), context=context)


@pytest.mark.usefixtures("packages")
class TestRows:
    @pytest.mark.parametrize("name", ROWS)
    def test_valid_value_changes_settings_without_warning(self, name: str, pem: Path) -> None:
        """A valid value changes the settings, without a warning."""
        valid, _, context = with_file(ROWS[name], pem)
        settings = read(**{**context, name: valid})

        assert read(**context) != settings
        assert () == settings.warnings

    @pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.invalid])
    def test_invalid_value_changes_nothing_and_causes_one_warning(
        self, name: str, pem: Path
    ) -> None:
        """An invalid value changes nothing, and causes one warning that begins with the name."""
        _, invalid, context = with_file(ROWS[name], pem)
        settings = read(**{**context, name: invalid or ""})
        (warning,) = settings.warnings

        assert read(**context) == without_warnings(settings)
        assert warning.startswith(name)

    @pytest.mark.parametrize("name", [row.name for row in UNSUPPORTED_VARIABLES])
    def test_variable_without_effect_causes_one_warning_with_reason(self, name: str) -> None:
        """A variable without effect causes one warning with the reason."""
        settings = read(**{name: "x"})
        (warning,) = settings.warnings

        assert warning.startswith(f"{name} has no effect: ")

    @pytest.mark.parametrize("name", [row.name for row in FOREIGN_VARIABLES])
    def test_variable_of_another_reader_causes_no_warning(self, name: str) -> None:
        """A variable of another reader causes no warning."""
        assert () == read(**{name: "x"}).warnings

    @pytest.mark.parametrize("name", [row.name for row in REFUSED_VARIABLES])
    def test_configuration_file_is_refused_in_one_line(self, name: str) -> None:
        """A configuration file is refused in one line, whether it exists or not."""
        with pytest.raises(ConfigurationError, match=f"{name}='/x.yaml': .*; unset the variable"):
            read(**{name: "/x.yaml"})

    @pytest.mark.parametrize("name", sorted(NAMES - {row.name for row in REFUSED_VARIABLES}))
    def test_odd_values_raise_nothing_and_keep_warnings_short(self, name: str) -> None:
        """Odd values raise no error, and cause short warnings without repetition."""
        for text in ODD:
            warnings = () if name == TOKEN.name else read(**{name: text}).warnings

            assert len(set(warnings)) == len(warnings)
            assert all(len(warning) < 1000 for warning in warnings)


class TestBatches:
    @pytest.mark.parametrize("prefix", ["BSP", "BLRP"])
    @pytest.mark.parametrize(
        ("variables", "batch", "warnings"),
        [
            ({}, None, 0),
            ({"MAX_QUEUE_SIZE": "256"}, "256", 0),
            ({"MAX_QUEUE_SIZE": "1"}, "1", 0),
            ({"MAX_QUEUE_SIZE": "1024"}, None, 0),
            ({"MAX_QUEUE_SIZE": "256", "MAX_EXPORT_BATCH_SIZE": "1000"}, "256", 1),
            ({"MAX_EXPORT_BATCH_SIZE": "4096"}, "2048", 1),
            ({"MAX_QUEUE_SIZE": "256", "MAX_EXPORT_BATCH_SIZE": "0"}, "256", 1),
        ],
    )
    def test_batch_is_at_most_queue(
        self, prefix: str, variables: Mapping[str, str], batch: str | None, warnings: int
    ) -> None:
        """A batch is at most the size of the queue, with a warning if the batch was set."""
        settings = read(**{f"OTEL_{prefix}_{name}": text for name, text in variables.items()})

        assert batch == settings.sdk_variables.get(f"OTEL_{prefix}_MAX_EXPORT_BATCH_SIZE")
        assert warnings == len(settings.warnings)


class TestTimeouts:
    def test_timeout_is_in_milliseconds(self) -> None:
        """A timeout is in milliseconds."""
        assert {2.0} == set(read(OTEL_EXPORTER_OTLP_TIMEOUT="2000").otlp.timeouts.values())

    def test_timeout_that_looks_like_seconds_causes_warning_with_milliseconds(self) -> None:
        """A timeout that looks like seconds causes a warning with the milliseconds."""
        (warning,) = read(OTEL_EXPORTER_OTLP_TIMEOUT="10").warnings

        assert "OTEL_EXPORTER_OTLP_TIMEOUT=10 means 10 ms; for 10 s, write 10000" == warning

    @pytest.mark.parametrize(
        ("name", "signal"),
        [
            ("OTEL_BSP_EXPORT_TIMEOUT", "traces"),
            ("OTEL_METRIC_EXPORT_TIMEOUT", "metrics"),
            ("OTEL_BLRP_EXPORT_TIMEOUT", "logs"),
        ],
    )
    def test_shorter_of_two_timeouts_bounds_export(self, name: str, signal: Signal) -> None:
        """The shorter of the timeouts of request and batch bounds an export."""
        assert 3.0 == read(**{name: "3000"}).otlp.timeouts[signal]
        assert 10.0 == read(**{name: "60000"}).otlp.timeouts[signal]
        assert 10.0 == read(**{name: "0"}).otlp.timeouts[signal]


class TestStart:
    @pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
    @pytest.mark.parametrize("text", ["abc", "-1", "0", "1", "100", "9" * 30, "\u00e9", ","])
    def test_odd_values_of_all_variables_start_telemetry(
        self, monkeypatch: pytest.MonkeyPatch, protocol: str, text: str
    ) -> None:
        """Telemetry starts with an odd value in all variables, and the SDK logs nothing."""
        kept = {
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
            "OTEL_META_MULTIPROCESS_DIR",
            "OTEL_META_SLO_PATH",
            TOKEN.name,
        }
        for name in NAMES - kept - {row.name for row in REFUSED_VARIABLES}:
            monkeypatch.setenv(name, text)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "100")
        lines = io.BytesIO()
        with configure(
            "acme",
            traces="otlp",
            metrics="otlp",
            logs="otlp",
            otlp_endpoint="http://127.0.0.1:9",
            set_global=False,
            log_stream=lines,
            cache_loggers=False,
            shutdown_timeout=0.1,
        ) as telemetry:
            assert telemetry.traces is not None
            assert b'"logger":"opentelemetry' not in lines.getvalue()

    def test_given_environment_replaces_that_of_process(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The option environ replaces the environment of the process for the SDK, too."""
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
        monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=a")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a")
        before = dict(os.environ)
        options: Any = {"traces": "console", "set_global": False, "log_stream": None}
        with configure("acme", **options, environ={}) as telemetry:
            assert telemetry.traces is not None
            span: Any = telemetry.traces.provider.get_tracer("test").start_span("span")
            span.set_attributes({"a": 1, "b": 2})

        assert {"a": 1, "b": 2} == span.attributes
        assert "team" not in telemetry.resource.attributes
        assert before == dict(os.environ)

    def test_all_spans_are_exported_with_queue_below_default_batch(self) -> None:
        """All spans are exported with a queue that is smaller than the default batch."""
        environ = {"OTEL_BSP_MAX_QUEUE_SIZE": "4"}
        with (
            OtlpReceiver() as sink,
            configure(
                "acme",
                otlp_endpoint=sink.endpoint,
                set_global=False,
                log_stream=None,
                environ=environ,
            ) as telemetry,
        ):
            assert telemetry.traces is not None
            for _ in range(4):
                telemetry.traces.provider.get_tracer("test").start_span("span").end()
            telemetry.flush()

        assert 4 == len(sink.spans())


@pytest.mark.usefixtures("packages")
class TestMisspellings:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("OTEL_META_MULTIPROCES_DIR", "OTEL_META_MULTIPROCESS_DIR"),
            ("OTEL_META_LOGFORMAT", "OTEL_META_LOG_FORMAT"),
            ("OTEL_META_PROMETEUS_TOKEN", "OTEL_META_PROMETHEUS_TOKEN"),
            ("OTEL_META_SERIES", "OTEL_META_MAX_SERIES"),
            ("OTEL_EXPORTER_OTLP_ENDPONT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            ("OTEL_EXPORTER_OTLP_TRACE_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
            ("OTEL_SERVICENAME", "OTEL_SERVICE_NAME"),
            ("otel_service_name", "OTEL_SERVICE_NAME"),
            ("OTEL_EXPORTER_OLTP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            ("OTEL_METRICS_EXPORT_INTERVAL", "OTEL_METRIC_EXPORT_INTERVAL"),
            ("OTEL_RESOURCE_ATTRIBUTE", "OTEL_RESOURCE_ATTRIBUTES"),
            ("OTEL_TRACE_EXPORTER", "OTEL_TRACES_EXPORTER"),
        ],
    )
    def test_misspelled_name_causes_one_warning_with_name_that_was_meant(
        self, name: str, meant: str
    ) -> None:
        """A misspelled name causes one warning with the name that was probably meant."""
        (warning,) = read(**{name: "x"}).warnings

        expected = f"{name} is not a known variable and has no effect; did you mean {meant}?"
        assert expected == warning

    def test_unknown_name_of_ours_causes_warning_with_known_names(self) -> None:
        """An unknown name that begins like ours causes a warning with the known names."""
        (warning,) = read(OTEL_META_UNHEARD_OF="1").warnings

        assert "OTEL_META_UNHEARD_OF is not a known variable" in warning
        assert "OTEL_META_REPO" in warning

    @pytest.mark.parametrize(
        "name",
        [
            "OTEL_SERVICE_NAMESPACE",
            "OTEL_RESOURCE_ATTRIBUTES_POD_NAME",
            "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME",
            "OTEL_POD_IP",
            "OTEL_GO_AUTO_TARGET_EXE",
            "OTEL_JAVAAGENT_ENABLED",
            "OTEL_PYTHON_DJANGO_EXCLUDED_URLS",
            "OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        ],
    )
    def test_unknown_name_of_others_causes_no_warning(self, name: str) -> None:
        """An unknown name of other libraries and languages causes no warning."""
        assert () == read(**{name: "x"}).warnings

    def test_variables_of_collector_cause_no_warning(self) -> None:
        """The variables of the Collector's configuration cause no warning."""
        rows = [row for row in vars(env_variables).values() if hasattr(row, "default")]

        assert rows
        assert () == read(**{row.name: "x" for row in rows}).warnings

    def test_empty_misspelled_variable_causes_no_warning(self) -> None:
        """An empty variable causes no warning, as if unset."""
        assert () == read(OTEL_SERVICENAME="").warnings
