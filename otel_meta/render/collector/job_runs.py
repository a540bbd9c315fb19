"""Addition of the runs of jobs: their deltas become one cumulative series.

All runs and processes of a job send the same series: their resource has no id of an instance. The
processor that adds deltas drops a point that begins before the series, or that is not newer than
the last point, so points of two runs at the same time would be lost. Therefore the Collector sets
the times itself, in the order in which it adds the points, one request after the other.
"""

from __future__ import annotations

from typing import Final

from otel_meta.render._yaml import comment

from .common_config import Config
from .env_variables import JOB_EXPIRATION, JOB_STREAMS

_IN_TURN: Final = "batch/in_turn"
_ARRIVAL: Final = "transform/arrival"
_ADD: Final = "delta_to_cumulative"
JOB_RUNS: Final = (_IN_TURN, _ARRIVAL, _ADD)
"""Processors that add the deltas of jobs, and leave all other metrics as they are."""

_OF_JOB: Final = (
    "metric.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA "
    'and resource.attributes["service.instance.id"] == nil'
)


def job_processors() -> Config:
    """Return the processors by name."""
    return {
        _IN_TURN: {
            **comment("No batches: this passes on one request after the other, at once."),
            "timeout": "0s",
            "send_batch_size": 0,
        },
        _ARRIVAL: {
            "error_mode": "ignore",
            "metric_statements": [
                f"set(datapoint.start_time_unix_nano, 0) where {_OF_JOB}",
                f"set(datapoint.time, Now()) where {_OF_JOB}",
            ],
        },
        _ADD: {
            "max_stale": str(JOB_EXPIRATION),
            **comment(
                "The points of further series are dropped; otelcol_deltatocumulative_datapoints "
                'counts them with error="limit".'
            ),
            "max_streams": JOB_STREAMS.number,
        },
    }
