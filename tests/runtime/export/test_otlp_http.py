from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import certifi
import pytest
import requests
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.export import otlp_http
from otel_meta.runtime.export.connection_errors import explained
from otel_meta.runtime.signals import SIGNALS, Signal
from otel_meta.testing import OtlpReceiver
from tests.runtime.export.raw_server import Answer, RawServer, http
from tests.runtime.export.watched_exports import TIMEOUT, WatchedExport, logged, warning

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MARGIN = 1.5
"""Seconds that a busy machine may add to a timeout."""


def partial(signal: Signal, rejected: int, text: str = "") -> bytes:
    """Return the response message of a receiver that rejected items."""
    answer: Any
    match signal:
        case "traces":
            answer = ExportTraceServiceResponse()
            answer.partial_success.rejected_spans = rejected
        case "metrics":
            answer = ExportMetricsServiceResponse()
            answer.partial_success.rejected_data_points = rejected
        case "logs":
            answer = ExportLogsServiceResponse()
            answer.partial_success.rejected_log_records = rejected
    answer.partial_success.error_message = text
    return bytes(answer.SerializeToString())


def closing(answer: bytes) -> Answer:
    """Close the connection after an answer."""

    def send(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.close()

    return send


def reset(connection: socket.socket) -> None:
    """Break the connection instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def trickle(connection: socket.socket) -> None:
    """Send an answer at one byte in a tenth of a second, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def trickle_headers(connection: socket.socket) -> None:
    """Send the headers of an answer at one byte in a tenth of a second, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def flood(connection: socket.socket) -> None:
    """Send an answer of 300 MB."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 314572800\r\n\r\n")
    for _ in range(300):
        connection.sendall(bytes(1 << 20))


def flooding_redirection(connection: socket.socket) -> None:
    """Send a redirection with a body of 300 MB."""
    connection.sendall(
        b"HTTP/1.1 307 Temporary Redirect\r\nlocation: https://other/v1/traces\r\n"
        b"content-length: 314572800\r\n\r\n"
    )
    for _ in range(300):
        connection.sendall(bytes(1 << 20))


ACCEPTED: dict[str, Answer] = {
    "an empty message": http("200 OK", content_type=PROTOBUF),
    "an empty message without content type": http("200 OK"),
    "202": http("202 Accepted"),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an empty message in JSON": http("200 OK", b"{}", content_type=JSON),
    "a JSON message with a charset": http(
        "200 OK", b'{"partialSuccess":{}}', content_type="application/json; charset=utf-8"
    ),
    "unknown fields beside known ones": http(
        "200 OK", b'{"partialSuccess":{},"new":1}', content_type=JSON
    ),
    "a message of gzip": http(
        "200 OK", gzip.compress(b""), content_type=PROTOBUF, content_encoding="gzip"
    ),
    "chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "100 before the answer": b"HTTP/1.1 100 Continue\r\n\r\n" + http("200 OK"),
    "102 before the answer": b"HTTP/1.1 102 Processing\r\n\r\n" + http("200 OK"),
    "103 before the answer": b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n" + http("200 OK"),
    "connection: close": closing(http("200 OK", connection="close")),
    "HTTP/1.0": closing(b"HTTP/1.0 200 OK\r\n\r\n"),
}


class Refused(NamedTuple):
    """An answer that means that nothing was delivered, and words of the warning."""

    answer: Answer
    words: tuple[str, ...]


REFUSED: dict[str, Refused] = {
    "301": Refused(
        http("301 Moved Permanently", location="https://collector.example/v1/traces"),
        ("301", "set the endpoint to https://collector.example/v1/traces"),
    ),
    "302 without a location": Refused(http("302 Found"), ("302", "redirected")),
    "303": Refused(http("303 See Other", location="/elsewhere"), ("303", "/elsewhere")),
    "304": Refused(b"HTTP/1.1 304 Not Modified\r\n\r\n", ("304",)),
    "307": Refused(http("307 Temporary Redirect", location="/x"), ("307", "/x")),
    "308": Refused(http("308 Permanent Redirect", location="/x"), ("308", "/x")),
    "a page": Refused(
        http("200 OK", b"<html>Sign in</html>", content_type="text/html; charset=utf-8"),
        ("status 200", "text/html", "not OTLP's"),
    ),
    "a page without content type": Refused(
        http("200 OK", b"<html>Sign in</html>"), ("status 200", "not OTLP's")
    ),
    "a text": Refused(http("200 OK", b"OK", content_type="text/plain"), ("text/plain",)),
    "a text that is valid protobuf": Refused(
        http("200 OK", b"* " + b"a" * 32, content_type="text/plain"), ("text/plain",)
    ),
    "valid protobuf beyond the bound": Refused(
        http("200 OK", b"*\x03aaa" + b"*\x01a" * 30_000, content_type=PROTOBUF), (PROTOBUF,)
    ),
    "random bytes": Refused(
        http("200 OK", b"\xff" * 50, content_type=PROTOBUF), (PROTOBUF, "not OTLP's")
    ),
    "another message in JSON": Refused(
        http("200 OK", b'{"error":"no"}', content_type=JSON), (JSON, "not OTLP's")
    ),
    "an array in JSON": Refused(http("200 OK", b"[]", content_type=JSON), (JSON, "not OTLP's")),
    "broken JSON": Refused(http("200 OK", b"{", content_type=JSON), (JSON, "not OTLP's")),
    "truncated gzip": Refused(
        http("200 OK", gzip.compress(b"x" * 9)[:-4] * 2, content_encoding="gzip"), ("damaged",)
    ),
    "fewer bytes than announced": Refused(
        closing(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
        ("cut",),
    ),
    "300 MB": Refused(flood, ("status 200", "not OTLP's")),
    "a redirection of 300 MB": Refused(flooding_redirection, ("307", "https://other/v1/traces")),
    "101": Refused(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", ("101",)),
    "400 with a status message": Refused(
        http("400 Bad Request", Status(message="no such tenant").SerializeToString()),
        ("400 Bad Request", "no such tenant"),
    ),
    "400 with a text": Refused(
        http(
            "400 Bad Request",
            b"Client sent an HTTP request to an HTTPS server.\n",
            content_type="text/plain",
        ),
        ("400", "Client sent an HTTP request to an HTTPS server.", "https://"),
    ),
    "401": Refused(http("401 Unauthorized"), ("401", "OTEL_EXPORTER_OTLP_HEADERS")),
    "403": Refused(http("403 Forbidden"), ("403", "OTEL_EXPORTER_OTLP_HEADERS")),
    "404": Refused(http("404 Not Found"), ("404", "the base URL has no path")),
    "405": Refused(http("405 Method Not Allowed"), ("405", "another server")),
    "413": Refused(http("413 Content Too Large"), ("413", "MAX_EXPORT_BATCH_SIZE")),
    "415": Refused(http("415 Unsupported"), ("415", "OTEL_EXPORTER_OTLP_COMPRESSION")),
    "429": Refused(http("429 Too Many Requests"), ("429",)),
    "500": Refused(http("500 Internal Server Error"), ("500",)),
    "503 with a pause beyond the timeout": Refused(
        http("503 Service Unavailable", retry_after="86400"), ("503",)
    ),
    "503 with a date": Refused(
        http("503 Service Unavailable", retry_after="Fri, 31 Dec 2199 23:59:59 GMT"), ("503",)
    ),
    "503 with an invalid pause": Refused(
        http("503 Service Unavailable", retry_after="soon"), ("503",)
    ),
    "a broken connection": Refused(reset, ("the connection broke before an answer",)),
    "bytes of another protocol": Refused(b"\x99\x01garbage\r\n\r\n", ("the connection broke",)),
    "a frame of HTTP/2": Refused(
        closing(b"\x00\x00\x18\x04\x00\x00\x00\x00\x00"),
        ("HTTP/2", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
    ),
    "a body that trickles in": Refused(trickle, ("within the timeout",)),
    "headers that trickle in": Refused(trickle_headers, ("within the timeout",)),
}


class TestAnswers:
    @pytest.mark.parametrize("signal", SIGNALS)
    @pytest.mark.parametrize("name", ACCEPTED)
    def test_success_is_neither_logged_nor_counted(
        self, signal: Signal, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An answer of success is neither logged nor counted."""
        with RawServer(ACCEPTED[name]) as server:
            export = WatchedExport(signal, server.url)

            assert (True, True) == (export.send(), export.send())
        assert (0.0, [], 2) == (export.faults.count(), logged(caplog), len(server.requests))

    @pytest.mark.parametrize("signal", SIGNALS)
    @pytest.mark.parametrize("name", REFUSED)
    def test_anything_else_is_counted_and_logged_once_with_cause(
        self, signal: Signal, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Any other answer counts all items, and is logged once with its cause."""
        refused = REFUSED[name]
        with RawServer(refused.answer) as server:
            export = WatchedExport(signal, server.url)
            began = time.monotonic()

            assert not export.send()
            assert time.monotonic() - began < TIMEOUT + MARGIN
            assert not export.send()
        message = warning(caplog)

        assert (1.0 if signal == "metrics" else 5.0) * 2 == export.counted("undelivered")
        assert message.startswith(f"cannot export {signal} to {server.url}/v1/{signal}: ")
        assert [] == [words for words in refused.words if words not in message]

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_rejected_items_are_counted_and_logged_once(
        self, signal: Signal, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The rejected items of a batch are counted, and logged once with the receiver's text."""
        with RawServer(
            http("200 OK", partial(signal, 2, "quota"), content_type=PROTOBUF)
        ) as server:
            export = WatchedExport(signal, server.url)

            assert (True, True) == (export.send(), export.send())
        message = warning(caplog)

        assert (4.0, 4.0) == (export.counted("rejected"), export.faults.count())
        assert message.startswith(f"{server.url}/v1/{signal} rejected 2 of 5 ")
        assert ": quota; " in message

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_rejected_items_are_counted_from_compressed_answer(self, signal: Signal) -> None:
        """The rejected items are counted from an answer that is compressed by gzip."""
        body = gzip.compress(partial(signal, 2, "quota"))
        answer = http("200 OK", body, content_type=PROTOBUF, content_encoding="gzip")
        with RawServer(answer) as server:
            export = WatchedExport(signal, server.url)
            export.send()

        assert (2.0, 2.0) == (export.counted("rejected"), export.faults.count())

    def test_rejected_items_are_counted_from_answer_in_json(self) -> None:
        """The rejected items are counted from an answer in JSON, which has numbers as texts."""
        body = json.dumps({"partialSuccess": {"rejectedSpans": "3", "errorMessage": "x"}}).encode()
        with RawServer(http("200 OK", body, content_type=JSON)) as server:
            export = WatchedExport("traces", server.url)
            export.send()

        assert (3.0, 3.0) == (export.counted("rejected"), export.faults.count())

    @pytest.mark.parametrize(("rejected", "counted"), [(1 << 40, 5.0), (-7, 0.0)])
    def test_no_more_is_counted_than_was_sent(self, rejected: int, counted: float) -> None:
        """No more items are counted than were sent, whatever the receiver writes."""
        with RawServer(http("200 OK", partial("traces", rejected))) as server:
            export = WatchedExport("traces", server.url)
            export.send()

        assert counted == export.faults.count()

    def test_text_without_rejected_items_is_warning_that_counts_nothing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A text without rejected items is logged once, and counts nothing."""
        with RawServer(http("200 OK", partial("traces", 0, "use gzip"))) as server:
            export = WatchedExport("traces", server.url)

            assert (True, True) == (export.send(), export.send())
        assert 0.0 == export.faults.count()
        assert "rejected 0 of 5 spans: use gzip" in warning(caplog)

    def test_credentials_of_endpoint_are_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """The credentials and the query of an endpoint are not logged."""
        with RawServer(http("403 Forbidden")) as server:
            url = server.url.replace("http://", "http://ann:hunter2@") + "/otlp?key=hunter3"
            export = WatchedExport("traces", "", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=url)
            export.send()

        assert f"cannot export traces to {server.url}/otlp: status 403" in warning(caplog)
        assert b"Authorization: Basic YW5uOmh1bnRlcjI=" in server.requests[0]

    def test_long_text_of_receiver_ends_with_whole_word(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A long text of a receiver ends with a whole word."""
        text = ("tenant " * 500).encode()
        with RawServer(http("400 Bad Request", text, content_type="text/plain")) as server:
            WatchedExport("traces", server.url).send()
        message = warning(caplog)

        assert "tenant tenant ...; " in message
        assert len(message) < 800


class TestConnection:
    def test_connection_is_kept_for_next_export(self) -> None:
        """A connection is kept for the next export."""
        with RawServer(http("200 OK", partial("traces", 1)), http("200 OK")) as server:
            export = WatchedExport("traces", server.url)
            for _ in range(3):
                export.send()

        assert (3, 1) == (len(server.requests), server.connections)

    def test_connection_closed_between_exports_is_no_failure(self) -> None:
        """An export over a connection that the receiver has closed is sent again at once."""
        with RawServer(closing(http("200 OK"))) as server:
            export = WatchedExport("traces", server.url)

            assert [True] * 3 == [export.send() for _ in range(3)]
        assert 0.0 == export.faults.count()

    def test_connection_that_breaks_at_next_export_is_no_failure(self) -> None:
        """An export over a connection that breaks under the request is sent again at once."""
        with RawServer(http("200 OK"), reset, http("200 OK")) as server:
            export = WatchedExport("traces", server.url)

            assert [True] * 2 == [export.send() for _ in range(2)]
        assert (3, 2, 0.0) == (len(server.requests), server.connections, export.faults.count())

    def test_status_503_is_sent_again_after_pause_of_receiver(self) -> None:
        """A batch that met status 503 is sent again after the pause that the receiver demands."""
        busy = http("503 Service Unavailable", retry_after="0")
        with RawServer(busy, busy, http("200 OK")) as server:
            export = WatchedExport("traces", server.url, OTEL_EXPORTER_OTLP_TIMEOUT="20000")
            began = time.monotonic()

            assert export.send()
        assert (3, 0.0) == (len(server.requests), export.faults.count())
        assert time.monotonic() - began < 2  # the exporter's own pauses are 1 s and 2 s

    def test_gives_last_cause_after_retries(self, caplog: pytest.LogCaptureFixture) -> None:
        """The warning gives the last cause after several retries."""
        busy = http("503 Service Unavailable", retry_after="0")
        with RawServer(busy, busy, http("403 Forbidden")) as server:
            WatchedExport("traces", server.url, OTEL_EXPORTER_OTLP_TIMEOUT="20000").send()

        assert "status 403" in warning(caplog)

    @pytest.mark.parametrize(
        ("endpoint", "words"),
        [
            ("http://127.0.0.1:{port}", "nobody listens there (connection refused)"),
            ("http://nowhere.invalid:4318", "the name of the host is unknown"),
            ("https://{plain}", "without TLS at the receiver, write http://"),
        ],
    )
    def test_endpoint_that_cannot_be_reached_is_logged_with_cure(
        self, endpoint: str, words: str, closed_port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An endpoint that cannot be reached is logged with a cause and a cure."""
        with OtlpReceiver() as server:
            plain = server.url.removeprefix("http://")
            url = endpoint.format(port=closed_port, plain=plain)
            export = WatchedExport("traces", url)

            assert not export.send()
        assert words in warning(caplog)
        assert 5.0 == export.counted("undelivered")

    def test_wrong_path_is_logged_with_url(self, caplog: pytest.LogCaptureFixture) -> None:
        """A path without a receiver is logged with the whole URL."""
        with RawServer(http("404 Not Found")) as server:
            WatchedExport("metrics", f"{server.url}/collector").send()

        assert f"to {server.url}/collector/v1/metrics: status 404" in warning(caplog)


class TestEnvironment:
    def test_credentials_of_netrc_are_not_sent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The credentials of ~/.netrc are not sent, and do not replace those of the variables."""
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login ann password hunter2\n")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20token")
        with RawServer(http("200 OK")) as server:
            WatchedExport("traces", server.url).send()

        assert b"authorization: Bearer token" in server.requests[0]

    def test_proxy_of_environment_is_used_and_named_in_failure(
        self, monkeypatch: pytest.MonkeyPatch, closed_port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The proxy of the environment is used, and a proxy that does not answer is named."""
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
        WatchedExport("traces", "http://collector.example").send()

        assert "NO_PROXY" in warning(caplog)

    def test_proxy_gets_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy of the environment gets the request."""
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with RawServer(http("200 OK")) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)

            assert WatchedExport("traces", "http://collector.example").send()
        assert proxy.requests[0].startswith(b"POST http://collector.example/v1/traces HTTP/1.1")


class Provided(requests.Session):
    """A session with credentials."""

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        """Send a request with credentials."""
        options["headers"] = {**options["headers"], "authorization": "Bearer provided"}
        return super().request(*arguments, **options)


class TestCredentialProvider:
    VARIABLE = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER"

    def test_session_of_installed_provider_sends_requests(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The session of an installed credential provider sends the requests."""
        entry = SimpleNamespace(load=lambda: Provided)
        monkeypatch.setattr(otlp_http, "entry_points", lambda **_: [entry])
        monkeypatch.setenv(self.VARIABLE, "theirs")
        with RawServer(http("301 Moved", location="/x"), http("200 OK")) as server:
            export = WatchedExport("traces", server.url)

            assert (False, True) == (export.send(), export.send())
        assert b"authorization: Bearer provided" in server.requests[0]

    def test_provider_that_is_not_installed_is_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A credential provider that is not installed is an error with its name."""
        monkeypatch.setenv(self.VARIABLE, "theirs")

        with pytest.raises(ConfigurationError, match="no credential provider 'theirs'"):
            WatchedExport("traces", "http://localhost")


REQUEST = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
    "-addext subjectAltName=IP:127.0.0.1"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of its own authority for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [*REQUEST.split(), "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


class TestExplained:
    def test_text_of_error_has_no_credentials(self) -> None:
        """The text of an error has no credentials of the URL."""
        url = "http://ann:hunter2@collector/v1/traces?key=hunter3"
        error = explained(ValueError(f"cannot parse {url}"), url)

        assert "cannot parse http://collector/v1/traces" == str(error)


class TestTls:
    def test_certificate_of_otlp_has_precedence_over_that_of_requests(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """OTEL_EXPORTER_OTLP_CERTIFICATE has precedence over REQUESTS_CA_BUNDLE."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
        with RawServer(http("200 OK"), certificate=certificate) as server:
            export = WatchedExport("traces", server.url)

            assert (True, True) == (export.send(), export.send())
        assert 1 == server.connections

    def test_certificate_that_is_not_trusted_is_logged_with_cure(
        self, certificate: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A certificate that is not trusted is logged with the cure."""
        with RawServer(http("200 OK"), certificate=certificate) as server:
            assert not WatchedExport("traces", server.url).send()
        assert "not trusted" in (message := warning(caplog))
        assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in message

    def test_answer_that_trickles_in_ends_at_timeout(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An answer over TLS that trickles in ends at the timeout."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate))
        with RawServer(trickle, certificate=certificate) as server:
            export = WatchedExport("traces", server.url)
            began = time.monotonic()

            assert not export.send()
        assert time.monotonic() - began < TIMEOUT + MARGIN


class TestFork:
    def test_child_never_writes_on_connection_of_its_parent(self) -> None:
        """Forked children that export at the same time have connections of their own."""
        with RawServer(http("200 OK")) as server:
            export = WatchedExport("traces", server.url, OTEL_EXPORTER_OTLP_TIMEOUT="20000")
            export.send()  # the parent has a connection now
            children = []
            for _ in range(4):
                if (child := os.fork()) == 0:
                    os._exit(0 if export.send(50) and export.send(50) else 1)
                children.append(child)
            parent = export.send()
            codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

        assert ([0] * 4, True) == (codes, parent)
        assert (5, 10) == (server.connections, len(server.requests))
        assert 2 * 5 + 4 * 2 * 50 == sum(map(spans_in, server.requests))

    @pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
    def test_first_export_imports_nothing(
        self, script: Callable[..., Run], protocol: str, closed_port: int
    ) -> None:
        """The first export imports no module, whose import lock a forked child would wait for."""
        run = script(
            IMPORTS,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://localhost:{closed_port}",
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            OTEL_EXPORTER_OTLP_TIMEOUT="100",
        )

        assert (0, "[]\n") == (run.code, run.stdout)


IMPORTS = """
import sys
from opentelemetry import trace
import otel_meta

with otel_meta.configure("shop", log_stream=None) as telemetry:
    before = set(sys.modules)
    trace.get_tracer("shop").start_span("selling").end()
    telemetry.flush()
    print(sorted(set(sys.modules) - before))
"""


def spans_in(request: bytes) -> int:
    """Return the number of spans in a request."""
    message = ExportTraceServiceRequest.FromString(request.partition(b"\r\n\r\n")[2])
    return sum(len(each.spans) for r in message.resource_spans for each in r.scope_spans)
