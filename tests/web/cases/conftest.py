"""Instrumented applications, for each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI

from otel_meta.testing import capture

from .app import build
from .engines import ENGINES, unmet
from .recorded import Recorded

Instrument = Callable[..., Recorded]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case that has an engine with all engines; a case that is not met must fail."""
    if "engine" in metafunc.fixturenames:
        case = metafunc.function.__name__
        metafunc.parametrize(
            "engine",
            [pytest.param(engine, marks=_marks(engine, case)) for engine in ENGINES],
        )


def _marks(engine: str, case: str) -> list[pytest.MarkDecorator]:
    reason = unmet(engine, case)
    return [] if reason is None else [pytest.mark.xfail(strict=True, reason=reason)]


@pytest.fixture
def instrument(engine: str) -> Iterator[Instrument]:
    """Function that instruments an application, by default that of the cases."""
    with ExitStack() as stack:

        def start(app: FastAPI | None = None, **options: Any) -> Recorded:
            captured = stack.enter_context(capture(**options.pop("settings", {})))
            return Recorded(captured, app or build(), engine, **options)

        yield start


@pytest.fixture
def recorded(instrument: Instrument) -> Recorded:
    """The instrumented application of the cases."""
    return instrument()
