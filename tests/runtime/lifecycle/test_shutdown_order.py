from __future__ import annotations

import time

import pytest

from otel_meta import configure
from otel_meta.runtime.export.periodic import Ticker
from otel_meta.testing import OtlpReceiver


def test_slow_sample_takes_no_time_from_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of SLOs that does not end at the shutdown takes no time from the exports."""

    def stop(_ticker: Ticker, timeout: float) -> None:
        time.sleep(timeout)

    monkeypatch.setattr(Ticker, "stop", stop)
    with OtlpReceiver() as sink:
        telemetry = configure(
            "shop",
            traces="otlp",
            metrics="none",
            otlp_endpoint=sink.endpoint,
            log_stream=None,
            set_global=False,
            environ={},
        )
        assert telemetry.traces
        telemetry.traces.provider.get_tracer("shop").start_span("sale").end()

        assert telemetry.shutdown(0.5)
        assert 1 == len(sink.spans())
