from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from opentelemetry import propagate, trace
from opentelemetry.baggage import set_baggage
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_meta.runtime.sdk_environment import prefer_stable_conventions, set_propagators

OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"


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

    def test_variable_has_chosen_propagators_afterwards(self) -> None:
        """The variable has the chosen propagators afterwards."""
        set_propagators(("baggage",))

        assert "baggage" == os.environ["OTEL_PROPAGATORS"]


class TestConventions:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (None, "http"),
            ("", "http"),
            ("http", "http"),
            ("http/dup", "http/dup"),
            ("database", "database,http"),
            ("database, http", "database, http"),
        ],
    )
    def test_stable_http_conventions_are_added_to_variable(
        self, monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
    ) -> None:
        """The stable HTTP conventions are added to the variable."""
        monkeypatch.setenv(OPT_IN, before or "")
        if before is None:
            monkeypatch.delenv(OPT_IN)
        prefer_stable_conventions()

        assert after == os.environ[OPT_IN]
