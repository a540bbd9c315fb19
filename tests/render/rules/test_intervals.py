from __future__ import annotations

import os
import subprocess
import sys

from otel_meta.model import Duration
from otel_meta.render.rules.intervals import (
    RECOUNT_SPAN,
    alert_spans,
    cumulative_longs,
    cumulative_spans,
)
from otel_meta.repos.nebula import Nebula

CHANGED = """
import re
from otel_meta.render.rules import intervals
from otel_meta.model import Duration

intervals.EVALUATION_INTERVAL = Duration("2m")
intervals.ALERT_INTERVAL = Duration("20s")

from otel_meta.render.artifacts import artifacts_of
from otel_meta.render.options import Options
from otel_meta.repos import BUILTIN

for artifact in artifacts_of(BUILTIN, Options()):
    if artifact.path.parts[0] == "rules" and re.search("interval: (1m|30s)", artifact.text):
        print("old interval in", artifact.path)
"""


def _spans(*texts: str) -> tuple[Duration, ...]:
    return tuple(map(Duration, texts))


def test_each_span_of_burn_window_is_counted_once() -> None:
    """Each span of a burn window is counted once: from raw counters or cumulative counts."""
    slo = Nebula.api_availability

    assert _spans("5m", "30m", "1h") == alert_spans(slo)
    assert _spans("2h", "1d", "3d") == cumulative_spans(slo)
    assert _spans("6h") == (RECOUNT_SPAN,)


def test_bad_events_are_recorded_over_long_spans_of_tickets() -> None:
    """Bad events are recorded over the long spans of tickets, which compare them."""
    assert _spans("1d", "3d") == cumulative_longs(Nebula.api_availability)


def test_every_file_follows_intervals() -> None:
    """No generated file keeps an old interval when the constants change."""
    done = subprocess.run(
        [sys.executable, "-c", CHANGED],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert "" == done.stdout
