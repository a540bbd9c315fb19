"""Queries over real sockets: what is sent, what is read, and one line for each failure."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from otel_meta.errors import BackendError
from otel_meta.fleet.answers import Sample
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.fleet.steps import Steps
from otel_meta.testing.loopback import LOOPBACK, free_port
from tests.fleet.http_answers import answer, closing, form_of, head_of, refusal, trickling
from tests.runtime.export.raw_server import Answer, RawServer, http

UP = {"metric": {"__name__": "up", "job": "a"}, "value": [100.5, "1"]}
UPS = {"metric": {"job": "a"}, "values": [[100, "1"], [160, "NaN"]]}
HALF = answer([UP])[:40]


def _failure(raw: Answer, **options: Any) -> str:
    """Return the error of a query, without the URL."""
    with RawServer(raw) as server:
        api = PrometheusApi(Connection(server.url, **options))
        with pytest.raises(BackendError) as caught:
            api.instant("up")
        text = str(caught.value)
    assert [text] == text.splitlines()
    assert text.startswith(f"{server.url}: ")
    return text.removeprefix(f"{server.url}: ")


class TestAnswers:
    def test_instant_query_has_labels_time_and_value(self) -> None:
        """An instant query returns the labels, the time and the value of each series."""
        with RawServer(http("200 OK", answer([UP]))) as server:
            found = PrometheusApi(Connection(server.url)).instant("up", at=100.5)

        assert (Sample({"__name__": "up", "job": "a"}, 100.5, 1.0),) == found
        (request,) = server.requests
        assert ("up", "100.500") == (form_of(request)["query"], form_of(request)["time"])
        assert "POST /api/v1/query HTTP/1.1" == head_of(request)[0]

    def test_prefix_of_the_url_is_kept(self) -> None:
        """A prefix in the URL, such as that of Mimir, stands before the path of the API."""
        with RawServer(http("200 OK", answer([]))) as server:
            PrometheusApi(Connection(f"{server.url}/prometheus/")).instant("up")

        assert "POST /prometheus/api/v1/query HTTP/1.1" == head_of(server.requests[0])[0]

    def test_long_range_is_asked_in_parts_and_joined(self) -> None:
        """A long range is asked in parts, and each series is returned once."""
        steps = Steps(0, 6_000, 1)
        with RawServer(http("200 OK", answer([UPS], "matrix"))) as server:
            found = PrometheusApi(Connection(server.url)).range("up", steps)

        assert [("0", "4999"), ("5000", "6000")] == [
            (form_of(one)["start"], form_of(one)["end"]) for one in server.requests
        ]
        assert [{"job": "a"}] == [one.labels for one in found]
        assert {100, 160} == found[0].values.keys()

    def test_info_of_a_query_is_no_failure(self) -> None:
        """A remark on the form of a query is no failure."""
        with RawServer(http("200 OK", answer([], infos=["no counter"]))) as server:
            assert () == PrometheusApi(Connection(server.url)).instant("up")


class TestCredentials:
    @pytest.mark.parametrize(
        ("options", "header"),
        [
            ({"token": "t0ken"}, "authorization: Bearer t0ken"),
            ({"user": ("ann", "pass word")}, "authorization: Basic YW5uOnBhc3Mgd29yZA=="),
            ({"tenant": "shop|web"}, "x-scope-orgid: shop|web"),
            ({"headers": {"X-Key": "a"}}, "x-key: a"),
        ],
        ids=["token", "user", "tenant", "header"],
    )
    def test_header_is_sent(self, options: Any, header: str) -> None:
        """Each kind of credentials is sent in its header."""
        with RawServer(http("200 OK", answer([]))) as server:
            PrometheusApi(Connection(server.url, **options)).instant("up")

        assert header in head_of(server.requests[0])

    def test_user_of_the_url_is_sent_and_never_shown(self) -> None:
        """A name and password in the URL are sent, and are in no error and no repr."""
        with RawServer(http("403 Forbidden")) as server:
            connection = Connection(server.url.replace("//", "//ann:s%40cret@"))
            with pytest.raises(BackendError) as caught:
                PrometheusApi(connection).instant("up")

        assert "authorization: Basic YW5uOnNAY3JldA==" in head_of(server.requests[0])
        assert "cret" not in f"{caught.value} {connection!r} {connection.url}"

    def test_netrc_of_the_user_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file .netrc adds no credentials that nobody gave."""
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        with RawServer(http("200 OK", answer([]))) as server:
            PrometheusApi(Connection(server.url)).instant("up")

        assert "authorization" not in str(head_of(server.requests[0]))


class TestFailures:
    @pytest.mark.parametrize(
        ("raw", "said"),
        [
            (http("401 Said", b"no org id"), "wants credentials (401); give a token or a user"),
            (http("403 Said"), "forbids the query (403); use credentials that may read"),
            (
                http("404 Said", b"404 page"),
                "has no Prometheus API at this address (404); give the",
            ),
            (http("405 Said"), "takes no POST at this address (405); give the base URL"),
            (http("400 Said", refusal("bad\nthing")), "refuses a query (400): bad thing; check"),
            (
                http("422 Said", refusal("too many")),
                "cannot evaluate a query (422): too many; raise",
            ),
            (http("429 Said"), "answers no more queries for now (429); ask again later"),
            (http("500 Said"), "fails (500); ask again later, or look into the log"),
            (http("502 Said", b"<html>"), "fails (502); ask again later, or look into the log"),
            (
                http("503 Said", refusal("query timed out")),
                "is not ready or ran out of time (503): query timed out; ask again later",
            ),
            (
                http("302 Found", location="https://u:p@sso/login?token=x"),
                "sends the query to https://sso/login (302); give the address that answers",
            ),
            (
                http("200 Said", b"<!doctype html>"),
                "answers with a page of HTML, such as that of a",
            ),
            (http("200 Said", HALF), "gives half an answer; "),
            (http("200 Said", b"ok"), "gives an answer that is no JSON; give the base URL"),
            (
                http("200 Said", b"[]"),
                "answers, but in another form than Prometheus does; give the",
            ),
            (
                http("200 Said", b"{}"),
                "answers, but in another form than Prometheus does; give the",
            ),
            (http("200 Said", answer([{"metric": 1}])), "answers, but in another form than"),
            (http("200 Said", answer([{"metric": {}}])), "answers, but in another form than"),
            (
                http("200 Said", answer([], "matrix")),
                "answers with a matrix, where a vector belongs",
            ),
            (
                http("200 Said", answer([UP], warnings=["store a: gone"])),
                "has only a part of the data: store a: gone; wait until each of its stores",
            ),
            (http("200 Said", answer([UP], isPartial=True)), "has only a part of the data; wait"),
            (
                closing(http("200 OK", answer([UP]))[:-9]),
                "ends its answer early, or speaks no HTTP; check",
            ),
            (
                closing(b"SSH-2.0-OpenSSH\r\n"),
                "ends its answer early, or speaks no HTTP; check the port",
            ),
            (
                closing(b""),
                "ends its answer early, or speaks no HTTP; check the port and the proxies",
            ),
        ],
    )
    def test_failure_is_one_line_with_the_way_to_mend_it(self, raw: bytes, said: str) -> None:
        """Each failure is one line: the URL, what went wrong, and how to mend it."""
        assert _failure(raw).startswith(said)

    def test_refused_credentials_are_not_asked_for_again(self) -> None:
        """A server that refuses given credentials has another line than one that wants some."""
        said = _failure(http("401 Said"), token="wrong")

        assert said.startswith("does not accept the credentials (401); check the token")
        assert "wrong" not in said

    def test_text_of_a_server_is_cut_and_has_no_control_characters(self) -> None:
        """The text of a server is cut, and cannot move the cursor of a terminal."""
        said = _failure(http("400 Said", refusal("\x1b[2J" + "x" * 1_000)))

        assert said.isprintable()
        assert len(said) < 400

    def test_server_that_is_down_is_one_line(self) -> None:
        """A port on which nobody listens is one line."""
        api = PrometheusApi(Connection(f"http://{LOOPBACK}:{free_port()}"))
        with pytest.raises(BackendError, match="cannot be reached: Connection refused; start"):
            api.instant("up")

    def test_unknown_host_is_one_line(self) -> None:
        """A name that is not known is one line."""
        with pytest.raises(BackendError, match="has a name that is not known; correct"):
            PrometheusApi(Connection("http://prometheus.invalid")).instant("up")

    @pytest.mark.parametrize("slow", [b"", trickling], ids=["silent", "endless"])
    def test_server_that_does_not_end_its_answer_is_given_up(self, slow: Answer) -> None:
        """A server that never answers, or never ends its answer, is given up."""
        began = time.monotonic()

        assert _failure(slow, timeout=0.3).startswith("does not answer within 0.3 s; give a longer")
        assert time.monotonic() - began < 3

    def test_answer_beyond_the_limit_is_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An answer that is too large is one line, and is not kept."""
        monkeypatch.setattr("otel_meta.fleet.http_request._LARGEST", 0)

        assert _failure(http("200 OK", answer([UP]))).startswith("answers with more than 0 MB; ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of its own authority for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = f"{_REQUEST} -keyout {path} -out {path.with_suffix('.crt')}".split()
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


_REQUEST = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
    "-addext subjectAltName=IP:127.0.0.1"
)


class TestTls:
    def test_authority_of_the_file_is_trusted(self, certificate: Path) -> None:
        """A server with a certificate of the given authority is asked."""
        with RawServer(http("200 OK", answer([])), certificate=certificate) as server:
            connection = Connection(server.url, ca_file=certificate.with_suffix(".crt"))

            assert () == PrometheusApi(connection).instant("up")

    def test_unknown_authority_is_one_line(self, certificate: Path) -> None:
        """A certificate of another authority is one line that asks for the file."""
        with (
            RawServer(http("200 OK", answer([])), certificate=certificate) as server,
            pytest.raises(BackendError, match=r"is not trusted: self.signed .*; give the file"),
        ):
            PrometheusApi(Connection(server.url)).instant("up")

    def test_server_without_tls_is_one_line(self) -> None:
        """An https:// address of a server without TLS is one line."""
        with socket.create_server((LOOPBACK, 0)) as listening:
            Thread(target=_refuse_a_handshake, args=(listening,)).start()
            url = f"https://{LOOPBACK}:{listening.getsockname()[1]}"
            with pytest.raises(BackendError, match="speaks no TLS; write http://"):
                PrometheusApi(Connection(url)).instant("up")


def _refuse_a_handshake(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
