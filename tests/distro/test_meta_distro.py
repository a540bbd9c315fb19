from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from otel_meta.distro.configurator import MetaConfigurator
from otel_meta.distro.instrumentor import MetaInstrumentor
from otel_meta.distro.meta_distro import MetaDistro
from tests.distro.conftest import ENTRY_POINTS

CONFIGURATOR = "OTEL_PYTHON_CONFIGURATOR"
CONVENTIONS = "OTEL_SEMCONV_STABILITY_OPT_IN"
SWITCHED_OFF = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


class CountingInstrumentor:
    """Counts calls."""

    calls = 0

    def instrument(self) -> None:
        """Count a call."""
        type(self).calls += 1


@pytest.fixture
def distro(monkeypatch: pytest.MonkeyPatch) -> Iterator[MetaDistro]:
    """The distribution in an environment without its variables."""
    for name in (CONFIGURATOR, CONVENTIONS, SWITCHED_OFF):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield MetaDistro()
    if MetaInstrumentor().is_instrumented_by_opentelemetry:
        MetaInstrumentor().uninstrument()


def calls_after(distro: MetaDistro, name: str) -> int:
    """Load an instrumentor by an entry point of this name, and return the number of its calls."""
    CountingInstrumentor.calls = 0
    place = f"{__name__}:CountingInstrumentor"
    distro.load_instrumentor(EntryPoint(name, place, "opentelemetry_instrumentor"))
    return CountingInstrumentor.calls


def test_entry_points_are_what_the_injector_needs() -> None:
    """The entry points of the package are a distribution, a configurator and an instrumentor."""
    loaded = {
        group: EntryPoint("otel_meta", entries["otel_meta"], group).load()
        for group, entries in ENTRY_POINTS.items()
    }

    assert {
        "opentelemetry_distro": MetaDistro,
        "opentelemetry_configurator": MetaConfigurator,
        "opentelemetry_instrumentor": MetaInstrumentor,
    } == loaded
    assert (True, True) == (
        issubclass(MetaDistro, BaseDistro),
        issubclass(MetaInstrumentor, BaseInstrumentor),
    )


class TestConfigure:
    @pytest.mark.parametrize(("given", "expected"), [(None, "otel_meta"), ("other", "other")])
    def test_configurator_is_that_of_the_distribution(
        self,
        distro: MetaDistro,
        monkeypatch: pytest.MonkeyPatch,
        given: str | None,
        expected: str,
    ) -> None:
        """The configurator is that of the distribution, unless a variable names another one."""
        if given is not None:
            monkeypatch.setenv(CONFIGURATOR, given)
        distro.configure()

        assert expected == os.environ[CONFIGURATOR]

    def test_conventions_are_stable(self, distro: MetaDistro) -> None:
        """Instrumentors that are loaded later follow the stable conventions."""
        distro.configure()

        assert "http,database" == os.environ[CONVENTIONS]


class TestLoadInstrumentor:
    @pytest.mark.parametrize("name", ["fastapi", "starlette", "otel_meta"])
    def test_application_has_one_instrumentor(self, distro: MetaDistro, name: str) -> None:
        """Instrumentors of others for what otel_meta instruments are left out."""
        distro.configure()

        assert 0 == calls_after(distro, name)

    def test_library_is_instrumented(self, distro: MetaDistro) -> None:
        """Instrumentors of libraries are loaded."""
        distro.configure()

        assert 1 == calls_after(distro, "httpx")

    def test_application_is_left_to_others_if_switched_off(
        self, distro: MetaDistro, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """If the instrumentor of otel_meta is switched off, that of others is loaded."""
        monkeypatch.setenv(SWITCHED_OFF, "otel_meta")
        distro.configure()

        assert 1 == calls_after(distro, "fastapi")
