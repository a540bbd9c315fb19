"""The demo as a program: it starts processes and leaves none behind."""

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

import pytest

from otel_meta.testing.loopback import open_url

if TYPE_CHECKING:
    from tests.cli.demo.conftest import Mark

PATIENCE = 40.0
"""Seconds until a demo without progress is a failure."""
CLEAR = "\x1b[H\x1b[2J"
ADDRESS = re.compile(r"^http://127\.0\.0\.1:(\d+)(/metrics|/slo)$", re.MULTILINE)
CONTROLLED = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Demo:
    """A running demo without a terminal."""

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
        """Standard output until now."""
        return "".join(self._out)

    @property
    def err(self) -> str:
        """Standard error until now."""
        return "".join(self._err)

    def prints(self, text: str, times: int = 1, seconds: float = PATIENCE) -> bool:
        """Return True if a text is printed so many times in time."""
        deadline = time.monotonic() + seconds
        while self.out.count(text) < times and self._process.poll() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return self.out.count(text) >= times

    def send(self, number: int) -> None:
        """Send a signal to the demo, not to its services."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def close(self) -> None:
        """Kill the demo if it is running."""
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
    """A terminal with a running demo."""

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
        """Return True if a text is shown so many times in time."""
        deadline = time.monotonic() + PATIENCE
        while self.shown.count(text) < times and time.monotonic() < deadline and self._read():
            pass
        return self.shown.count(text) >= times

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._screen, keys)

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """Close the terminal."""
        with suppress(OSError):
            os.close(self._screen)

    def kill(self) -> None:
        """Kill the demo if it is running."""
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


StartDemo = Callable[..., Demo]


def fetch(url: str) -> bytes:
    """Return the body of a response; empty for an error."""
    with suppress(HTTPError), open_url(url, timeout=5) as answer:
        read: bytes = answer.read()
        return read
    return b""


@pytest.fixture(scope="module")
def start_demo(
    program: Path, environment: dict[str, str], new_mark: Callable[[], Mark]
) -> Iterator[StartDemo]:
    """Function that starts demos; at the end they are killed."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignoring is inherited
    with ExitStack() as stack:

        def start(length: str, **given: str) -> Demo:
            demo = Demo(program, new_mark(), environment | given, length)
            stack.callback(demo.close)
            return demo

        yield start
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module", autouse=True)
def complete_demo(start_demo: StartDemo) -> Demo:
    """A demo of 12 seconds that runs during the other tests."""
    demo = start_demo("12s")
    demo.prints("12 s; Ctrl-C ends it")
    return demo


@pytest.fixture(scope="module", autouse=True)
def pages(complete_demo: Demo) -> list[bytes]:
    """The pages at the addresses of the running demo."""
    return [fetch(found[0]) for found in ADDRESS.finditer(complete_demo.out)]


class TestEnd:
    """No process is left after any kind of end."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_signal_ends_demo_with_exit_code_0_and_without_error(
        self, start_demo: StartDemo, number: signal.Signals
    ) -> None:
        """A signal ends the demo with exit code 0 and without an error."""
        demo = start_demo("60s")
        assert demo.prints("60 s; Ctrl-C ends it")
        alive = len(demo.mark.processes("uvicorn"))
        demo.send(number)

        assert (0, "") == (demo.end(), demo.err)
        assert 2 == alive
        assert demo.mark.gone()

    @pytest.mark.parametrize(("number", "started"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
    def test_signal_directly_after_start_of_service_ends_demo(
        self, start_demo: StartDemo, number: signal.Signals, started: int
    ) -> None:
        """A signal directly after the start of a service ends the demo."""
        demo = start_demo("60s")
        while len(demo.mark.processes("uvicorn")) < started:
            assert time.monotonic() < demo.began + PATIENCE, demo.err
        demo.send(number)

        assert (0, "") == (demo.end(), demo.err)
        assert demo.mark.gone()

    def test_second_signal_during_end_leaves_no_process(self, start_demo: StartDemo) -> None:
        """A second signal during the end leaves no process."""
        demo = start_demo("60s")
        assert demo.prints("60 s; Ctrl-C ends it")
        demo.send(signal.SIGINT)
        time.sleep(0.2)
        demo.send(signal.SIGINT)
        demo.end()

        assert "" == demo.err
        assert demo.mark.gone()

    def test_otel_meta_demo_head_1_ends_at_its_next_output(
        self, program: Path, mark: Mark, environment: dict[str, str]
    ) -> None:
        """`otel-meta demo | head -1` ends at its next output."""
        streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(
            [program, "demo", "--stack", "no", "--for", "8s"],
            env=environment | mark.environment,
            **streams,
        ) as shown:
            assert shown.stdout is not None
            assert shown.stderr is not None
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
        """A terminal with a demo."""
        terminal = Terminal(program, mark, environment)
        yield terminal
        terminal.kill()

    def test_on_terminal_each_table_replaces_last_one_until_ctrl_c(
        self, terminal: Terminal, mark: Mark
    ) -> None:
        """On a terminal each table replaces the last one, until Ctrl-C."""
        assert terminal.shows(CLEAR, times=2)
        terminal.type(b"\x03")
        code = terminal.end()
        screens = terminal.shown.split(CLEAR)[1:-1]

        assert 0 == code
        assert "Traceback" not in terminal.shown
        assert [] == [screen for screen in screens if "without a fault" not in screen]
        assert [] == [screen for screen in screens if "titan-service-availability" not in screen]
        assert mark.gone()

    def test_closing_terminal_leaves_no_process(self, terminal: Terminal, mark: Mark) -> None:
        """Closing the terminal leaves no process."""
        assert terminal.shows(CLEAR)
        terminal.close()

        assert mark.gone(12)


class TestSurroundings:
    """Ports, environment and failures of services."""

    def test_if_its_ports_are_in_use_demo_chooses_others(self, start_demo: StartDemo) -> None:
        """If its ports are in use, the demo chooses others."""
        with ExitStack() as stack:
            for port in (8001, 8002):
                with suppress(OSError):  # then somebody else has it
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            demo = start_demo("60s")
            assert demo.prints("/slo\n", times=2)
            demo.send(signal.SIGTERM)
            ports = {found[1] for found in ADDRESS.finditer(demo.out)}

        assert 0 == demo.end()
        assert 2 == len(ports)
        assert not {"8001", "8002"} & ports

    def test_otel_variables_of_shell_are_not_passed_to_services(
        self, start_demo: StartDemo
    ) -> None:
        """OTEL_ variables of the shell are not passed to the services."""
        given = {
            "OTEL_SDK_DISABLED": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_EXPORTER_PROMETHEUS_PORT": "9464",
            "OTEL_TRACES_SAMPLER": "always_off",
        }
        demo = start_demo("60s", **given)
        assert demo.prints("60 s; Ctrl-C ends it"), demo.err
        address = ADDRESS.search(demo.out)
        assert address
        metrics = fetch(address[0])
        services = [Path(f"/proc/{pid}/environ") for pid in demo.mark.processes("uvicorn")]
        found = b"\0".join(service.read_bytes() for service in services)
        demo.send(signal.SIGTERM)

        assert b"# TYPE" in metrics
        assert [] == [name for name in given if f"{name}=".encode() in found]
        assert (0, "") == (demo.end(), demo.err)

    def test_proxies_of_environment_are_not_used_for_traces(self, start_demo: StartDemo) -> None:
        """Proxies of the environment are not used for traces."""
        demo = start_demo("4s", http_proxy="http://127.0.0.1:9")

        assert (0, "") == (demo.end(), demo.err)
        assert "two processes:" in demo.out

    def test_service_that_cannot_start_is_error_of_one_line(self, start_demo: StartDemo) -> None:
        """A service that cannot start is an error of one line, and ends the demo."""
        demo = start_demo("60s", STOREFRONT_DB="/no/such/folder/orders.db")

        assert (2, "") == (demo.end(), demo.out)
        assert re.fullmatch(r"otel-meta: storefront did not start: sqlite3.*\n", demo.err)
        assert demo.mark.gone()

    def test_service_that_dies_is_error_of_one_line_and_ends(self, start_demo: StartDemo) -> None:
        """A service that dies is an error of one line, and ends the demo."""
        demo = start_demo("8s")
        assert demo.prints("8 s; Ctrl-C ends it")
        (pid,) = demo.mark.processes("payments:app")
        os.kill(pid, signal.SIGKILL)

        assert 2 == demo.end()
        assert re.fullmatch(r"otel-meta: .*payments.*\n", demo.err), demo.err
        assert demo.mark.gone()


class TestOutput:
    """Output of a complete demo."""

    def test_demo_ends_by_itself_without_error_and_leaves_no_process(
        self, complete_demo: Demo
    ) -> None:
        """The demo ends by itself without an error, and leaves no process."""
        assert (0, "") == (complete_demo.end(), complete_demo.err)
        assert complete_demo.mark.gone()
        assert "\x1b" not in complete_demo.out

    def test_first_lines_are_addresses_of_metrics_and_slo(self, complete_demo: Demo) -> None:
        """The first lines are the addresses of /metrics and /slo."""
        addresses = ADDRESS.findall("\n".join(complete_demo.out.splitlines()[:4]))

        assert ["/metrics", "/slo", "/metrics", "/slo"] == [path for _, path in addresses]
        assert 2 == len({port for port, _ in addresses})

    def test_addresses_have_pages_of_their_services(self, pages: list[bytes]) -> None:
        """The addresses have the pages of their services."""
        assert [b"# HELP"] * 2 == [page[:6] for page in pages[::2]]
        assert ["storefront", "payments"] == [json.loads(p)["service_name"] for p in pages[1::2]]

    def test_phases_are_no_fault_fault_recovery(self, complete_demo: Demo) -> None:
        """The phases are no fault, fault, recovery."""
        complete_demo.end()

        assert [
            "traffic starts, without a fault",
            "fault: 70 % of calls to the card network fail",
            "the fault has ended; the spent error budget stays spent",
        ] == re.findall(r"^ +\d+ s  (.*)$", complete_demo.out, re.MULTILINE)

    def test_slo_of_payments_is_met_until_fault_and_not_met(self, complete_demo: Demo) -> None:
        """The SLO of payments is met until the fault, and not met from then on."""
        complete_demo.end()
        states = re.findall(
            r" payments +titan-service-availability +99.9% in 30d +\S+ (\w+)", complete_demo.out
        )

        assert ["ok", "at_risk"] == [s for s, _ in groupby(states) if s != "no_data"]

    def test_every_table_has_all_slos_of_both_services(self, complete_demo: Demo) -> None:
        """Every table has all SLOs of both services."""
        complete_demo.end()
        tables = complete_demo.out.split("SERVICE ")[1:]

        assert 4 <= len(tables) <= 12
        assert {(5, 4)} == {(b.count(" storefront  "), b.count(" payments  ")) for b in tables}

    def test_summary_is_trace_over_two_processes_and_log_lines(self, complete_demo: Demo) -> None:
        """The summary is a trace over two processes and log lines of both."""
        complete_demo.end()
        tail = re.search(
            r"^Trace ([0-9a-f]{32}), two processes:\n(.*)\n\nLog lines with this trace id:\n(.*)\Z",
            complete_demo.out,
            re.DOTALL | re.MULTILINE,
        )
        assert tail
        spans = [line.split(":")[0].strip() for line in tail[2].splitlines()]
        lines = [json.loads(line) for line in tail[3].splitlines()]

        assert {"storefront", "payments"} == set(spans)
        assert {tail[1]} == {line["trace_id"] for line in lines}
        assert {"storefront", "payments"} == {line["service_name"] for line in lines}
        assert {"order placed", "payment settled"} <= {line["event"] for line in lines}
