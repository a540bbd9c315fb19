from __future__ import annotations

import logging
import math
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from otel_meta.errors import ConfigurationError
from otel_meta.runtime import settings as settings_module
from otel_meta.runtime.export import exporters
from otel_meta.runtime.settings import Settings, read_settings

VARIABLES = (
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
    "OTEL_EXPORTER_PROMETHEUS_HOST",
    "OTEL_EXPORTER_PROMETHEUS_PORT",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_PROPAGATORS",
    "OTEL_LOG_LEVEL",
    "OTEL_META_SHUTDOWN_TIMEOUT",
    "OTEL_META_MAX_SERIES",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)
texts = st.text(st.characters(exclude_characters="\0"), max_size=20)


def read(**variables: str) -> Settings:
    """What these variables alone make of a service called acme."""
    return read_settings(environ={"OTEL_SERVICE_NAME": "acme", **variables})


def given(**arguments: Any) -> Settings:
    """What these arguments alone make of a service called acme."""
    return read_settings(environ={}, **{"service_name": "acme", **arguments})


class TestDefaults:
    def test_quiet(self) -> None:
        """Unasked, metrics wait to be scraped and nothing is sent anywhere."""
        assert {"traces": (), "metrics": ("prometheus",), "logs": ()} == read().exporters

    def test_no_port(self) -> None:
        """Unasked, no port is opened."""
        assert read().prometheus_port is None

    def test_values(self) -> None:
        """Everything else is as OpenTelemetry has it."""
        settings = read()

        assert 60.0 == settings.metric_interval
        assert "parentbased_always_on" == settings.sampler
        assert ("tracecontext", "baggage") == settings.propagators
        assert {"http/protobuf"} == set(settings.otlp.protocols.values())
        assert {10.0} == set(settings.otlp.timeouts.values())
        assert logging.INFO == settings.log_level
        assert 5.0 == settings.shutdown_timeout
        assert not settings.disabled
        assert () == settings.warnings


class TestExporters:
    def test_endpoint(self) -> None:
        """An endpoint alone turns OTLP on for every signal, as a sidecar's injection does."""
        settings = read(OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318")

        assert {("otlp",)} == set(settings.exporters.values())

    def test_endpoint_of_a_signal(self) -> None:
        """An endpoint of one signal turns OTLP on for that one."""
        settings = read(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://collector:4318")

        assert {"traces": ("otlp",), "metrics": ("prometheus",), "logs": ()} == settings.exporters

    def test_argument(self) -> None:
        """An endpoint as an argument does the same."""
        assert {("otlp",)} == set(given(otlp_endpoint="http://c:4318").exporters.values())

    def test_endpoints(self) -> None:
        """The endpoint of a signal is taken as it is; an argument wins over all of them."""
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://b/logs",
        }
        both = read(**environ)
        given = read_settings(service_name="a", otlp_endpoint="http://c", environ=environ)

        assert ("http://a", {"logs": "http://b/logs"}) == (
            both.otlp.endpoint,
            both.otlp.signal_endpoints,
        )
        assert ("http://c", {}) == (given.otlp.endpoint, given.otlp.signal_endpoints)

    def test_several(self) -> None:
        """Metrics may go out by two ways."""
        assert ("otlp", "prometheus") == read(OTEL_METRICS_EXPORTER="otlp,prometheus").exporters[
            "metrics"
        ]

    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    def test_none(self, signal: Any) -> None:
        """None means none."""
        settings = read(
            **{f"OTEL_{signal.upper()}_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}
        )

        assert () == settings.exporters[signal]

    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    def test_unknown_variable(self, signal: Any) -> None:
        """An exporter that there is not, named by a variable, is warned of; the default is used."""
        settings = read(**{f"OTEL_{signal.upper()}_EXPORTER": "carrier-pigeon"})

        assert read().exporters == settings.exporters
        assert 1 == len(settings.warnings)

    def test_partly_known(self) -> None:
        """Those beside it that there are, are used."""
        settings = read(OTEL_METRICS_EXPORTER="carrier-pigeon,otlp")

        assert ("otlp",) == settings.exporters["metrics"]

    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    def test_unknown_argument(self, signal: Any) -> None:
        """An exporter that there is not, named by an argument, is refused with those there are."""
        with pytest.raises(ConfigurationError, match=rf"{signal}='pigeon'.*no such.*none, otlp"):
            given(**{signal: "pigeon"})

    def test_wins(self) -> None:
        """An argument wins over the variable."""
        settings = read_settings(
            service_name="a", traces="none", environ={"OTEL_TRACES_EXPORTER": "otlp"}
        )

        assert () == settings.exporters["traces"]

    def test_disabled(self) -> None:
        """Disabled, nothing is exported, whatever was named."""
        settings = read(OTEL_SDK_DISABLED="true", OTEL_METRICS_EXPORTER="prometheus")

        assert not settings.exports("metrics", "prometheus")
        assert read(OTEL_METRICS_EXPORTER="prometheus").exports("metrics", "prometheus")


class TestName:
    def test_order(self) -> None:
        """An argument wins over OTEL_SERVICE_NAME, and that over the resource's attributes."""
        attributes = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=c"}
        variable = {"OTEL_SERVICE_NAME": "b", **attributes}

        assert "a" == read_settings(service_name="a", environ=variable).service_name
        assert "b" == read_settings(environ=variable).service_name
        assert "c" == read_settings(environ=attributes).service_name

    def test_unknown(self) -> None:
        """A service without a name is told how to get one."""
        settings = read_settings(environ={})

        assert "unknown_service" == settings.service_name
        assert 1 == len(settings.warnings)
        assert "call configure('my-service') or set OTEL_SERVICE_NAME" in settings.warnings[0]

    def test_namespace(self) -> None:
        """A namespace as an argument wins over the resource's attribute."""
        environ = {"OTEL_RESOURCE_ATTRIBUTES": "service.namespace=b", "OTEL_SERVICE_NAME": "x"}

        assert "a" == read_settings(namespace="a", environ=environ).namespace
        assert "b" == read_settings(environ=environ).namespace

    def test_attributes(self) -> None:
        """Attributes from arguments and variables are joined; arguments win."""
        settings = read_settings(
            service_name="x",
            resource_attributes={"a": "1"},
            environ={"OTEL_RESOURCE_ATTRIBUTES": "a=2,b=3"},
        )

        assert {"a": "1", "b": "3"} == settings.resource_attributes


class TestPort:
    def test_exporter(self) -> None:
        """Naming the exporter by its variable opens the standard port."""
        assert 9464 == read(OTEL_METRICS_EXPORTER="prometheus").prometheus_port

    def test_variable(self) -> None:
        """So does naming the port."""
        assert 9000 == read(OTEL_EXPORTER_PROMETHEUS_PORT="9000").prometheus_port

    def test_argument(self) -> None:
        """An argument wins, and None means no port."""
        variables = {"OTEL_EXPORTER_PROMETHEUS_PORT": "9000"}

        assert 0 == read_settings(prometheus_port=0, environ=variables).prometheus_port
        assert read_settings(prometheus_port=None, environ=variables).prometheus_port is None

    def test_other_exporter(self) -> None:
        """Where Prometheus is not among the exporters there is no port."""
        settings = read(OTEL_METRICS_EXPORTER="otlp", OTEL_EXPORTER_PROMETHEUS_PORT="9000")

        assert settings.prometheus_port is None

    def test_in_app(self) -> None:
        """Where metrics are to stay in the app there is no port, whatever else says so."""
        settings = read(
            OTEL_META_METRICS_IN_APP="true",
            OTEL_METRICS_EXPORTER="prometheus",
            OTEL_EXPORTER_PROMETHEUS_PORT="9000",
        )

        assert settings.prometheus_port is None
        assert 9000 == given(prometheus_port=9000).prometheus_port

    def test_none_by_argument(self) -> None:
        """An exporter of another kind, named by its variable, asks for no port."""
        environ = {"OTEL_METRICS_EXPORTER": "otlp"}
        settings = read_settings(service_name="a", metrics="prometheus", environ=environ)

        assert settings.prometheus_port is None

    @pytest.mark.parametrize("port", [-1, 65_536])
    def test_refused(self, port: int) -> None:
        """A port that there cannot be is refused."""
        with pytest.raises(ConfigurationError, match=f"prometheus_port={port} is not a port"):
            given(prometheus_port=port)

    def test_host(self) -> None:
        """The host is the argument, the variable, or localhost."""
        variables = {"OTEL_EXPORTER_PROMETHEUS_HOST": "0.0.0.0"}

        assert "::1" == read_settings(prometheus_host="::1", environ=variables).prometheus_host
        assert "0.0.0.0" == read(**variables).prometheus_host
        assert "localhost" == read().prometheus_host


class TestToken:
    def test_none(self) -> None:
        """Unless one is given there is none, and an empty variable gives none."""
        assert read().prometheus_token is None
        assert read(OTEL_META_PROMETHEUS_TOKEN=" ").prometheus_token is None

    def test_order(self) -> None:
        """The argument wins over the variable."""
        variables = {"OTEL_META_PROMETHEUS_TOKEN": "a.b-c_d~e+f/g=="}

        assert "mine" == read_settings(prometheus_token="mine", environ=variables).prometheus_token
        assert "a.b-c_d~e+f/g==" == read(**variables).prometheus_token

    @pytest.mark.parametrize("token", ["", " ", "a b", "a\n", "é", "=a"])
    def test_refused(self, token: str) -> None:
        """One that no header can carry is refused."""
        with pytest.raises(ConfigurationError, match="prometheus_token is not a token that a head"):
            given(prometheus_token=token)

    def test_variable_refused(self) -> None:
        """So it is in a variable: to do without would open what was to be closed."""
        with pytest.raises(ConfigurationError, match="OTEL_META_PROMETHEUS_TOKEN is not a token"):
            read(OTEL_META_PROMETHEUS_TOKEN="a b")

    def test_unsaid(self) -> None:
        """It is in no representation, and in no error."""
        assert "hidden" not in repr(given(prometheus_token="hidden"))
        with pytest.raises(ConfigurationError) as caught:
            given(prometheus_token="hid den")

        assert "hid den" not in str(caught.value)


class TestNumbers:
    def test_interval(self) -> None:
        """The variable is in milliseconds, the argument in seconds, and the argument wins."""
        variables = {"OTEL_METRIC_EXPORT_INTERVAL": "1500"}

        assert 1.5 == read(**variables).metric_interval
        assert 0.2 == read_settings(metric_interval=0.2, environ=variables).metric_interval

    @pytest.mark.parametrize("interval", [0, -1, math.nan, math.inf])
    def test_interval_refused(self, interval: float) -> None:
        """An interval that is no span of time is refused, for it would spin or never push."""
        with pytest.raises(ConfigurationError, match="metric_interval"):
            given(metric_interval=interval)

    @pytest.mark.parametrize("timeout", [-1, math.nan])
    def test_timeout_refused(self, timeout: float) -> None:
        """A time to shut down that is no span of time is refused."""
        with pytest.raises(ConfigurationError, match="shutdown_timeout"):
            given(shutdown_timeout=timeout)

    def test_timeout(self) -> None:
        """The time to shut down is the argument, the variable, or five seconds."""
        variables = {"OTEL_META_SHUTDOWN_TIMEOUT": "2"}

        assert 1 == read_settings(shutdown_timeout=1, environ=variables).shutdown_timeout
        assert 2 == read(**variables).shutdown_timeout

    def test_otlp_timeout(self) -> None:
        """The timeout of a signal wins over that of all."""
        settings = read(OTEL_EXPORTER_OTLP_TIMEOUT="3", OTEL_EXPORTER_OTLP_LOGS_TIMEOUT="4")

        assert {"traces": 3.0, "metrics": 3.0, "logs": 4.0} == settings.otlp.timeouts

    def test_protocol(self) -> None:
        """The protocol of a signal wins over that of all."""
        settings = read(
            OTEL_EXPORTER_OTLP_PROTOCOL="grpc", OTEL_EXPORTER_OTLP_LOGS_PROTOCOL="http/protobuf"
        )

        assert {
            "traces": "grpc",
            "metrics": "grpc",
            "logs": "http/protobuf",
        } == settings.otlp.protocols


class TestSampler:
    @pytest.mark.parametrize(
        ("name", "argument", "kept"),
        [
            ("always_on", "0.5", None),
            ("traceidratio", "0.5", "0.5"),
            ("parentbased_traceidratio", "", "1.0"),
            ("theirs", "anything", "anything"),
        ],
    )
    def test_argument(
        self, monkeypatch: pytest.MonkeyPatch, name: str, argument: str, kept: str | None
    ) -> None:
        """The argument is kept for the samplers that take one, and checked for the standard's."""
        monkeypatch.setattr(settings_module, "entry_points", lambda **_: ("theirs",))
        settings = read(OTEL_TRACES_SAMPLER=name, OTEL_TRACES_SAMPLER_ARG=argument)

        assert (name, kept, ()) == (settings.sampler, settings.sampler_arg, settings.warnings)


class TestLevel:
    @pytest.mark.parametrize(
        ("text", "level"),
        [("debug", 10), ("INFO", 20), ("warn", 30), ("warning", 30), ("error", 40)],
    )
    def test_known(self, text: str, level: int) -> None:
        """A level is a word, in whatever case, from argument or variable."""
        assert level == given(log_level=text).log_level
        assert level == read(OTEL_LOG_LEVEL=text).log_level

    def test_refused(self) -> None:
        """An argument that is no level is refused, with those there are."""
        with pytest.raises(ConfigurationError, match=r"log_level='loud': choose from debug, info"):
            given(log_level="loud")

    def test_wins(self) -> None:
        """An argument wins over the variable, good or bad."""
        settings = read_settings(
            service_name="a", log_level="error", environ={"OTEL_LOG_LEVEL": "loud"}
        )

        assert (40, ()) == (settings.log_level, settings.warnings)


class TestSeries:
    @pytest.mark.parametrize("text", ["delta", "DELTA", " Delta "])
    def test_temporality(self, text: str) -> None:
        """The standard's preference, in any case, says what is pushed over OTLP."""
        variable = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"

        assert ("cumulative", "delta") == (
            read().otlp.temporality,
            read(**{variable: text}).otlp.temporality,
        )

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("", True),
            ("trace_based", True),
            ("always_on", True),
            ("Always_Off", False),
            ("x", True),
        ],
    )
    def test_exemplars(self, text: str, shown: bool) -> None:
        """The standard's filter turns exemplars off."""
        assert shown is read(OTEL_METRICS_EXEMPLAR_FILTER=text).exemplars

    def test_always_on(self) -> None:
        """Exemplars without a span are not to be had, which is said."""
        (warning,) = read(OTEL_METRICS_EXEMPLAR_FILTER="always_on").warnings

        assert warning.startswith("OTEL_METRICS_EXEMPLAR_FILTER=always_on: ")

    def test_max_series(self) -> None:
        """An argument wins over the variable, which wins over OpenTelemetry's default."""
        variables = {"OTEL_META_MAX_SERIES": "50"}

        assert (2000, 50, 7) == (
            read().max_series,
            read(**variables).max_series,
            read_settings(service_name="a", max_series=7, environ=variables).max_series,
        )

    def test_no_series(self) -> None:
        """A metric without any series is no use."""
        with pytest.raises(ConfigurationError, match="max_series=0: allow at least one"):
            given(max_series=0)

    @pytest.mark.parametrize(
        ("text", "length"), [("", 1024), ("64", 64), ("0", 1024), ("-1", 1024), ("9" * 30, 1024)]
    )
    def test_label_length(self, text: str, length: int) -> None:
        """The standard's limit of values is that of labels, too, if it leaves anything."""
        assert length == read(OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=text).max_label_length


class TestInvalid:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("OTEL_SDK_DISABLED", "perhaps"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "abc"),
            ("OTEL_PROPAGATORS", "bogus"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "x"),
            ("OTEL_LOG_LEVEL", "loud"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "http"),
            ("OTEL_META_SHUTDOWN_TIMEOUT", "-1"),
            ("OTEL_META_MAX_SERIES", "0"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sideways"),
        ],
    )
    def test_falls_back(self, name: str, text: str) -> None:
        """A variable that cannot be used leaves every setting at its default."""
        settings, defaults = read(**{name: text}), read()
        changed = {
            field
            for field in vars(defaults)
            if getattr(settings, field) != getattr(defaults, field)
        }

        # A port was asked for, however badly.
        assert changed <= {"warnings", "prometheus_port"}

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("OTEL_SDK_DISABLED", "perhaps"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "abc"),
            ("OTEL_PROPAGATORS", "bogus"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "x"),
            ("OTEL_LOG_LEVEL", "loud"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "http"),
            ("OTEL_META_SHUTDOWN_TIMEOUT", "-1"),
            ("OTEL_META_MAX_SERIES", "0"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sideways"),
            ("OTEL_RESOURCE_ATTRIBUTES", "nonsense"),
        ],
    )
    def test_warns(self, name: str, text: str) -> None:
        """It is warned of once, by its name and what it holds."""
        (warning,) = read(**{name: text}).warnings

        assert warning.startswith(f"{name} holds {text!r}, which is not ")

    @for_all(st.dictionaries(st.sampled_from(VARIABLES), texts))
    def test_any(self, variables: dict[str, str]) -> None:
        """Whatever the variables hold, settings come out, and no warning comes twice."""
        with pytest.MonkeyPatch.context() as patch:  # reading installed packages takes 10 ms each
            patch.setattr(settings_module, "entry_points", lambda **_: ())
            patch.setattr(exporters, "entry_points", lambda **_: ())
            warnings = read_settings(environ=variables).warnings

        assert len(set(warnings)) == len(warnings)
