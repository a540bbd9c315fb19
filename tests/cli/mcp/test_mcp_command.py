"""``otel-meta mcp`` as a process: its transports, its output, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import pytest
from mcp import Client

from otel_meta.testing.loopback import open_url
from tests.cli.conftest import Command, Refused, Write
from tests.cli.mcp.mcp_client import connected

NOISY = """\
import sys
from otel_meta import MetaRepo
print("printed at import")
class Noisy(MetaRepo, name="noisy", owner="us"):
    pass
"""
WITHOUT_SDK = """\
import sys
sys.modules["mcp"] = None  # as if it were not installed
from otel_meta.cli import main
raise SystemExit(main(["mcp"]))
"""
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture(autouse=True)
def _signal_is_not_ignored() -> Iterator[None]:
    """SIGINT as on a terminal: a child inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def started(
    environment: dict[str, str], folder: Path, *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    """Start the command."""
    with subprocess.Popen(
        [sys.executable, "-m", "otel_meta", "mcp", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def send(process: subprocess.Popen[str], message: Any) -> None:
    """Send a message."""
    assert process.stdin
    process.stdin.write(f"{json.dumps(message)}\n")
    process.stdin.flush()


def receive(process: subprocess.Popen[str]) -> Any:
    """Return the next message."""
    assert process.stdout
    return json.loads(process.stdout.readline())


class TestStandardStreams:
    def test_output_is_the_protocol_alone(
        self, write: Write, environment: dict[str, str], tmp_path: Path
    ) -> None:
        """What a module prints while it is imported is on standard error."""
        write("noisy", NOISY)
        with started(environment, tmp_path, "--only", "--repo", "noisy:Noisy") as process:
            send(process, INITIALIZE)
            assert 1 == receive(process)["id"]
            _, err = process.communicate(timeout=30)

        assert "printed at import\n" == err

    def test_ctrl_c_ends_without_a_line(self, environment: dict[str, str], tmp_path: Path) -> None:
        """Ctrl-C ends a server that waits for messages at once, with code 0 and without a line."""
        with started(environment, tmp_path) as process:
            send(process, INITIALIZE)
            assert "otel-meta" == receive(process)["result"]["serverInfo"]["name"]
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)

        assert (0, "", "") == (process.returncode, out, err)

    def test_closed_input_ends_without_a_line(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        """A client that closes its end ends the server, with code 0 and without a line."""
        with started(environment, tmp_path) as process:
            out, err = process.communicate(timeout=30)

        assert (0, "", "") == (process.returncode, out, err)

    def test_closed_output_ends_without_a_line(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        """A client that reads no more ends the server, although its other end stays open."""
        with started(environment, tmp_path) as process:
            send(process, INITIALIZE)
            receive(process)
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            send(process, PING)

            assert 0 == process.wait(timeout=30)
            assert "" == process.stderr.read()

    def test_wrong_option_is_one_line(self, refused: Refused) -> None:
        """A wrong option is one line, and nothing is on standard output."""
        assert "'ftp://x' is not a URL" in refused("mcp", "--prometheus", "ftp://x")

    def test_missing_sdk_is_one_line(self, environment: dict[str, str], tmp_path: Path) -> None:
        """Without the SDK the command is one line with the pip command, and exit code 2."""
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_SDK],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )

        assert (2, "") == (done.returncode, done.stdout)
        assert "otel-meta: The MCP server needs: pip install 'otel_meta[mcp]'\n" == done.stderr


class TestHttp:
    @pytest.fixture
    def url(self, environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
        """The URL of a server over HTTP, which Ctrl-C ends with code 0 and without a line."""
        with started(environment, tmp_path, "--port", "0") as process:
            assert process.stdout
            yield process.stdout.readline().split()[0]
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)

        assert (0, "", "") == (process.returncode, out, err)

    def refusal(self, url: str, **headers: str) -> int:
        """Return the status of a request with other headers."""
        usual = {"Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps(INITIALIZE).encode()
        with pytest.raises(HTTPError) as caught:
            open_url(Request(url, body, {**usual, **headers}), timeout=30)
        caught.value.close()
        return caught.value.code

    def test_tools_are_served_over_http(self, url: str) -> None:
        """A client of the SDK gets answers over HTTP."""
        with connected(Client(url)) as client:
            assert 1 == len(client.answer("list_slos", limit=1)["slos"])

    def test_request_by_another_name_is_refused(self, url: str) -> None:
        """A request that names another host, as after DNS rebinding, is refused."""
        assert 421 == self.refusal(url, Host="attacker.example")

    def test_request_of_a_page_is_refused(self, url: str) -> None:
        """A request of a page in a browser is refused."""
        assert 403 == self.refusal(url, Origin="http://localhost:3000")

    def test_used_port_is_one_line(self, otel_meta: Command) -> None:
        """A port in use is one line, and exit code 2."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            done = otel_meta("mcp", "--port", str(other.getsockname()[1]))

        assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
        assert "choose another --port" in done.stderr
