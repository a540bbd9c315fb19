"""Rounds of measurements, in which each instrumentation has a process of its own.

All instrumentations are measured in turn in each round, so other work on the machine affects all
equally. The fastest block counts, because other work only slows a block down.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path
from typing import Final, NamedTuple

from .clients import load
from .environment import interpreter, variables
from .receiver import Receiver

_SCRIPTS: Final = Path(__file__).parent
_numbers: Final = count()


class Size(NamedTuple):
    """The size of a measurement."""

    rounds: int
    blocks: int
    requests: int
    """In each block."""
    clients: int = 16


FULL: Final = Size(rounds=3, blocks=2, requests=2000)
QUICK: Final = Size(rounds=2, blocks=2, requests=400)


class Case(NamedTuple):
    """The situation in which the instrumentations are compared."""

    routes: int
    sampled: float
    """The share of the traces that are sampled."""


class Cost(NamedTuple):
    """The cost of a request."""

    microseconds: float
    """Process CPU."""
    spans: float
    """Received by the receiver."""

    def plus(self, other: Cost) -> Cost:
        """Return the lower time of two rounds, with the mean number of spans."""
        return Cost(min(self.microseconds, other.microseconds), (self.spans + other.spans) / 2)


Measure = Callable[[str, Case, Size, Mapping[str, str]], Sequence[float]]
"""Returns the seconds of each block of a contender in a case, with variables for its process."""


def measure(
    contenders: Iterable[str], case: Case, size: Size, receiver: Receiver, how: Measure
) -> dict[str, Cost]:
    """Return the cost of a request by contender."""
    names = list(contenders)
    costs: dict[str, Cost] = {}
    for number in range(size.rounds):
        print(f"  {case}: round {number + 1} of {size.rounds}", file=sys.stderr, flush=True)
        for name in names:
            cost = _cost(name, case, size, receiver, how)
            costs[name] = costs[name].plus(cost) if name in costs else cost
    return costs


def _cost(name: str, case: Case, size: Size, receiver: Receiver, how: Measure) -> Cost:
    sender = f"sender-{next(_numbers)}"
    seconds = how(name, case, size, variables(receiver.endpoint(sender), case.sampled))
    requests = size.requests * (size.blocks + 1)
    return Cost(min(seconds) / size.requests * 1e6, receiver.spans(sender) / requests)


def in_process(name: str, case: Case, size: Size, environ: Mapping[str, str]) -> Sequence[float]:
    """Call the application without a server."""
    numbers = map(str, (case.routes, size.requests, size.blocks))
    command = [interpreter(), str(_SCRIPTS / "in_process.py"), name, *numbers]
    done = subprocess.run(  # noqa: S603 - a script of this folder
        command, env=environ, stdout=subprocess.PIPE, text=True, check=True
    )
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def under_uvicorn(name: str, case: Case, size: Size, environ: Mapping[str, str]) -> Sequence[float]:
    """Serve the application to clients in this process."""
    with _server(name, case, environ) as (port, used):
        used()  # a process that cannot start fails here, and not in a client
        ends: list[float] = []
        for _ in range(1 + size.blocks):
            load(port, size.clients, case.routes, size.requests)
            ends.append(used())
    return [after - before for before, after in pairwise(ends)]


@contextmanager
def _server(
    name: str, case: Case, environ: Mapping[str, str]
) -> Generator[tuple[int, Callable[[], float]]]:
    """Yield the port of a server, and a function that returns the seconds of its process."""
    listening = socket.create_server(("127.0.0.1", 0))
    port, descriptor = listening.getsockname()[1], listening.fileno()
    command = [interpreter(), str(_SCRIPTS / "served.py"), name, str(case.routes), str(descriptor)]
    with subprocess.Popen(  # noqa: S603 - a script of this folder
        command, env=environ, pass_fds=[descriptor], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as server:  # fmt: skip
        listening.close()  # so that clients do not wait for a process that has ended
        if server.stdin is None or server.stdout is None:
            raise AssertionError("the process has no pipes")
        ask, answers = server.stdin, server.stdout

        def used() -> float:
            ask.write("\n")
            ask.flush()
            return _seconds_in(answers)

        yield port, used
        ask.close()


def _seconds_in(lines: Iterable[str]) -> float:
    """Return the first number; log lines of an instrumentation may come before.

    Raises:
        AssertionError: the process ended.
    """
    for line in lines:
        try:
            return float(line)
        except ValueError:
            continue
    raise AssertionError("the server ended")
