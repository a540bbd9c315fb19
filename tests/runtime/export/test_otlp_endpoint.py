from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.export.exporters import create_exporter
from otel_meta.runtime.export.otlp_endpoint import check_base, check_signal
from otel_meta.runtime.sdk_environment import checked_variables
from otel_meta.runtime.settings import Settings, read_settings
from otel_meta.runtime.signals import SIGNALS, Signal

HTTP, GRPC = "http/protobuf", "grpc"


def read(**variables: str) -> Settings:
    """Return settings with variables whose names begin with OTEL_EXPORTER_OTLP_."""
    environ = {f"OTEL_EXPORTER_OTLP_{name}": text for name, text in variables.items()}
    return read_settings("acme", environ=environ)


class TestBase:
    @pytest.mark.parametrize(
        ("protocol", "text"),
        [
            (HTTP, "http://localhost:4318"),
            (HTTP, "https://c/"),
            (HTTP, "HTTP://c:4318"),
            (HTTP, "http://[::1]:4318"),
            (HTTP, "https://c:443/otlp"),
            (GRPC, "http://c:4317"),
            (GRPC, "https://c:4317"),
            (GRPC, "unix:///run/otel"),
            (GRPC, "dns:///c:4317"),
        ],
    )
    def test_right_endpoint_is_used_without_problem(self, protocol: str, text: str) -> None:
        """A right endpoint is used as it is, without a problem."""
        found = check_base(text, protocol)

        assert (text, "") == (found.url, found.problem)

    @pytest.mark.parametrize(
        ("protocol", "text", "url", "problem"),
        [
            (HTTP, "localhost:4318", "http://localhost:4318", "write it as http://localhost:4318"),
            (HTTP, "collector:4317", "http://collector:4317", "write it as http://collector:4317"),
            (HTTP, "10.0.0.1", "http://10.0.0.1", "write it as http://10.0.0.1"),
            (HTTP, "http://c:4318/v1/metrics", "http://c:4318", "write it as http://c:4318"),
            (HTTP, "http://c:4318/v1/traces/", "http://c:4318", "write it as http://c:4318"),
            (HTTP, "c:4318/v1/logs", "http://c:4318", "write it as http://c:4318"),
            (HTTP, "http://c:4317", "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
            (HTTP, "http://c?key=1", None, "without the query"),
            (HTTP, "unix:///run/otel", None, "write it as http://localhost:4318"),
            (HTTP, "ftp://c", None, "has the scheme ftp"),
            (HTTP, "http://", None, "has no host"),
            (HTTP, "http://:4318", None, "has no host"),
            (HTTP, "://", None, "has "),
            (HTTP, "/v1/metrics", None, "has no host"),
            (HTTP, "http://c:port", None, "invalid port"),
            (HTTP, "http://[::1", None, "invalid port or address"),
            (HTTP, "http://a b", None, "no URL has"),
            (GRPC, "c:4317", "c:4317", "write http://c:4317 for a connection without TLS"),
            (GRPC, "http://c:4318", "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
            (GRPC, "grpc://c:4317", None, "has the scheme grpc; write it as http://localhost:4317"),
            (GRPC, "http://", None, "has no host"),
            (GRPC, "http://c", "http://c", "write it as http://c:4317"),
        ],
    )
    def test_problem_has_fix(self, protocol: str, text: str, url: str | None, problem: str) -> None:
        """A problem is described with the fix, and a usable endpoint is corrected."""
        found = check_base(text, protocol)

        assert url == found.url
        assert problem in found.problem

    @given(st.text(st.characters(exclude_characters="\0")), st.sampled_from([HTTP, GRPC]))
    def test_any_text_gives_url_or_problem(self, text: str, protocol: str) -> None:
        """Any text gives a URL or a problem, and no error."""
        found = check_base(text, protocol)

        assert found.url or found.problem

    def test_endpoint_without_scheme_is_right_for_insecure_grpc(self) -> None:
        """An endpoint without a scheme is right for gRPC without TLS."""
        assert () == read(ENDPOINT="c:4317", PROTOCOL="grpc", INSECURE="true").warnings


class TestSignal:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("http://c:4318/v1/metrics", ""),
            ("http://c/vendor/path", ""),
            ("http://c:4318", "write it as http://c:4318/v1/metrics"),
            ("http://c:4318/", "write it as http://c:4318/v1/metrics"),
            ("http://c:4318/v1/traces", "is the URL of traces; write it as http://c:4318/v1/metri"),
        ],
    )
    def test_url_of_one_signal_is_used_as_it_is(self, text: str, problem: str) -> None:
        """The URL of one signal is used as it is; a doubtful path is a problem with the fix."""
        found = check_signal(text, "metrics", HTTP, is_insecure=False)

        assert text == found.url
        assert problem in found.problem
        assert bool(problem) is bool(found.problem)


class TestVariables:
    def test_corrected_endpoint_is_in_warning_and_in_use(self) -> None:
        """A corrected endpoint is in the warning, and in use."""
        settings = read(ENDPOINT="localhost:4318")
        (warning,) = settings.warnings

        assert "http://localhost:4318" == settings.otlp.endpoint
        assert warning.startswith("OTEL_EXPORTER_OTLP_ENDPOINT='localhost:4318' is not a URL; ")
        assert warning.endswith("using http://localhost:4318")

    def test_unusable_endpoint_is_ignored_with_warning(self) -> None:
        """An unusable endpoint is ignored with a warning, and nothing is exported."""
        settings = read(ENDPOINT="ftp://c")
        (warning,) = settings.warnings

        assert warning.endswith("; ignoring it")
        assert ("prometheus",) == settings.exporters["metrics"]
        assert () == settings.exporters["traces"]

    def test_protocol_of_all_signals_is_checked_against_endpoint(self) -> None:
        """The port is checked against the protocol of each signal that uses the endpoint."""
        right = read(ENDPOINT="http://c:4317", PROTOCOL="grpc")
        wrong = read(ENDPOINT="http://c:4317", PROTOCOL="grpc", LOGS_PROTOCOL="http/protobuf")

        assert () == right.warnings
        assert 1 == len(wrong.warnings)


class TestExporter:
    @pytest.mark.parametrize("protocol", [HTTP, GRPC])
    @pytest.mark.parametrize("signal", SIGNALS)
    def test_checked_variables_reach_exporter(
        self, tmp_path: Path, signal: Signal, protocol: str
    ) -> None:
        """Headers and compression of a signal reach the exporter; its timeout is in seconds."""
        certificate = tmp_path / "ca.pem"
        certificate.write_text("-----BEGIN CERTIFICATE-----")
        settings = read(
            PROTOCOL=protocol,
            TIMEOUT="2000",
            HEADERS="Api-Key=a%2Cb c,broken",
            COMPRESSION="gzip",
            CERTIFICATE=str(certificate),
        )
        with checked_variables(settings.sdk_variables):
            exporter = create_exporter(signal, "otlp", settings.otlp)
        seen = getattr(exporter, "_client", exporter) if protocol == HTTP else exporter
        exporter.shutdown()

        assert 2.0 == seen._timeout
        assert "a,b c" == dict(seen._headers)["api-key"]
        assert "Gzip" == exporter._compression.name.title()

    @pytest.mark.parametrize("compression", ["none", "deflate"])
    def test_grpc_starts_with_compression_of_http(self, compression: str) -> None:
        """Export over gRPC starts with a compression that only HTTP has."""
        settings = read(PROTOCOL="grpc", COMPRESSION=compression)
        with checked_variables(settings.sdk_variables):
            create_exporter("traces", "otlp", settings.otlp).shutdown()

        assert (compression == "deflate") is bool(settings.warnings)

    @pytest.mark.parametrize("name", ["key!", "key-bin"])
    def test_header_that_grpc_refuses_is_ignored_with_one_warning(self, name: str) -> None:
        """A header that gRPC refuses at export is ignored with one warning at start."""
        settings = read(PROTOCOL="grpc", HEADERS=f"{name}=secret,team=a")
        (warning,) = settings.warnings

        assert f"gRPC has no header '{name}'" in warning
        assert "secret" not in warning
        assert "team=a" == settings.otlp.variables["OTEL_EXPORTER_OTLP_TRACES_HEADERS"]

    def test_client_key_without_certificate_causes_one_warning(self, tmp_path: Path) -> None:
        """A client key without a certificate has no effect, and causes one warning."""
        key = tmp_path / "key.pem"
        key.write_text("-----BEGIN PRIVATE KEY-----")
        (warning,) = read(CLIENT_KEY=str(key)).warnings

        assert "has no effect without OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in warning
