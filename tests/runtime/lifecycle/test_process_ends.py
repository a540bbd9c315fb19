"""Each end of a process, as in the table of docs/reliability.md, with real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from otel_meta.testing import OtlpReceiver
from tests.conftest import PATIENCE, environment

ATLAS = """
import logging, multiprocessing, os, signal, sys, threading, time
from concurrent.futures import ProcessPoolExecutor
from otel_meta import Counter, MetaRepo, NoLabels, configure

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    '''Map tiles.'''

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)

telemetry = configure("maps", Atlas)
atlas = telemetry.bind(Atlas)

def work(_=None):
    with telemetry.traces.provider.get_tracer("maps").start_as_current_span("draw"):
        atlas.tiles.add(1)
        logging.getLogger("maps").info("drawn")

"""
READY = """print('READY')
for _ in range(300):
    time.sleep(0.1)
"""
"""Short sleeps: Python handles a signal that arrives just before a sleep when the sleep ends."""
CHILDREN = f"""{ATLAS}
from otel_meta.runtime import telemetry as module
module.CHILD_TIMEOUT = {PATIENCE}  # every child of a busy machine has the time to deliver

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    child = context.Process(target=work)
    child.start()
    child.join()
    with context.Pool(1) as pool:
        pool.map(work, range(2))
    with context.Pool(1, maxtasksperchild=1) as pool:
        pool.map(work, range(2), chunksize=1)
        pool.close()
        pool.join()
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        list(executor.map(work, range(2)))
"""


class Arrived(NamedTuple):
    """What a Collector has received."""

    spans: int
    records: int
    total: float


def received(sink: OtlpReceiver) -> Arrived:
    """Return what arrived of `work`; a process is identified by the start of its series."""
    spans = [each.span.name for each in sink.spans()]
    records = [record.body.string_value for record in sink.log_records()]
    latest = {
        point.start_time_unix_nano: point.as_double
        for metric in sink.metrics()
        if metric.name == "atlas.tiles"
        for point in metric.sum.data_points
    }
    return Arrived(spans.count("draw"), records.count("drawn"), sum(latest.values()))


class Ended(NamedTuple):
    """The end of a process."""

    code: int
    seconds: float
    """From the first signal to the end."""
    output: str


def run(folder: Path, program: str, *signals: int, argument: str = "", **variables: str) -> Ended:
    """Run a program to its end; send the signals when it has written READY."""
    path = folder / "program.py"
    path.write_text(program)
    process = subprocess.Popen(
        [sys.executable, path, argument],
        env=environment({"OTEL_METRIC_EXPORT_INTERVAL": "60000", **variables}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    if signals:
        assert any("READY" in line for line in process.stdout)
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    output, _ = process.communicate(timeout=3 * PATIENCE)
    return Ended(process.returncode, time.monotonic() - began, output)


ALL = Arrived(1, 1, 1.0)
NOTHING = Arrived(0, 0, 0)


class TestEnds:
    @pytest.mark.parametrize(
        ("end", "code", "arrived"),
        [
            ("work()", 0, ALL),
            ("with telemetry: work()", 0, ALL),
            ("work(); sys.exit(3)", 3, ALL),
            ("work(); raise ValueError", 1, ALL),
            ("threading.Thread(target=lambda: [work(), sys.exit(3)]).start()", 0, ALL),
            ("if not os.fork():\n    work()\n    sys.exit(3)\nos.wait()", 0, ALL),
            ("work(); telemetry.flush(); os._exit(3)", 3, ALL),
            ("work(); os._exit(3)", 3, NOTHING),
        ],
    )
    def test_end_delivers_what_table_says(
        self, tmp_path: Path, end: str, code: int, arrived: Arrived
    ) -> None:
        """An end delivers what the table of the reliability page says."""
        with OtlpReceiver() as sink:
            ended = run(tmp_path, ATLAS + end, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)

            assert (code, arrived) == (ended.code, received(sink))

    @pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
    def test_children_of_multiprocessing_deliver_everything_at_their_end(
        self, tmp_path: Path, method: str
    ) -> None:
        """Children of each kind of pool and start method deliver everything at their end."""
        with OtlpReceiver() as sink:
            endpoint = sink.endpoint
            ended = run(
                tmp_path,
                CHILDREN,
                argument=method,
                OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
                OTEL_META_SHUTDOWN_TIMEOUT=str(PATIENCE),
            )

            assert (0, Arrived(7, 7, 7.0)) == (ended.code, received(sink))

    def test_children_do_not_delay_pool_when_collector_hangs(
        self, tmp_path: Path, black_hole: str
    ) -> None:
        """A child ends within its bound when the Collector hangs."""
        program = (
            "from otel_meta.runtime import telemetry as module\n"
            "module.CHILD_TIMEOUT = 0.1\n"
            f"{ATLAS}"
            "child = multiprocessing.get_context('fork').Process(target=work)\n"
            "child.start()\n"
            "began = time.monotonic()\n"
            "child.join()\n"
            "print('joined in', time.monotonic() - began)\n"
            "os._exit(child.exitcode)\n"
        )
        ended = run(tmp_path, program, OTEL_EXPORTER_OTLP_ENDPOINT=black_hole)

        assert 0 == ended.code
        assert float(ended.output.rpartition("joined in")[2]) < 3


class TestSignals:
    @pytest.mark.parametrize(
        ("begin", "number", "code", "arrived"),
        [
            ("", signal.SIGTERM, -signal.SIGTERM, ALL),
            ("", signal.SIGINT, -signal.SIGINT, ALL),
            ("signal.signal(15, lambda *_: sys.exit(3))", signal.SIGTERM, 3, ALL),
            ("", signal.SIGHUP, -signal.SIGHUP, NOTHING),
        ],
    )
    def test_signal_delivers_what_table_says_and_keeps_exit_status(
        self, tmp_path: Path, begin: str, number: int, code: int, arrived: Arrived
    ) -> None:
        """A signal delivers what the table says, and the exit status is that of the signal."""
        program = f"{ATLAS}{begin}\nwork()\n{READY}"
        with OtlpReceiver() as sink:
            ended = run(tmp_path, program, number, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)

            assert (code, arrived) == (ended.code, received(sink))

    def test_variable_leaves_signal_alone(self, tmp_path: Path) -> None:
        """With OTEL_META_EXPORT_ON_SIGTERM=false, SIGTERM ends the process at once."""
        variables = {"OTEL_META_EXPORT_ON_SIGTERM": "false"}
        with OtlpReceiver() as sink:
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink.endpoint
            ended = run(tmp_path, f"{ATLAS}work()\n{READY}", signal.SIGTERM, **variables)

            assert (-signal.SIGTERM, NOTHING) == (ended.code, received(sink))

    def test_handler_of_application_is_not_replaced(self, tmp_path: Path) -> None:
        """A handler that the application has set before configure() is not replaced."""
        program = (
            "import signal\n"
            "def handler(*_): print('handled')\n"
            "signal.signal(signal.SIGTERM, handler)\n"
            f"{ATLAS}"
            "print(signal.getsignal(signal.SIGTERM) is handler)\n"
        )

        assert run(tmp_path, program).output.endswith("True\n")

    @pytest.mark.parametrize(
        "numbers",
        [
            (signal.SIGTERM, signal.SIGTERM),
            (signal.SIGINT, signal.SIGINT),
        ],
    )
    def test_second_signal_ends_process_at_once(
        self, tmp_path: Path, black_hole: str, numbers: tuple[int, ...]
    ) -> None:
        """A second signal ends the process at once, although the Collector hangs."""
        program = f"{ATLAS}work()\n{READY}"
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": black_hole,
            "OTEL_META_SHUTDOWN_TIMEOUT": "60",
        }
        ended = run(tmp_path, program, *numbers, **variables)

        assert -numbers[0] == ended.code
        assert ended.seconds < 10

    def test_signal_during_shutdown_waits_for_it_without_deadlock(self, tmp_path: Path) -> None:
        """A SIGTERM during a shutdown of the same thread waits for the shutdown."""
        program = (
            f"{ATLAS}"
            "work()\n"
            "stop = telemetry.traces.shutdown\n"
            "def slow_stop(timeout):\n"
            "    os.kill(os.getpid(), signal.SIGTERM)\n"
            "    time.sleep(0.2)\n"
            "    stop(timeout)\n"
            "telemetry.traces.shutdown = slow_stop\n"
            "telemetry.shutdown()\n"
            "print('not reached')\n"
        )
        with OtlpReceiver() as sink:
            ended = run(tmp_path, program, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)

            assert (-signal.SIGTERM, ALL) == (ended.code, received(sink))
        assert "not reached" not in ended.output

    def test_signal_inside_recording_and_logging_causes_no_deadlock(self, tmp_path: Path) -> None:
        """A SIGTERM inside of a recording or of a log call delivers and ends the process."""
        timer = "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        with OtlpReceiver() as sink:
            ended = run(
                tmp_path,
                f"{ATLAS}{timer}while True: work()\n",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
            )

            assert -signal.SIGTERM == ended.code
            assert received(sink).total >= 1
