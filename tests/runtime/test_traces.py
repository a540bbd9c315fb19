from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased

from otel_meta import configure
from otel_meta.errors import ConfigurationError
from otel_meta.runtime import traces
from otel_meta.runtime.environment import value_kinds
from otel_meta.runtime.settings import read_settings
from otel_meta.runtime.traces import create_sampler
from otel_meta.testing import OtlpReceiver, capture

RATIO = TraceIdRatioBased(0.25)


class TestSampler:
    @pytest.mark.parametrize(
        ("name", "sampler"),
        [
            ("always_on", ALWAYS_ON),
            ("always_off", ALWAYS_OFF),
            ("traceidratio", RATIO),
            ("parentbased_always_on", ParentBased(ALWAYS_ON)),
            ("parentbased_always_off", ParentBased(ALWAYS_OFF)),
            ("parentbased_traceidratio", ParentBased(RATIO)),
        ],
    )
    def test_each_of_standards_names_creates_its_sampler(self, name: str, sampler: Any) -> None:
        """Each of the standard's names creates its sampler."""
        assert sampler.get_description() == create_sampler(name, "0.25").get_description()

    @pytest.mark.parametrize("name", ["traceidratio", "parentbased_traceidratio"])
    def test_ratio_sampler_without_argument_samples_everything(self, name: str) -> None:
        """A ratio sampler without an argument samples everything."""
        assert "TraceIdRatioBased{1.0}" in create_sampler(name, None).get_description()

    def test_every_sampler_name_is_valid_in_settings(self) -> None:
        """Every sampler name is valid in the settings."""
        known = [
            name
            for name in traces.SAMPLERS
            if name
            == read_settings(service_name="a", environ={"OTEL_TRACES_SAMPLER": name}).sampler
        ]

        assert list(traces.SAMPLERS) == known

    @given(
        name=st.sampled_from(sorted(traces.SAMPLERS))
        | st.text(st.characters(exclude_characters=",")),
        argument=st.text(max_size=8),
    )
    def test_any_values_of_variables_give_sampler_and_invalid_name_warning(
        self, name: str, argument: str
    ) -> None:
        """Any values of variables give a sampler, and an invalid name a warning."""
        environ = {"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument}
        with pytest.MonkeyPatch.context() as patch:  # reading installed packages takes 10 ms each
            patch.setattr(value_kinds, "entry_points", lambda **_: ())
            settings = read_settings(service_name="a", environ=environ)

        assert create_sampler(settings.sampler, settings.sampler_arg).get_description()
        assert settings.warnings or settings.sampler == (
            name.strip().lower() or "parentbased_always_on"
        )

    @pytest.mark.parametrize("argument", ["abc", "nan", "2", "-0.1"])
    def test_invalid_ratio_causes_one_warning_and_everything_is_sampled(
        self, argument: str
    ) -> None:
        """An invalid ratio causes one warning, and everything is sampled."""
        environ = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": argument}
        settings = read_settings(service_name="a", environ=environ)

        assert 1 == len(settings.warnings)
        assert settings.warnings[0].startswith(f"OTEL_TRACES_SAMPLER_ARG holds {argument!r}")
        assert 1.0 == float(settings.sampler_arg or "")

    def test_sampler_of_another_package_is_created_with_argument(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A sampler of another package is created with the argument."""
        entry = _Entry(lambda argument: TraceIdRatioBased(float(argument)))
        monkeypatch.setattr(traces, "entry_points", lambda **_: (entry,))

        assert RATIO.get_description() == create_sampler("theirs", "0.25").get_description()

    def test_sampler_of_another_package_that_raises_is_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A sampler of another package that raises is an error with its name."""
        entry = _Entry(lambda argument: TraceIdRatioBased(float(argument)))
        monkeypatch.setattr(traces, "entry_points", lambda **_: (entry,))

        with pytest.raises(ConfigurationError, match="the sampler theirs cannot start with"):
            create_sampler("theirs", "abc")


class _Entry:
    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def load(self) -> Any:
        """Return the factory of the package."""
        return self._factory


class TestIds:
    def test_id_generator_of_another_package_generates_ids(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An id generator of another package generates the ids of spans."""

        class Counting(RandomIdGenerator):
            def generate_trace_id(self) -> int:
                return 7

        monkeypatch.setattr(value_kinds, "entry_points", lambda **_: ("theirs",))
        monkeypatch.setattr(traces, "entry_points", lambda **_: (_Entry(Counting),))
        with capture(environ={"OTEL_PYTHON_ID_GENERATOR": "theirs"}) as captured:
            assert captured.telemetry.traces is not None
            captured.telemetry.traces.provider.get_tracer("test").start_span("drawing").end()

        (span,) = captured.spans()
        assert span.context is not None
        assert 7 == span.context.trace_id


class TestExport:
    def test_ended_span_is_exported_at_next_flush_with_its_service(self) -> None:
        """An ended span is exported at the next flush with its service."""
        with OtlpReceiver() as sink:
            with capture("maps", traces="otlp", otlp_endpoint=sink.endpoint) as captured:
                assert captured.telemetry.traces is not None
                tracer = captured.telemetry.traces.provider.get_tracer("test")
                tracer.start_span("drawing").end()
                captured.telemetry.flush()
                flushed = len(sink.spans())
                tracer.start_span("last").end()

            assert 1 == flushed
            assert [("maps", "drawing"), ("maps", "last")] == [
                (each.service_name, each.span.name) for each in sink.spans()
            ]

    def test_span_that_is_not_sampled_is_not_exported(self) -> None:
        """A span that is not sampled is not exported."""
        environ = {"OTEL_TRACES_SAMPLER": "always_off"}
        with OtlpReceiver() as sink:
            with capture(otlp_endpoint=sink.endpoint, environ=environ) as captured:
                assert captured.telemetry.traces is not None
                captured.telemetry.traces.provider.get_tracer("test").start_span("drawing").end()

            assert [] == sink.spans()

    def test_without_exporter_spans_have_ids_and_are_not_recorded(self) -> None:
        """Without an exporter, a span has the ids and the flag for other services alone."""
        with configure(
            "maps", traces="none", metrics="none", set_global=False, log_stream=None, environ={}
        ) as made:
            assert made.traces is not None
            span = made.traces.provider.get_tracer("test").start_span("drawing")
            context = span.get_span_context()

        assert (True, True) == (context.is_valid, context.trace_flags.sampled)
        assert not span.is_recording()
