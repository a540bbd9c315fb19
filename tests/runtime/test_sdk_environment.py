from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from opentelemetry import propagate, trace
from opentelemetry.baggage import set_baggage
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_meta.runtime.sdk_environment import (
    checked_variables,
    prefer_stable_conventions,
    set_propagators,
)

if TYPE_CHECKING:
    from tests.conftest import Run

OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
NAMES = ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_SERVICE_NAME", "OTEL_ENTITIES", "PATH_OF_SHOP")


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the environment and propagators of the process."""
    monkeypatch.setenv("OTEL_PROPAGATORS", "")
    before = propagate.get_global_textmap()
    yield
    propagate.set_global_textmap(before)


def current() -> Context:
    """Return a context with a span and baggage."""
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    return set_baggage("tenant", "a", trace.set_span_in_context(NonRecordingSpan(context)))


class TestPropagators:
    @pytest.mark.parametrize(
        ("names", "headers"),
        [
            (("tracecontext", "baggage"), {"traceparent", "baggage"}),
            (("tracecontext",), {"traceparent"}),
            (("baggage",), {"baggage"}),
            (("none",), set()),
            ((), set()),
        ],
    )
    def test_trace_is_propagated_in_chosen_headers_alone(
        self, names: tuple[str, ...], headers: set[str]
    ) -> None:
        """A trace is propagated in the chosen headers alone."""
        set_propagators(names)
        carrier: dict[str, str] = {}
        propagate.inject(carrier, current())

        assert headers == set(carrier)

    def test_propagators_are_set_although_variable_is_invalid(
        self, script: Callable[..., Run]
    ) -> None:
        """The propagators are set, although the variable is invalid."""
        run = script(
            "import os\n"
            "from otel_meta.runtime.sdk_environment import set_propagators\n"
            "os.environ['OTEL_PROPAGATORS'] = 'bogus'\n"
            "set_propagators(('baggage',))\n"
            "from opentelemetry import propagate\n"
            "print(propagate.get_global_textmap().fields, os.environ['OTEL_PROPAGATORS'])\n"
        )

        assert (0, "{'baggage'} bogus\n") == (run.code, run.stdout)


class TestChecked:
    def test_block_has_checked_variables_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Inside the block the process has the checked variables alone, and others unchanged."""
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "abc")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
        monkeypatch.setenv("PATH_OF_SHOP", "/shop")
        with checked_variables({"OTEL_SERVICE_NAME": "other", "OTEL_ENTITIES": "a"}):
            inside = {name: os.environ.get(name) for name in NAMES}

        assert [None, "other", "a", "/shop"] == list(inside.values())

    def test_variables_are_restored_after_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The variables are restored after the block, also after an error."""
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "abc")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
        before = dict(os.environ)
        with (
            pytest.raises(KeyError),
            checked_variables({"OTEL_SERVICE_NAME": "other", "OTEL_ENTITIES": "a"}),
        ):
            raise KeyError

        assert before == dict(os.environ)


class TestImport:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "abc"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1"),
            ("OTEL_PROPAGATORS", "bogus"),
            ("OTEL_PROPAGATORS", "tracecontext,,"),
            ("OTEL_PYTHON_CONTEXT", "nosuch"),
        ],
    )
    def test_variable_that_sdk_reads_on_import_is_harmless(
        self, script: Callable[..., Run], name: str, text: str
    ) -> None:
        """An invalid variable that the SDK reads on import raises no error and logs nothing."""
        run = script(
            "from otel_meta.runtime.configure import configure\nimport opentelemetry.propagate",
            **{name: text},
        )

        assert (0, "", "") == (run.code, run.stdout, run.stderr)


class TestConventions:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (None, "http,database"),
            ("", "http,database"),
            ("http", "http,database"),
            ("http/dup", "http/dup,database"),
            ("database", "database,http"),
            ("gen_ai, database/dup", "gen_ai,database/dup,http"),
        ],
    )
    def test_stable_conventions_are_added_to_variable(
        self, monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
    ) -> None:
        """The stable conventions of HTTP and databases are added to the variable."""
        monkeypatch.setenv(OPT_IN, before or "")
        if before is None:
            monkeypatch.delenv(OPT_IN)
        prefer_stable_conventions()

        assert after == os.environ[OPT_IN]
