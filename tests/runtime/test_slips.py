"""Mistakes in calls of `configure` and `instrument_fastapi`, each answered with the fix."""

from __future__ import annotations

import inspect
import io
import logging
import pydoc
from collections.abc import Callable
from math import inf, nan
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from otel_meta import Counter, MetaRepo, NoLabels, Paths, configure, instrument_fastapi
from otel_meta.errors import ConfigurationError
from otel_meta.runtime.configure_options import Options
from otel_meta.runtime.option_checks import CHECKS
from otel_meta.runtime.settings import read_settings
from otel_meta.testing import capture

if TYPE_CHECKING:
    from tests.conftest import Run

SECRET = "hunter2"


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)


def call(*arguments: Any, **options: Any) -> None:
    """Configure telemetry that changes nothing global, and shut it down."""
    defaults: dict[str, Any] = {"set_global": False, "log_stream": None, "environ": {}}
    configure(*arguments, **defaults | options).shutdown()


# The arguments of `configure`, and a part of the message with the fix.
SLIPS: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((Atlas,), {}, "give a text first, as in configure('my-service', Aurora)"),
    ((Atlas, "nb"), {}, "give a text first, as in configure('my-service', Aurora)"),
    ((5,), {}, "the name of the service is 5; give a text first"),
    (("nb", "Atlas"), {}, "repo='Atlas' is no meta-repository; give the class, as in configure("),
    (("nb", Atlas()), {}, "is no meta-repository; give the class, as in configure("),
    (("nb", MetaRepo), {}, "is no meta-repository; give the class, as in configure("),
    ((), {"namespace": Atlas}, "give a text"),
    ((), {"prometheus_port": "9464"}, "whole number from 0 to 65535, such as 9464"),
    ((), {"prometheus_port": "abc"}, "prometheus_port='abc'): give a port"),
    ((), {"prometheus_port": True}, "prometheus_port=True): give a port"),
    ((), {"prometheus_port": 70000}, "prometheus_port=70000): give a port"),
    ((), {"prometheus_port": -1}, "prometheus_port=-1): give a port"),
    ((), {"prometheus_host": 8080}, "give an address, such as '0.0.0.0'"),
    ((), {"prometheus_host": "my host"}, "give an address, such as '0.0.0.0'"),
    ((), {"prometheus_host": "a" * 64}, "give an address, such as '0.0.0.0'"),
    ((), {"prometheus_token": 5}, "prometheus_token=int): give the token as a text"),
    ((), {"metric_interval": "5"}, "metric_interval='5'): give a number of seconds"),
    ((), {"metric_interval": 0}, "give a number of seconds above 0"),
    ((), {"shutdown_timeout": -1}, "give a number of seconds above 0"),
    ((), {"shutdown_timeout": 0}, "give a number of seconds above 0"),
    ((), {"shutdown_timeout": nan}, "shutdown_timeout=nan): give a number of seconds"),
    ((), {"shutdown_timeout": inf}, "shutdown_timeout=inf): give a number of seconds"),
    ((), {"max_series": 0}, "give a whole number from 1"),
    ((), {"max_series": 2.5}, "give a whole number from 1"),
    ((), {"resource_attributes": ["team=a"]}, "give a dict of texts, as in {"),
    ((), {"resource_attributes": {"team": 5}}, "give a dict of texts, as in {"),
    ((), {"traces": 5}, "traces=5): give a name such as 'otlp', or a list"),
    ((), {"metrics": ["otlp", 5]}, "give a name such as 'otlp', or a list"),
    ((), {"metrics": (name for name in ("otlp",))}, "or a list of names"),
    ((), {"logs": "jaeger"}, "there is no such exporter; choose from none, otlp"),
    ((), {"otlp_endpoint": 4318}, "give a URL, such as 'http://localhost:4318'"),
    ((), {"otlp_endpoint": "localhost:4318"}, "write it as http://localhost:4318"),
    ((), {"otlp_endpoint": "unix:/run/otel"}, "write it as http://localhost:4318"),
    ((), {"otlp_endpoint": "http://"}, "has no host or port; write it as"),
    ((), {"otlp_endpoint": "http://c:99999"}, "has an invalid port or address; write"),
    ((), {"otlp_endpoint": "http://c:4318/v1/metrics"}, "write it as http://c:4318"),
    ((), {"otlp_endpoint": "http://c :4318"}, "has a character that no URL has"),
    ((), {"otlp_endpoint": "grpc://c:4317"}, "has the scheme grpc; write it as http://"),
    ((), {"workers": "yes"}, "workers='yes'): give True or False"),
    ((), {"log_level": "loud"}, "choose from debug, info"),
    ((), {"log_level": 15}, "or give a level of logging"),
    ((), {"log_level": True}, "or give a level of logging"),
    ((), {"log_format": "xml"}, "choose from auto, json, console, logfmt"),
    ((), {"log_stream": "stdout"}, "such as sys.stdout.buffer or sys.stderr.buffer"),
    ((), {"log_stream": io.StringIO()}, "such as sys.stdout.buffer or sys.stderr.buffer"),
    ((), {"cache_loggers": "yes"}, "give True or False"),
    ((), {"set_global": "no"}, "set_global='no'): give True or False"),
    ((), {"environ": {"OTEL_BSP_MAX_QUEUE_SIZE": 256}}, "environ=dict): give a dict of texts"),
    ((), {"environ": ["OTEL_SERVICE_NAME=a"]}, "environ=list): give a dict of texts"),
    ((), {"clock": 5.0}, "give a function that returns seconds, such as time.monotonic"),
]
UNKNOWN = [
    ("port", "'prometheus_port'"),
    ("endpoint", "'otlp_endpoint'"),
    ("service", "'service_name'"),
    ("shutdown_timout", "'shutdown_timeout'"),
    ("xyz", "service_name, repo, namespace"),
]


class TestConfigure:
    @pytest.mark.parametrize(("arguments", "options", "fix"), SLIPS)
    def test_mistake_is_answered_with_fix(
        self, arguments: tuple[Any, ...], options: dict[str, Any], fix: str
    ) -> None:
        """A mistake in the arguments is answered with the fix, in one short line."""
        with pytest.raises(ConfigurationError) as caught:
            call(*arguments, **options)

        assert fix in str(caught.value)
        assert 400 > len(str(caught.value))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(("name", "meant"), UNKNOWN)
    def test_unknown_option_is_answered_with_near_name(self, name: str, meant: str) -> None:
        """An unknown option is answered with the near name, or with all names."""
        with pytest.raises(TypeError, match=rf"unexpected keyword argument '{name}'; .*{meant}"):
            call(**{name: 5})

    def test_every_option_has_check(self) -> None:
        """Every option has a check."""
        assert list(Options.__annotations__) == list(CHECKS)

    @pytest.mark.parametrize("name", sorted(set(CHECKS) - {"set_global", "log_stream", "environ"}))
    def test_none_is_like_missing_option(self, name: str) -> None:
        """None is like a missing option."""
        call("a", **{name: None})

    @pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING, "Error"])
    def test_log_level_is_name_or_number(self, level: Any) -> None:
        """A log level is a name or a number of `logging`."""
        call("a", log_level=level)

    def test_long_value_is_shortened(self) -> None:
        """A long value in a message is shortened."""
        with pytest.raises(ConfigurationError) as caught:
            call("a", log_format="x" * 10_000)

        assert 200 > len(str(caught.value))


class TestInstrument:
    @pytest.mark.parametrize(
        ("arguments", "fix"),
        [
            (lambda app, _: {"app": app, "telemetry": Atlas}, "give the result of configure()"),
            (lambda _app, _: {"app": None}, "give the application first"),
            (lambda app, telemetry: {"app": telemetry, "telemetry": app}, "give the application"),
            (lambda app, telemetry: {"app": app, "telemetry": telemetry, "ready": True}, "itself"),
            (
                lambda app, telemetry: {"app": app, "telemetry": telemetry, "paths": "/metrics"},
                "paths=Paths(metrics='/metrics')",
            ),
        ],
    )
    def test_mistake_is_answered_with_fix(
        self, arguments: Callable[[FastAPI, Any], dict[str, Any]], fix: str
    ) -> None:
        """A mistake in the arguments is answered with the fix."""
        with capture() as captured, pytest.raises(ConfigurationError) as caught:
            instrument_fastapi(**arguments(FastAPI(), captured.telemetry))

        assert fix in str(caught.value)

    def test_right_arguments_are_accepted(self) -> None:
        """Right arguments are accepted."""
        with capture() as captured:
            instrument_fastapi(FastAPI(), captured.telemetry, ready=bool, paths=Paths(slo=None))

    def test_invalid_pattern_of_excluded_urls_is_ignored_with_warning(
        self, script: Callable[..., Run]
    ) -> None:
        """An invalid pattern of excluded URLs is ignored with a warning."""
        run = script(
            "from fastapi import FastAPI\n"
            "from otel_meta import configure, instrument_fastapi\n"
            "instrument_fastapi(FastAPI(), configure('shop'))\n",
            OTEL_PYTHON_FASTAPI_EXCLUDED_URLS="(health",
        )

        assert (0, "") == (run.code, run.stderr)
        assert 1 == len(run.events("OTEL_PYTHON_FASTAPI_EXCLUDED_URLS holds '(health', which is"))


class TestSecrets:
    @pytest.mark.parametrize(
        "show",
        [
            pydoc.render_doc,
            lambda function: str(inspect.signature(function)),
            lambda function: repr(inspect.getfullargspec(function)),
        ],
    )
    @pytest.mark.parametrize("function", [configure, capture, instrument_fastapi, read_settings])
    def test_help_and_signature_show_no_environment(
        self,
        monkeypatch: pytest.MonkeyPatch,
        function: Callable[..., Any],
        show: Callable[[Any], str],
    ) -> None:
        """Help and signature show no value of the environment."""
        monkeypatch.setenv("DATABASE_PASSWORD", SECRET)

        assert SECRET not in show(function)

    def test_repr_of_settings_shows_no_secret(self) -> None:
        """The repr of settings shows no token, no header and no password of a URL."""
        settings = read_settings(
            "a",
            environ={
                "OTEL_META_PROMETHEUS_TOKEN": SECRET,
                "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={SECRET}",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://user:{SECRET}@c:4318",
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"http://user:{SECRET}@c/v1/logs",
                "OTEL_OF_ANOTHER_LIBRARY": SECRET,
            },
        )

        assert SECRET not in repr(settings)
        assert SECRET in str(settings.sdk_variables)

    def test_repr_of_telemetry_shows_no_secret(self) -> None:
        """The repr of telemetry and captured telemetry shows no secret."""
        environ = {"OTEL_META_PROMETHEUS_TOKEN": SECRET}
        with capture(environ=environ) as captured:
            assert SECRET not in repr(captured) + repr(captured.telemetry) + repr(vars(captured))

    @pytest.mark.parametrize(
        "endpoint", ["ftp://user:{}@c", "user:{}@c:4318", "http://user:{}@c:4317", "http://u:{}@"]
    )
    def test_messages_about_endpoints_show_no_password(self, endpoint: str) -> None:
        """Messages about endpoints show no password."""
        url = endpoint.format(SECRET)
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": url}
        settings = read_settings("a", environ=environ)

        assert settings.warnings
        assert SECRET not in str(settings.warnings)

    @pytest.mark.parametrize("name", ["environ", "prometheus_token"])
    def test_messages_about_arguments_show_no_secret(self, name: str) -> None:
        """Messages about arguments show no secret."""
        with pytest.raises(ConfigurationError) as caught:
            call("a", **{name: [SECRET]})

        assert SECRET not in str(caught.value)
