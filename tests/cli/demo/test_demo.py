"""The demo as its users run it: a program that starts others, and leaves none behind."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

if TYPE_CHECKING:
    from tests.cli.demo.conftest import Mark

PATIENCE = 40.0
"""Seconds until a demo that does not answer is given up."""
CLEAR = "\x1b[H\x1b[2J"
ADDRESS = re.compile(r"^http://127\.0\.0\.1:(\d+)(/metrics|/slo)$", re.MULTILINE)
CONTROLLED = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Demo:
    """A demo under way, away from a terminal."""

    def __init__(self, program: Path, mark: Mark, environment: dict[str, str], length: str) -> None:
        self.mark = mark
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            [program, "demo", "--stack", "no", "--for", length],
            env=environment | mark.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._out: list[str] = []
        self._err: list[str] = []
        self._readers = [
            self._reader(self._process.stdout, self._out),
            self._reader(self._process.stderr, self._err),
        ]

    @property
    def out(self) -> str:
        """Standard output so far."""
        return "".join(self._out)

    @property
    def err(self) -> str:
        """Standard error so far."""
        return "".join(self._err)

    def says(self, text: str, times: int = 1, seconds: float = PATIENCE) -> bool:
        """Whether a text is printed so many times, soon."""
        deadline = time.monotonic() + seconds
        while self.out.count(text) < times and self._process.poll() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return self.out.count(text) >= times

    def send(self, number: int) -> None:
        """Send a signal to it, and not to those that it started."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait until it ends; its exit code."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def close(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self.mark.kill()
        self.end()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    @staticmethod
    def _reader(stream: IO[str] | None, lines: list[str]) -> threading.Thread:
        assert stream is not None
        reader = threading.Thread(target=lines.extend, args=(stream,), daemon=True)
        reader.start()
        return reader


class Terminal:
    """A terminal in which a demo runs."""

    def __init__(self, program: Path, mark: Mark, environment: dict[str, str]) -> None:
        self.shown = ""
        self._screen, inside = os.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLED, program, "demo", "--stack", "no", "--for", "60s"],
            env=environment | mark.environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)

    def shows(self, text: str, times: int = 1) -> bool:
        """Whether a text is shown so many times, soon."""
        deadline = time.monotonic() + PATIENCE
        while self.shown.count(text) < times and time.monotonic() < deadline and self._read():
            pass
        return self.shown.count(text) >= times

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._screen, keys)

    def end(self) -> int:
        """Wait until the demo ends; its exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """Close the window."""
        with suppress(OSError):
            os.close(self._screen)

    def kill(self) -> None:
        """End the demo, if it has not ended."""
        self.close()
        self._process.kill()
        self._process.wait()

    def _read(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], PATIENCE)
        with suppress(OSError):  # nobody writes any more
            read = os.read(self._screen, 1 << 16).decode() if ready else ""
            self.shown += read
            return bool(read)
        return False


Begin = Callable[..., Demo]


def fetch(url: str) -> bytes:
    """What is answered, be it an error."""
    with suppress(HTTPError), build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
        read: bytes = answer.read()
        return read
    return b""


@pytest.fixture(scope="module")
def begin(
    program: Path, environment: dict[str, str], new_mark: Callable[[], Mark]
) -> Iterator[Begin]:
    """Begins demos; those that have not ended are ended."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignoring is inherited
    with ExitStack() as stack:

        def start(length: str, **given: str) -> Demo:
            demo = Demo(program, new_mark(), environment | given, length)
            stack.callback(demo.close)
            return demo

        yield start
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module", autouse=True)
def played(begin: Begin) -> Demo:
    """A demo from beginning to end, which plays while the other tests run."""
    demo = begin("12s")
    demo.says("12 s; Ctrl-C ends it")
    return demo


@pytest.fixture(scope="module", autouse=True)
def pages(played: Demo) -> list[bytes]:
    """What stands at its addresses meanwhile."""
    return [fetch(found[0]) for found in ADDRESS.finditer(played.out)]


class TestEnd:
    """However it ends, nothing is left."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_signal(self, begin: Begin, number: signal.Signals) -> None:
        """Asked to end in the middle, it ends well and in order."""
        demo = begin("60s")
        assert demo.says("60 s; Ctrl-C ends it")
        alive = len(demo.mark.processes("uvicorn"))
        demo.send(number)

        assert (0, "") == (demo.end(), demo.err)
        assert 2 == alive
        assert demo.mark.gone()

    @pytest.mark.parametrize(("number", "started"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
    def test_beginning(self, begin: Begin, number: signal.Signals, started: int) -> None:
        """So it does in the moment in which a service has just been started."""
        demo = begin("60s")
        while len(demo.mark.processes("uvicorn")) < started:
            assert time.monotonic() < demo.began + PATIENCE, demo.err
        demo.send(number)

        assert (0, "") == (demo.end(), demo.err)
        assert demo.mark.gone()

    def test_impatience(self, begin: Begin) -> None:
        """Asked once more while it ends, it still ends all that it started."""
        demo = begin("60s")
        assert demo.says("60 s; Ctrl-C ends it")
        demo.send(signal.SIGINT)
        time.sleep(0.2)
        demo.send(signal.SIGINT)
        demo.end()

        assert "" == demo.err
        assert demo.mark.gone()

    def test_reader(self, program: Path, mark: Mark, environment: dict[str, str]) -> None:
        """`otel-meta demo | head -1` ends it, once there is more to say."""
        streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(
            [program, "demo", "--stack", "no", "--for", "8s"],
            env=environment | mark.environment,
            **streams,
        ) as shown:
            first = shown.stdout.readline()
            shown.stdout.close()
            errors = shown.stderr.read()

        assert (0, "") == (shown.returncode, errors)
        assert first.endswith("/metrics\n")
        assert mark.gone()


class TestTerminal:
    @pytest.fixture
    def terminal(
        self, program: Path, mark: Mark, environment: dict[str, str]
    ) -> Iterator[Terminal]:
        """A terminal with a demo in it."""
        terminal = Terminal(program, mark, environment)
        yield terminal
        terminal.kill()

    def test_redraws(self, terminal: Terminal, mark: Mark) -> None:
        """On a terminal, each board is drawn over the one before, until Ctrl-C."""
        assert terminal.shows(CLEAR, times=2)
        terminal.type(b"\x03")
        code = terminal.end()
        screens = terminal.shown.split(CLEAR)[1:-1]

        assert 0 == code
        assert "Traceback" not in terminal.shown
        assert [] == [screen for screen in screens if "without a fault" not in screen]
        assert [] == [screen for screen in screens if "titan-service-availability" not in screen]
        assert mark.gone()

    def test_closed(self, terminal: Terminal, mark: Mark) -> None:
        """When its window is closed, nothing is left."""
        assert terminal.shows(CLEAR)
        terminal.close()

        assert mark.gone(12)


class TestPlace:
    """Where it runs."""

    def test_ports(self, begin: Begin) -> None:
        """Where its ports are taken, it picks others."""
        with ExitStack() as stack:
            for port in (8001, 8002):
                with suppress(OSError):  # then somebody else has it
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            demo = begin("60s")
            assert demo.says("/slo\n", times=2)
            demo.send(signal.SIGTERM)
            ports = {found[1] for found in ADDRESS.finditer(demo.out)}

        assert 0 == demo.end()
        assert 2 == len(ports)
        assert not {"8001", "8002"} & ports

    def test_environment(self, begin: Begin) -> None:
        """What this shell says about telemetry is for other services than the demo's."""
        given = {
            "OTEL_SDK_DISABLED": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_EXPORTER_PROMETHEUS_PORT": "9464",
            "OTEL_TRACES_SAMPLER": "always_off",
        }
        demo = begin("60s", **given)
        assert demo.says("60 s; Ctrl-C ends it"), demo.err
        address = ADDRESS.search(demo.out)
        assert address
        metrics = fetch(address[0])
        services = [Path(f"/proc/{pid}/environ") for pid in demo.mark.processes("uvicorn")]
        found = b"\0".join(service.read_bytes() for service in services)
        demo.send(signal.SIGTERM)

        assert b"# TYPE" in metrics
        assert [] == [name for name in given if f"{name}=".encode() in found]
        assert (0, "") == (demo.end(), demo.err)

    def test_proxy(self, begin: Begin) -> None:
        """A proxy for the internet has nothing to do with loopback: traces arrive all the same."""
        demo = begin("4s", http_proxy="http://127.0.0.1:9")

        assert (0, "") == (demo.end(), demo.err)
        assert "two processes:" in demo.out

    def test_cannot_start(self, begin: Begin) -> None:
        """A service that cannot start is one line, exit code 2, and the end of the other one."""
        demo = begin("60s", STOREFRONT_DB="/no/such/folder/orders.db")

        assert (2, "") == (demo.end(), demo.out)
        assert re.fullmatch(r"otel-meta: storefront did not start: sqlite3.*\n", demo.err)
        assert demo.mark.gone()

    def test_service_dies(self, begin: Begin) -> None:
        """A service that dies in the middle is one line, exit code 2, and the end of the other."""
        demo = begin("8s")
        assert demo.says("8 s; Ctrl-C ends it")
        (pid,) = demo.mark.processes("payments:app")
        os.kill(pid, signal.SIGKILL)

        assert 2 == demo.end()
        assert re.fullmatch(r"otel-meta: .*payments.*\n", demo.err), demo.err
        assert demo.mark.gone()


class TestPlayed:
    """What a demo shows from beginning to end."""

    def test_end(self, played: Demo) -> None:
        """It ends by itself, on time, without complaint, and nothing is left."""
        assert (0, "") == (played.end(), played.err)
        assert played.mark.gone()
        assert "\x1b" not in played.out

    def test_addresses(self, played: Demo) -> None:
        """It says first where both services have /metrics and /slo."""
        addresses = ADDRESS.findall("\n".join(played.out.splitlines()[:4]))

        assert ["/metrics", "/slo", "/metrics", "/slo"] == [path for _, path in addresses]
        assert 2 == len({port for port, _ in addresses})

    def test_pages(self, pages: list[bytes]) -> None:
        """What stands there is what the addresses say."""
        assert [b"# HELP"] * 2 == [page[:6] for page in pages[::2]]
        assert ["storefront", "payments"] == [json.loads(p)["service_name"] for p in pages[1::2]]

    def test_acts(self, played: Demo) -> None:
        """All is well, then the card network breaks, then it is mended."""
        played.end()

        assert [
            "traffic starts, without a fault",
            "fault: 70 % of calls to the card network fail",
            "the fault is over; the error budget that it used stays used",
        ] == re.findall(r"^ +\d+ s  (.*)$", played.out, re.MULTILINE)

    def test_breach(self, played: Demo) -> None:
        """The promise of payments holds, is broken with the fault, and stays broken."""
        played.end()
        states = re.findall(
            r"^payments +titan-service-availability +99.9% +(\w+)", played.out, re.MULTILINE
        )

        assert ["ok", "breached"] == [s for s, _ in groupby(states) if s != "no_data"]

    def test_promises(self, played: Demo) -> None:
        """Every promise of both services is on every board."""
        played.end()
        boards = played.out.split("SERVICE ")[1:]

        assert 4 <= len(boards) <= 12
        assert {(5, 4)} == {(b.count("\nstorefront "), b.count("\npayments ")) for b in boards}

    def test_trace(self, played: Demo) -> None:
        """It closes with a trace over two processes, and log lines of both that bear its id."""
        played.end()
        tail = re.search(
            r"^Trace ([0-9a-f]{32}), two processes:\n(.*)\n\nLog lines with its id:\n(.*)\Z",
            played.out,
            re.DOTALL | re.MULTILINE,
        )
        assert tail
        spans = [line.split(":")[0].strip() for line in tail[2].splitlines()]
        lines = [json.loads(line) for line in tail[3].splitlines()]

        assert {"storefront", "payments"} == set(spans)
        assert {tail[1]} == {line["trace_id"] for line in lines}
        assert {"storefront", "payments"} == {line["service_name"] for line in lines}
        assert {"order placed", "payment settled"} <= {line["event"] for line in lines}
