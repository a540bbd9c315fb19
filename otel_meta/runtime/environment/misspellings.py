"""Names of environment variables that are near to a known name, but unknown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Final

from .variable import Environment, clip

_OURS: Final = "OTEL_META_"
_MIN_SIMILARITY: Final = 0.92
"""For OpenTelemetry's names: further names are valid, in other libraries and languages."""
_MIN_SIMILARITY_OF_OURS: Final = 0.6
_FOREIGN: Final = re.compile(
    r"OTEL_META_(GATEWAY_|OTLP_|EXPOSE_HOST|METRICS_PORT|SELF_METRICS_|HEALTH_|METRIC_EXPIRATION"
    r"|JOB_EXPIRATION|JOB_STREAMS|INSTANCE|QUEUE_|MEMORY_|TRACE_STORE|DECISION_WAIT|SAMPLING_PERCENT|UNDECIDED_TRACES|LOG_EXPORTER|LOG_STORE)"
    r"|OTEL_PYTHON_[A-Z0-9]+_EXCLUDED_URLS"
    r"|OTEL_(JAVA|JAVAAGENT|DOTNET|NODE|PHP|RUBY|GO|RUST|EBPF|INSTRUMENTATION)_"
)
"""Names of the Collector's configuration, of instrumentation libraries and other languages."""


def warn_of_misspellings(env: Environment, known: Collection[str]) -> None:
    """Add a warning for each unknown variable with a name near to a known one.

    Args:
        env: the environment.
        known: the names of the table.
    """
    for name in env.variables:
        is_given = name.upper().startswith("OTEL_") and env.text(name) is not None
        if is_given and name not in known and not _FOREIGN.match(name):
            env.warnings.extend(_warnings(name, known))


def _warnings(name: str, known: Collection[str]) -> Iterator[str]:
    is_ours = name.upper().startswith(_OURS)
    similarity = _MIN_SIMILARITY_OF_OURS if is_ours else _MIN_SIMILARITY
    candidates = [other for other in known if other.startswith(_OURS) is is_ours]
    near = get_close_matches(name.upper(), candidates, n=1, cutoff=similarity)
    if near or is_ours:
        cure = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(candidates))}"
        yield f"{clip(name)} is not a known variable and has no effect; {cure}"
