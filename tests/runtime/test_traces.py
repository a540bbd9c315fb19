from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased

from otel_meta import ConfigurationError
from otel_meta.runtime import traces
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
    def test_standard(self, name: str, sampler: Any) -> None:
        """Each of the standard's names is its sampler, with the argument where it takes one."""
        assert sampler.get_description() == create_sampler(name, "0.25").get_description()

    @pytest.mark.parametrize("name", ["traceidratio", "parentbased_traceidratio"])
    def test_no_argument(self, name: str) -> None:
        """Without an argument, everything is sampled."""
        assert "TraceIdRatioBased{1.0}" in create_sampler(name, None).get_description()

    def test_all_known(self) -> None:
        """Every name that the settings take has a sampler."""
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
    def test_any(self, name: str, argument: str) -> None:
        """Whatever the variables hold, there is a sampler, and a bad one is warned of."""
        environ = {"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument}
        settings = read_settings(service_name="a", environ=environ)

        assert create_sampler(settings.sampler, settings.sampler_arg).get_description()
        assert settings.warnings or settings.sampler == (
            name.strip().lower() or "parentbased_always_on"
        )

    @pytest.mark.parametrize("argument", ["abc", "nan", "2", "-0.1"])
    def test_bad_argument(self, argument: str) -> None:
        """A ratio that there cannot be is warned of once, and everything is sampled."""
        environ = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": argument}
        settings = read_settings(service_name="a", environ=environ)

        assert 1 == len(settings.warnings)
        assert settings.warnings[0].startswith(f"OTEL_TRACES_SAMPLER_ARG holds {argument!r}")
        assert 1.0 == float(settings.sampler_arg or "")

    def test_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A sampler that another package installed is made with the argument."""
        entry = _Entry(lambda argument: TraceIdRatioBased(float(argument)))
        monkeypatch.setattr(traces, "entry_points", lambda **_: (entry,))

        assert RATIO.get_description() == create_sampler("theirs", "0.25").get_description()

    def test_installed_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that cannot be made is an error that names it."""
        entry = _Entry(lambda argument: TraceIdRatioBased(float(argument)))
        monkeypatch.setattr(traces, "entry_points", lambda **_: (entry,))

        with pytest.raises(ConfigurationError, match="the sampler theirs cannot start with"):
            create_sampler("theirs", "abc")


class _Entry:
    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def load(self) -> Any:
        """What the package offers."""
        return self._factory


class TestExport:
    def test_delivered(self) -> None:
        """A span that has ended is delivered at the next flush, with its service."""
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

    def test_unsampled(self) -> None:
        """What is not sampled is not delivered."""
        environ = {"OTEL_TRACES_SAMPLER": "always_off"}
        with OtlpReceiver() as sink:
            with capture(otlp_endpoint=sink.endpoint, environ=environ) as captured:
                assert captured.telemetry.traces is not None
                captured.telemetry.traces.provider.get_tracer("test").start_span("drawing").end()

            assert [] == sink.spans()

    def test_own(self) -> None:
        """Without an exporter there are spans all the same, for the ids in logs and headers."""
        with capture(traces="none") as captured:
            assert captured.telemetry.traces is not None
            span = captured.telemetry.traces.provider.get_tracer("test").start_span("drawing")

            assert span.get_span_context().is_valid
