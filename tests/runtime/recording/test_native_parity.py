"""The native core does what the Python core does, whatever is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.runtime.recording.native_build import native_folder

PROGRAM: Final = Path(__file__).with_name("core_program.py")

KINDS = st.sampled_from(("counter", "updowncounter", "gauge", "histogram"))
WHOLE = st.sampled_from(("1", "2", "0", "4.0", "0.5", "True"))
"""Amounts whose sum does not depend on their order."""
VALUES = st.one_of(
    WHOLE,
    st.sampled_from(
        (
            *("-1", "-0.0", "1e18", "2**53", "2**53 + 1", "-(2**53) - 1", "10**18 + 1", "10**400"),
            *(
                "1e289",
                "1e290",
                "int(1e290) - 1",
                "-int(1e290)",
                "-1e290",
                "1e308",
                "float('nan')",
                "float('inf')",
                "-10**400",
            ),
            *("Decimal('1.5')", "Decimal('NaN')", "Fraction(1, 4)", "float64(2.5)", "int8(3)"),
            *("Number(1.5)", "Hostile()", "Exiting()", "None", "'1'", "b'1'", "1j", "[1]"),
        )
    ),
    st.integers().map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
ROUTES = st.sampled_from(("'/'", "'/a'", "'/b'"))
TEXTS = st.one_of(
    ROUTES,
    st.sampled_from(
        ("'success'", "'failure'", "'/' + '/c'[1:2]", "'é'", "'\\ud800'", "'x' * 2000")
    ),
    st.sampled_from(
        ("Text('/')", "PlainText('/')", "404", "None", "[1]", "Hostile()", "Exiting()")
    ),
)
LABELS = st.one_of(
    st.fixed_dictionaries({"route": ROUTES}),
    st.fixed_dictionaries({"outcome": ROUTES.map(lambda _: "'failure'"), "route": ROUTES}),
    st.fixed_dictionaries({"route": ROUTES, "ruote": ROUTES}),
    st.dictionaries(st.sampled_from(("route", "outcome", "ruote")), TEXTS, max_size=3),
)
ARGUMENTS = st.one_of(VALUES.map(lambda value: [value]), st.lists(VALUES, max_size=2))
RECORDINGS = st.one_of(
    st.tuples(st.just("call"), KINDS, ARGUMENTS, LABELS),
    st.tuples(st.just("bound"), KINDS, ARGUMENTS, LABELS),
)
CHANGES = st.one_of(
    st.tuples(st.just("remove"), KINDS, LABELS),
    st.just(("move",)),
    st.just(("collect",)),
)
IN_THREADS = st.tuples(
    st.sampled_from(("call", "bound")),
    st.sampled_from(("counter", "histogram")),
    WHOLE.map(lambda value: [value]),
    st.fixed_dictionaries({"route": ROUTES}),
)
STEPS = st.lists(
    st.one_of(
        RECORDINGS,
        RECORDINGS,
        CHANGES,
        st.tuples(st.just("in_span"), st.lists(RECORDINGS, max_size=4)),
        st.tuples(st.just("in_fork"), st.lists(RECORDINGS | CHANGES, max_size=4)),
        st.tuples(st.just("in_threads"), st.lists(IN_THREADS, max_size=3)),
    ),
    min_size=10,
    max_size=30,
)


class Core:
    """The program with one of the cores."""

    def __init__(self, name: str, folder: Path) -> None:
        path = os.pathsep.join((str(folder), *sys.path))
        is_native = str(name == "C").lower()
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM],
            env={**os.environ, "PYTHONPATH": path, "OTEL_META_NATIVE_CORE": is_native},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert f"{name}\n" == self._output.readline()

    def run(self, steps: Any) -> Any:
        """Run a script, and return all that happened."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(steps) + "\n")
        self.process.stdin.flush()
        return json.loads(self._output.readline())

    def stop(self) -> None:
        """End the program."""
        self.process.communicate()

    @property
    def _output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout


@pytest.fixture(scope="module")
def cores() -> Iterator[tuple[Core, Core]]:
    """Start the program with each core."""
    folder = native_folder()
    pair = Core("Python", folder), Core("C", folder)
    yield pair
    for core in pair:
        core.stop()


class TestParity:
    @example([("call", "histogram", ["2**53 + 1"], {"route": "'/'"})] * 3)
    @example([("bound", "counter", ["int(1e290) - 1"], {"route": "'/'"})] * 3)
    @settings(max_examples=150)
    @given(steps=STEPS)
    def test_any_script_leads_to_same_numbers_and_faults(
        self, cores: tuple[Core, Core], steps: Any
    ) -> None:
        """Any recordings, removals, moves, threads and forks lead to the same with both cores."""
        in_python, in_c = cores

        assert in_python.run(steps) == in_c.run(steps)

    def test_text_at_address_of_dead_text_is_another_text(self, cores: tuple[Core, Core]) -> None:
        """A text that gets the address of an earlier one is not mistaken for it."""
        calls = [("call", "counter", ["1"], {"route": f"'/' + str({n})"}) for n in (1, 2, 1, 2, 3)]
        in_python, in_c = cores

        assert in_python.run(50 * calls) == in_c.run(50 * calls)

    def test_tools_show_same_functions(self, cores: tuple[Core, Core]) -> None:
        """The help text, the signature and the names of recording functions are the same."""
        in_python, in_c = cores

        assert in_python.run([["describe"]]) == in_c.run([["describe"]])
