from __future__ import annotations

import os
import subprocess
import sys

from otel_meta.render.rules.intervals import (
    EVALUATION_INTERVAL,
    EVALUATIONS_PER_WINDOW,
    INCREASE_WINDOW,
)

CHANGED = """
import re
from pathlib import Path
from otel_meta.render.rules import intervals
from otel_meta.model import Duration

intervals.EVALUATION_INTERVAL = Duration("30s")
intervals.EVALUATIONS_PER_WINDOW = 8
intervals.INCREASE_WINDOW = Duration("4m")
intervals.INCREASE_MINUTES = 4

from otel_meta.render.artifacts import artifacts_of
from otel_meta.render.options import Options
from otel_meta.repos import BUILTIN

for artifact in artifacts_of(BUILTIN, Options()):
    if re.search(r"increase5m|increase4m[^\\n]* / 5\\b", artifact.text):
        print("old window in", artifact.path)
    if artifact.path.parts[0] == "rules" and "interval: 1m" in artifact.text:
        print("old interval in", artifact.path)
"""


def test_evaluation_count_follows_from_intervals() -> None:
    """An event is in as many recorded increases as there are evaluations in the window."""
    assert EVALUATIONS_PER_WINDOW * EVALUATION_INTERVAL.seconds == INCREASE_WINDOW.seconds


def test_every_file_follows_intervals() -> None:
    """No generated file keeps the old interval or window when the constants change."""
    done = subprocess.run(
        [sys.executable, "-c", CHANGED],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert "" == done.stdout
