"""Instrumented applications, for each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI

from otel_meta.testing import capture

from .app import build
from .engines import ENGINES
from .recorded import Recorded
from .unmet import reason

Instrument = Callable[..., Recorded]


@pytest.fixture(autouse=True)
def _unmet(request: pytest.FixtureRequest) -> None:
    """Expect the failure of a case that an engine or a server does not meet."""
    why = reason(request.node)
    if why is not None:
        request.applymarker(pytest.mark.xfail(strict=True, reason=why))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Every engine."""
    name: str = request.param
    return name


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
