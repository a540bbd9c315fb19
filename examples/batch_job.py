"""Chronos' job "nightly-orders": a pipeline from CSV into SQLite, without a web server."""

from __future__ import annotations

import argparse
import csv
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import structlog
from opentelemetry import trace

from otel_meta import configure
from otel_meta.repos import Chronos

PIPELINE: Final = "nightly-orders"
EXPORT: Final = "orders_export"
COLUMNS: Final = ("order_id", "channel", "amount_cents", "placed_at")
CHANNELS: Final = {"web", "mobile", "api"}
DAY: Final = 86_400.0  # seconds

Row = dict[str, str]
Stage = Literal["extract", "transform", "load"]
Check = Literal["not_null", "unique", "accepted_values", "relationship", "freshness", "volume"]
TaskState = Literal["success", "failed", "skipped", "upstream_failed"]
Outcome = Literal["success", "failure"]

log = structlog.get_logger("nightly-orders")


class QualityError(Exception):
    """Data with errors that must not reach the warehouse."""


@dataclass
class Batch:
    """The orders of one night with their source and target."""

    chronos: Chronos
    source: Path
    warehouse: Path
    rows: list[Row] = field(default_factory=list[Row])


def run(batch: Batch) -> bool:
    """Run all stages and record the result; return True on success."""
    started = time.perf_counter()
    succeeded = True
    for stage, job in JOBS.items():
        state = run_task(stage, job, batch) if succeeded else "upstream_failed"
        batch.chronos.airflow_task_runs.add(1, dag=PIPELINE, task=stage, state=state)
        succeeded = succeeded and state == "success"
    outcome: Outcome = "success" if succeeded else "failure"
    duration = time.perf_counter() - started
    batch.chronos.pipeline_runs.add(1, pipeline=PIPELINE, outcome=outcome)
    batch.chronos.pipeline_duration.record(duration, pipeline=PIPELINE, outcome=outcome)
    log.info("pipeline ended", outcome=outcome, duration=round(duration, 3))
    return succeeded


def run_task(stage: Stage, job: Callable[[Batch], None], batch: Batch) -> TaskState:
    """Run one stage. Its exception ends the pipeline, not the process, which exports metrics."""
    try:
        job(batch)
    except Exception:
        log.exception("task failed", task=stage)
        return "failed"
    batch.chronos.records_processed.add(len(batch.rows), pipeline=PIPELINE, stage=stage)
    log.info("task done", task=stage, records=len(batch.rows))
    return "success"


def extract(batch: Batch) -> None:
    """Read the export, and count changes of its columns."""
    with batch.source.open(newline="") as file:
        reader = csv.DictReader(file)
        note_schema_changes(batch.chronos, set(reader.fieldnames or ()))
        batch.rows = list(reader)
    size = batch.source.stat().st_size
    batch.chronos.data_volume.add(size, pipeline=PIPELINE, direction="read")


def transform(batch: Batch) -> None:
    """Check the rows, and keep the columns of the warehouse."""
    check(batch)
    batch.rows = [{column: row[column] for column in COLUMNS} for row in batch.rows]


def load(batch: Batch) -> None:
    """Write all rows into the warehouse in one transaction."""
    with closing(sqlite3.connect(batch.warehouse)) as warehouse, warehouse:
        warehouse.execute(f"CREATE TABLE orders ({', '.join(COLUMNS)})")
        warehouse.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", map(values, batch.rows))
    size = batch.warehouse.stat().st_size
    batch.chronos.data_volume.add(size, pipeline=PIPELINE, direction="written")


JOBS: Final[Mapping[Stage, Callable[[Batch], None]]] = {
    "extract": extract,
    "transform": transform,
    "load": load,
}


def note_schema_changes(chronos: Chronos, found: set[str]) -> None:
    """Count added and removed columns."""
    expected = set(COLUMNS)
    added, removed = sorted(found - expected), sorted(expected - found)
    chronos.schema_changes.add(len(added), dataset=EXPORT, change="column_added")
    chronos.schema_changes.add(len(removed), dataset=EXPORT, change="column_removed")
    if added or removed:
        log.warning("schema changed", dataset=EXPORT, added=added, removed=removed)


def check(batch: Batch) -> None:
    """Run every check before the error, so that one run shows all failures."""
    lag = freshness_lag(batch.rows)
    batch.chronos.freshness_lag.set(lag, dataset=EXPORT)
    passed: dict[Check, bool] = {
        "volume": len(batch.rows) >= 1,
        "not_null": all(row["amount_cents"] for row in batch.rows),
        "unique": len({row["order_id"] for row in batch.rows}) == len(batch.rows),
        "accepted_values": {row["channel"] for row in batch.rows} <= CHANNELS,
        "freshness": lag <= DAY,
    }
    for name, good in passed.items():
        record_check(batch.chronos, name, passed=good)
    failed = [name for name, good in passed.items() if not good]
    if failed:
        raise QualityError(f"{EXPORT} failed {', '.join(failed)}")


def record_check(chronos: Chronos, name: Check, *, passed: bool) -> None:
    """Count a check, and its success."""
    chronos.quality_checks.add(1, dataset=EXPORT, check=name)
    # Adding 0 creates the series before the first success.
    chronos.quality_check_success.add(int(passed), dataset=EXPORT, check=name)


def freshness_lag(rows: list[Row]) -> float:
    """Return the age of the newest order in seconds."""
    placed = (datetime.fromisoformat(row["placed_at"]) for row in rows)
    newest = max(placed, default=datetime.fromtimestamp(0, UTC))  # no rows: the oldest time
    return (datetime.now(UTC) - newest).total_seconds()


def values(row: Row) -> tuple[str, ...]:
    """Return the values of a row in the order of the columns."""
    return tuple(row[column] for column in COLUMNS)


def write_export(path: Path, *, broken: bool) -> None:
    """Write an export of the shop with a new column; if broken, without amounts."""
    placed_at = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    amount = "" if broken else "1999"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "coupon"])
        writer.writerows([number, "web", amount, placed_at, "NONE"] for number in range(1000))


def run_once(chronos: Chronos, *, fail: bool) -> bool:
    """Run the pipeline in a temporary folder, within one trace."""
    tracer = trace.get_tracer(PIPELINE)
    with TemporaryDirectory() as folder, tracer.start_as_current_span(PIPELINE) as span:
        source = Path(folder, "orders.csv")
        write_export(source, broken=fail)
        succeeded = run(Batch(chronos, source, Path(folder, "warehouse.db")))
        if not succeeded:
            span.set_status(trace.StatusCode.ERROR)
    return succeeded


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fail", action="store_true", help="write broken data")
    parser.add_argument(
        "--serve", type=float, default=0, metavar="SECONDS", help="serve /metrics so long"
    )
    parser.add_argument("--port", type=int, default=9464, help="port of /metrics")
    return parser.parse_args()


def main() -> int:
    """Run the job; return 0 on success and 1 on failure."""
    options = arguments()
    with configure(
        PIPELINE,
        Chronos,
        job=not options.serve,
        metrics="prometheus" if options.serve else None,
        prometheus_port=options.port if options.serve else None,
    ) as telemetry:
        succeeded = run_once(telemetry.bind(Chronos), fail=options.fail)
        time.sleep(options.serve)
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
