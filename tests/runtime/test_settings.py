from __future__ import annotations

import logging
import math
from typing import Any, cast

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.configure_options import Options
from otel_meta.runtime.environment import value_kinds
from otel_meta.runtime.export import exporters
from otel_meta.runtime.option_checks import check_options
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
    "OTEL_META_LOG_FORMAT",
    "OTEL_META_SHUTDOWN_TIMEOUT",
    "OTEL_META_MAX_SERIES",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)
texts = st.text(st.characters(exclude_characters="\0"), max_size=20)


def read(**variables: str) -> Settings:
    """Return the settings of service acme with these variables."""
    return read_settings(environ={"OTEL_SERVICE_NAME": "acme", **variables})


def given(**arguments: Any) -> Settings:
    """Return the settings of service acme with these options."""
    return read_settings("acme", **check_options(cast("Options", {"environ": {}, **arguments})))


class TestDefaults:
    def test_by_default_metrics_are_scraped_and_nothing_is_pushed(self) -> None:
        """By default metrics are scraped and nothing is pushed."""
        assert {"traces": (), "metrics": ("prometheus",), "logs": ()} == read().exporters

    def test_by_default_no_port_is_opened(self) -> None:
        """By default no port is opened."""
        assert read().prometheus_port is None

    def test_other_defaults_are_those_of_opentelemetry(self) -> None:
        """Other defaults are those of OpenTelemetry."""
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
    def test_endpoint_variable_alone_enables_otlp_for_every_signal(self) -> None:
        """The endpoint variable alone enables OTLP for every signal."""
        settings = read(OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318")

        assert {("otlp",)} == set(settings.exporters.values())

    def test_endpoint_variable_of_one_signal_enables_otlp_for_this_signal(self) -> None:
        """The endpoint variable of one signal enables OTLP for this signal."""
        settings = read(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://collector:4318")

        assert {"traces": ("otlp",), "metrics": ("prometheus",), "logs": ()} == settings.exporters

    def test_endpoint_option_alone_enables_otlp_for_every_signal(self) -> None:
        """The endpoint option alone enables OTLP for every signal."""
        assert {("otlp",)} == set(given(otlp_endpoint="http://c:4318").exporters.values())

    def test_endpoint_option_without_scheme_is_refused_for_http(self) -> None:
        """An endpoint without a scheme is refused for HTTP, which cannot export to it."""
        with pytest.raises(ConfigurationError, match=r"'c:4318' is not a URL; write it as http://"):
            given(otlp_endpoint="c:4318")

    def test_endpoint_option_without_scheme_is_accepted_for_grpc(self) -> None:
        """An endpoint without a scheme is accepted for gRPC."""
        environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
        settings = read_settings("a", otlp_endpoint="c:4317", environ=environ)

        assert "c:4317" == settings.otlp.endpoint

    def test_endpoint_option_overrides_all_endpoint_variables(self) -> None:
        """The endpoint option overrides all endpoint variables."""
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

    def test_signal_may_have_two_exporters(self) -> None:
        """A signal may have two exporters."""
        assert ("otlp", "prometheus") == read(OTEL_METRICS_EXPORTER="otlp,prometheus").exporters[
            "metrics"
        ]

    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    def test_exporter_none_disables_export_of_signal(self, signal: Any) -> None:
        """The exporter none disables export of a signal."""
        settings = read(
            **{f"OTEL_{signal.upper()}_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}
        )

        assert () == settings.exporters[signal]

    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    def test_unknown_exporter_in_variable_causes_warning_and_default_is_used(
        self, signal: Any
    ) -> None:
        """An unknown exporter in a variable causes a warning, and the default is used."""
        settings = read(**{f"OTEL_{signal.upper()}_EXPORTER": "carrier-pigeon"})

        assert read().exporters == settings.exporters
        assert 1 == len(settings.warnings)

    def test_known_exporter_next_to_unknown_exporter_is_used(self) -> None:
        """A known exporter next to an unknown exporter is used."""
        settings = read(OTEL_METRICS_EXPORTER="carrier-pigeon,otlp")

        assert ("otlp",) == settings.exporters["metrics"]

    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
    def test_unknown_exporter_in_option_is_refused_with_list_of_names(self, signal: Any) -> None:
        """An unknown exporter in an option is refused with a list of names."""
        with pytest.raises(ConfigurationError, match=rf"{signal}='pigeon'.*no such.*none, otlp"):
            given(**{signal: "pigeon"})

    def test_option_of_exporters_overrides_variable(self) -> None:
        """The option of exporters overrides the variable."""
        settings = read_settings(
            service_name="a", traces="none", environ={"OTEL_TRACES_EXPORTER": "otlp"}
        )

        assert () == settings.exporters["traces"]

    def test_disabled_sdk_exports_to_no_exporter(self) -> None:
        """A disabled SDK exports to no exporter."""
        settings = read(OTEL_SDK_DISABLED="true", OTEL_METRICS_EXPORTER="prometheus")

        assert not settings.exports("metrics", "prometheus")
        assert read(OTEL_METRICS_EXPORTER="prometheus").exports("metrics", "prometheus")


class TestName:
    def test_service_name_is_option_else_otel_service_name_else_attribute(self) -> None:
        """The service name is the option, else OTEL_SERVICE_NAME, else an attribute."""
        attributes = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=c"}
        variable = {"OTEL_SERVICE_NAME": "b", **attributes}

        assert "a" == read_settings(service_name="a", environ=variable).service_name
        assert "b" == read_settings(environ=variable).service_name
        assert "c" == read_settings(environ=attributes).service_name

    def test_service_without_name_causes_warning_with_remedy(self) -> None:
        """A service without a name causes a warning with a remedy."""
        settings = read_settings(environ={})

        assert "unknown_service" == settings.service_name
        assert 1 == len(settings.warnings)
        assert "call configure('my-service') or set OTEL_SERVICE_NAME" in settings.warnings[0]

    def test_namespace_option_overrides_resource_attribute(self) -> None:
        """The namespace option overrides the resource attribute."""
        environ = {"OTEL_RESOURCE_ATTRIBUTES": "service.namespace=b", "OTEL_SERVICE_NAME": "x"}

        assert "a" == read_settings(namespace="a", environ=environ).namespace
        assert "b" == read_settings(environ=environ).namespace

    def test_attributes_of_option_and_variable_are_merged_and_option_wins(self) -> None:
        """Attributes of option and variable are merged, and the option wins."""
        settings = read_settings(
            service_name="x",
            resource_attributes={"a": "1"},
            environ={"OTEL_RESOURCE_ATTRIBUTES": "a=2,b=3"},
        )

        assert {"a": "1", "b": "3"} == settings.resource_attributes


class TestPort:
    def test_exporter_variable_opens_standard_port(self) -> None:
        """The exporter variable opens the standard port."""
        assert 9464 == read(OTEL_METRICS_EXPORTER="prometheus").prometheus_port

    def test_port_variable_opens_its_port(self) -> None:
        """The port variable opens its port."""
        assert 9000 == read(OTEL_EXPORTER_PROMETHEUS_PORT="9000").prometheus_port

    def test_port_option_overrides_variable_and_none_means_no_port(self) -> None:
        """The port option overrides the variable, and None means no port."""
        variables = {"OTEL_EXPORTER_PROMETHEUS_PORT": "9000"}

        assert 0 == read_settings(prometheus_port=0, environ=variables).prometheus_port
        assert read_settings(prometheus_port=None, environ=variables).prometheus_port is None

    def test_without_prometheus_exporter_there_is_no_port(self) -> None:
        """Without the prometheus exporter there is no port."""
        settings = read(OTEL_METRICS_EXPORTER="otlp", OTEL_EXPORTER_PROMETHEUS_PORT="9000")

        assert settings.prometheus_port is None

    def test_otel_meta_metrics_in_app_prevents_port_unless_option_asks(self) -> None:
        """OTEL_META_METRICS_IN_APP prevents a port, unless an option asks for one."""
        settings = read(
            OTEL_META_METRICS_IN_APP="true",
            OTEL_METRICS_EXPORTER="prometheus",
            OTEL_EXPORTER_PROMETHEUS_PORT="9000",
        )

        assert settings.prometheus_port is None
        assert 9000 == given(prometheus_port=9000).prometheus_port

    def test_exporter_variable_without_prometheus_opens_no_port(self) -> None:
        """An exporter variable without prometheus opens no port."""
        environ = {"OTEL_METRICS_EXPORTER": "otlp"}
        settings = read_settings(service_name="a", metrics="prometheus", environ=environ)

        assert settings.prometheus_port is None

    @pytest.mark.parametrize("port", [-1, 65_536])
    def test_port_out_of_range_is_refused(self, port: int) -> None:
        """A port out of range is refused."""
        with pytest.raises(ConfigurationError, match=rf"\(prometheus_port={port}\): give a port"):
            given(prometheus_port=port)

    def test_host_is_option_else_variable_else_localhost(self) -> None:
        """The host is the option, else the variable, else localhost."""
        variables = {"OTEL_EXPORTER_PROMETHEUS_HOST": "0.0.0.0"}

        assert "::1" == read_settings(prometheus_host="::1", environ=variables).prometheus_host
        assert "0.0.0.0" == read(**variables).prometheus_host
        assert "localhost" == read().prometheus_host


class TestToken:
    def test_by_default_there_is_no_token_and_empty_variable_gives(self) -> None:
        """By default there is no token, and an empty variable gives none."""
        assert read().prometheus_token is None
        assert read(OTEL_META_PROMETHEUS_TOKEN=" ").prometheus_token is None

    def test_token_option_overrides_variable(self) -> None:
        """The token option overrides the variable."""
        variables = {"OTEL_META_PROMETHEUS_TOKEN": "a.b-c_d~e+f/g=="}

        assert "mine" == read_settings(prometheus_token="mine", environ=variables).prometheus_token
        assert "a.b-c_d~e+f/g==" == read(**variables).prometheus_token

    @pytest.mark.parametrize("token", ["", " ", "a b", "a\n", "é", "=a"])
    def test_token_that_no_header_can_carry_is_refused(self, token: str) -> None:
        """A token that no header can carry is refused."""
        with pytest.raises(ConfigurationError, match="prometheus_token is not a token that a head"):
            given(prometheus_token=token)

    def test_invalid_token_in_variable_is_refused_not_ignored(self) -> None:
        """An invalid token in a variable is refused, not ignored."""
        with pytest.raises(ConfigurationError, match="OTEL_META_PROMETHEUS_TOKEN is not a token"):
            read(OTEL_META_PROMETHEUS_TOKEN="a b")

    def test_token_is_in_no_repr_and_in_no_error(self) -> None:
        """A token is in no repr and in no error."""
        assert "hidden" not in repr(given(prometheus_token="hidden"))
        with pytest.raises(ConfigurationError) as caught:
            given(prometheus_token="hid den")

        assert "hid den" not in str(caught.value)


class TestNumbers:
    def test_interval_variable_is_in_milliseconds_and_option_in_seconds(self) -> None:
        """The interval variable is in milliseconds, and the option in seconds overrides it."""
        variables = {"OTEL_METRIC_EXPORT_INTERVAL": "1500"}

        assert 1.5 == read(**variables).metric_interval
        assert 0.2 == read_settings(metric_interval=0.2, environ=variables).metric_interval

    @pytest.mark.parametrize("interval", [0, -1, math.nan, math.inf])
    def test_interval_that_is_not_positive_and_finite_is_refused(self, interval: float) -> None:
        """An interval that is not positive and finite is refused."""
        with pytest.raises(ConfigurationError, match="metric_interval"):
            given(metric_interval=interval)

    @pytest.mark.parametrize("interval", [-1, math.nan, math.inf])
    def test_scrape_interval_that_is_negative_or_not_finite_is_refused(
        self, interval: float
    ) -> None:
        """A scrape interval that is negative or not finite is refused."""
        with pytest.raises(ConfigurationError, match="scrape_interval"):
            given(scrape_interval=interval)

    def test_scrape_interval_is_option_else_variable_else_15_seconds(self) -> None:
        """The scrape interval is the option, else the variable, else 15 seconds; 0 is a value."""
        variables = {"OTEL_META_SCRAPE_INTERVAL": "30"}

        assert 15 == read().scrape_interval
        assert 30 == read(**variables).scrape_interval
        assert 0 == read_settings(scrape_interval=0, environ=variables).scrape_interval

    @pytest.mark.parametrize("timeout", [-1, math.nan])
    def test_shutdown_timeout_that_is_not_positive_and_finite_is_refused(
        self, timeout: float
    ) -> None:
        """A shutdown timeout that is not positive and finite is refused."""
        with pytest.raises(ConfigurationError, match="shutdown_timeout"):
            given(shutdown_timeout=timeout)

    def test_shutdown_timeout_is_option_else_variable_else_five_seconds(self) -> None:
        """The shutdown timeout is the option, else the variable, else five seconds."""
        variables = {"OTEL_META_SHUTDOWN_TIMEOUT": "2"}

        assert 1 == read_settings(shutdown_timeout=1, environ=variables).shutdown_timeout
        assert 2 == read(**variables).shutdown_timeout

    def test_timeout_variable_of_signal_overrides_general_one(self) -> None:
        """The timeout variable of a signal overrides the general one."""
        settings = read(OTEL_EXPORTER_OTLP_TIMEOUT="3000", OTEL_EXPORTER_OTLP_LOGS_TIMEOUT="4000")

        assert {"traces": 3.0, "metrics": 3.0, "logs": 4.0} == settings.otlp.timeouts

    def test_protocol_variable_of_signal_overrides_general_one(self) -> None:
        """The protocol variable of a signal overrides the general one."""
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
    def test_sampler_argument_is_kept_for_samplers_that_take_one(
        self, monkeypatch: pytest.MonkeyPatch, name: str, argument: str, kept: str | None
    ) -> None:
        """The sampler argument is kept for samplers that take one."""
        monkeypatch.setattr(value_kinds, "entry_points", lambda **_: ("theirs",))
        settings = read(OTEL_TRACES_SAMPLER=name, OTEL_TRACES_SAMPLER_ARG=argument)

        assert (name, kept, ()) == (settings.sampler, settings.sampler_arg, settings.warnings)


class TestLevel:
    @pytest.mark.parametrize(
        ("text", "level"),
        [("debug", 10), ("INFO", 20), ("warn", 30), ("warning", 30), ("error", 40)],
    )
    def test_log_level_is_read_in_any_case(self, text: str, level: int) -> None:
        """The log level is read in any case."""
        assert level == given(log_level=text).log_level
        assert level == read(OTEL_LOG_LEVEL=text).log_level

    def test_unknown_log_level_in_option_is_refused_with_list(self) -> None:
        """An unknown log level in an option is refused with a list of levels."""
        with pytest.raises(ConfigurationError, match=r"log_level='loud'\): choose from debug"):
            given(log_level="loud")

    def test_log_level_option_overrides_invalid_variable_without_warning(self) -> None:
        """The log level option overrides an invalid variable without a warning."""
        settings = read_settings(
            service_name="a", log_level="error", environ={"OTEL_LOG_LEVEL": "loud"}
        )

        assert (40, ()) == (settings.log_level, settings.warnings)


class TestLogFormat:
    def test_log_format_is_option_else_variable_else_auto(self) -> None:
        """The log format is the option, else the variable, else auto."""
        variables = {"OTEL_META_LOG_FORMAT": "logfmt"}

        assert ("auto", "logfmt", "console") == (
            read().log_format,
            read(**variables).log_format,
            read_settings("a", log_format="Console", environ=variables).log_format,
        )

    def test_unknown_log_format_in_option_is_refused_with_list_of_formats(self) -> None:
        """An unknown log format in an option is refused with a list of formats."""
        with pytest.raises(ConfigurationError, match=r"log_format='xml'\): choose from auto, json"):
            given(log_format="xml")


class TestSeries:
    @pytest.mark.parametrize("text", ["delta", "DELTA", " Delta "])
    def test_temporality_preference_is_read_in_any_case(self, text: str) -> None:
        """The temporality preference is read in any case."""
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
    def test_exemplar_filter_always_off_disables_exemplars(self, text: str, shown: bool) -> None:
        """The exemplar filter always_off disables exemplars."""
        assert shown is read(OTEL_METRICS_EXEMPLAR_FILTER=text).exemplars

    def test_exemplar_filter_always_on_causes_warning(self) -> None:
        """The exemplar filter always_on causes a warning."""
        (warning,) = read(OTEL_METRICS_EXEMPLAR_FILTER="always_on").warnings

        assert warning.startswith("OTEL_METRICS_EXEMPLAR_FILTER=always_on: ")

    def test_cardinality_limit_is_option_else_variable_else_2_000(self) -> None:
        """The cardinality limit is the option, else the variable, else 2,000."""
        variables = {"OTEL_META_MAX_SERIES": "50"}

        assert (2000, 50, 7) == (
            read().max_series,
            read(**variables).max_series,
            read_settings(service_name="a", max_series=7, environ=variables).max_series,
        )

    def test_cardinality_limit_of_zero_is_refused(self) -> None:
        """A cardinality limit of zero is refused."""
        with pytest.raises(ConfigurationError, match=r"max_series=0\): give a whole number from 1"):
            given(max_series=0)

    @pytest.mark.parametrize(
        ("text", "length"), [("", 1024), ("64", 64), ("0", 1024), ("-1", 1024), ("9" * 30, 1024)]
    )
    def test_attribute_length_limit_applies_to_labels_if_it_is_positive(
        self, text: str, length: int
    ) -> None:
        """The attribute length limit applies to labels, if it is positive."""
        assert length == read(OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=text).max_label_length


class TestJob:
    @pytest.mark.parametrize(
        "more",
        [
            {"prometheus_port": 9464},
            {"metrics": ("otlp", "console")},
            {"environ": {"OTEL_META_MULTIPROCESS_DIR": "/nowhere"}},
        ],
    )
    def test_job_with_another_way_to_its_metrics_is_refused(self, more: dict[str, Any]) -> None:
        """A job with another way to its metrics than a Collector is refused."""
        with pytest.raises(ConfigurationError, match="job=True"):
            given(job=True, **more)

    def test_variable_with_another_way_to_metrics_is_ignored_with_warning(self) -> None:
        """The variable is ignored with a warning, if there is another way to the metrics."""
        settings = read(OTEL_META_JOB="true", OTEL_EXPORTER_PROMETHEUS_PORT="9464")

        assert (False, "OTEL_META_JOB=true") == (settings.job, settings.warnings[0][:18])

    def test_job_without_endpoint_names_the_endpoint_alone(self) -> None:
        """A job that nobody could read names the endpoint, not a port or an application."""
        settings = given(job=True)
        (warning,) = settings.warnings

        assert () == settings.exporters["metrics"]
        assert "set OTEL_EXPORTER_OTLP_ENDPOINT" in warning

    def test_job_sends_deltas_although_variable_names_another_temporality(self) -> None:
        """A job sends deltas, and warns of a variable with another temporality."""
        name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
        settings = read(OTEL_META_JOB="true", **{name: "cumulative"})

        assert "delta" == settings.otlp.temporality
        assert f"{name}=cumulative has no effect on a job" in settings.warnings[0]


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
            ("OTEL_META_LOG_FORMAT", "xml"),
            ("OTEL_META_SHUTDOWN_TIMEOUT", "-1"),
            ("OTEL_META_MAX_SERIES", "0"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sideways"),
        ],
    )
    def test_invalid_variable_leaves_every_setting_at_its_default(
        self, name: str, text: str
    ) -> None:
        """An invalid variable leaves every setting at its default."""
        settings, defaults = read(**{name: text}), read()
        changed = {
            field
            for field in vars(defaults)
            if getattr(settings, field) != getattr(defaults, field)
        }

        # An invalid port variable still asks for a port.
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
            ("OTEL_META_LOG_FORMAT", "xml"),
            ("OTEL_META_SHUTDOWN_TIMEOUT", "-1"),
            ("OTEL_META_MAX_SERIES", "0"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sideways"),
            ("OTEL_RESOURCE_ATTRIBUTES", "nonsense"),
        ],
    )
    def test_invalid_variable_causes_one_warning_with_its_name_and_value(
        self, name: str, text: str
    ) -> None:
        """An invalid variable causes one warning with its name and value."""
        (warning,) = read(**{name: text}).warnings

        assert warning.startswith(f"{name} holds {text!r}, which is not ")

    @for_all(st.dictionaries(st.sampled_from(VARIABLES), texts))
    def test_any_values_of_variables_give_settings_without_repeated_warnings(
        self, variables: dict[str, str]
    ) -> None:
        """Any values of variables give settings without repeated warnings."""
        with pytest.MonkeyPatch.context() as patch:  # reading installed packages takes 10 ms each
            patch.setattr(value_kinds, "entry_points", lambda **_: ())
            patch.setattr(exporters, "entry_points", lambda **_: ())
            warnings = read_settings(environ=variables).warnings

        assert len(set(warnings)) == len(warnings)
