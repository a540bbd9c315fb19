"""Chronos' job "nightly-orders": a pipeline without a web server, from CSV into SQLite."""

from __future__ import annotations

import argparse
import csv
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final, Literal, NoReturn

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
    """Data that must not reach the warehouse."""


@dataclass
class Batch:
    """One night's orders, and where they come from and go to."""

    chronos: Chronos
    source: Path
    warehouse: Path
    rows: list[Row] = field(default_factory=list[Row])


def run(batch: Batch) -> bool:
    """Run every stage, and record how the pipeline did. Says whether it succeeded."""
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
    """Run one stage. What it raises ends the pipeline, not the process: that has to report."""
    try:
        job(batch)
    except Exception:
        log.exception("task failed", task=stage)
        return "failed"
    batch.chronos.records_processed.add(len(batch.rows), pipeline=PIPELINE, stage=stage)
    log.info("task done", task=stage, records=len(batch.rows))
    return "success"


def extract(batch: Batch) -> None:
    """Read the export, and see whether it still has the columns that it should."""
    with batch.source.open(newline="") as file:
        reader = csv.DictReader(file)
        note_schema_changes(batch.chronos, set(reader.fieldnames or ()))
        batch.rows = list(reader)
    size = batch.source.stat().st_size
    batch.chronos.data_volume.add(size, pipeline=PIPELINE, direction="read")


def transform(batch: Batch) -> None:
    """Check the rows, and keep the columns that the warehouse knows."""
    check(batch)
    batch.rows = [{column: row[column] for column in COLUMNS} for row in batch.rows]


def load(batch: Batch) -> None:
    """Write the rows into the warehouse, all or none."""
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
    """Count columns that came or went since the pipeline was written."""
    expected = set(COLUMNS)
    added, removed = sorted(found - expected), sorted(expected - found)
    chronos.schema_changes.add(len(added), dataset=EXPORT, change="column_added")
    chronos.schema_changes.add(len(removed), dataset=EXPORT, change="column_removed")
    if added or removed:
        log.warning("schema changed", dataset=EXPORT, added=added, removed=removed)


def check(batch: Batch) -> None:
    """Make every check before judging, so that one night shows all that is wrong."""
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
    """Count a check, and once more if it passed."""
    chronos.quality_checks.add(1, dataset=EXPORT, check=name)
    # Zero is worth recording: the series is there before the first success.
    chronos.quality_check_success.add(int(passed), dataset=EXPORT, check=name)


def freshness_lag(rows: list[Row]) -> float:
    """Seconds since the newest order was placed."""
    placed = (datetime.fromisoformat(row["placed_at"]) for row in rows)
    newest = max(placed, default=datetime.fromtimestamp(0, UTC))  # of nothing, all is old
    return (datetime.now(UTC) - newest).total_seconds()


def values(row: Row) -> tuple[str, ...]:
    """A row's values in the order of the columns."""
    return tuple(row[column] for column in COLUMNS)


def write_export(path: Path, *, broken: bool) -> None:
    """Imitate what the shop exports: with a column that is new, and on a bad night without sums."""
    placed_at = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    amount = "" if broken else "1999"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "coupon"])
        writer.writerows([number, "web", amount, placed_at, "NONE"] for number in range(1000))


def run_once(chronos: Chronos, *, fail: bool) -> bool:
    """Run the pipeline in a folder of its own, within one trace."""
    tracer = trace.get_tracer(PIPELINE)
    with TemporaryDirectory() as folder, tracer.start_as_current_span(PIPELINE) as span:
        source = Path(folder, "orders.csv")
        write_export(source, broken=fail)
        succeeded = run(Batch(chronos, source, Path(folder, "warehouse.db")))
        if not succeeded:
            span.set_status(trace.StatusCode.ERROR)
    return succeeded


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fail", action="store_true", help="have the data be wrong")
    parser.add_argument("--serve", type=float, default=0, metavar="SECONDS", help="be scraped")
    parser.add_argument("--port", type=int, default=9464, help="where, with --serve")
    return parser.parse_args()


def stop(number: int, _frame: FrameType | None) -> NoReturn:
    """End the process by leaving every block that it is in."""
    sys.exit(128 + number)


def main() -> int:
    """Run the job; 0 if it succeeded, else 1."""
    given = arguments()
    # Leave the block below when asked to stop, so that what was recorded is pushed.
    signal.signal(signal.SIGTERM, stop)
    with configure(
        PIPELINE,
        Chronos,
        metrics="prometheus" if given.serve else None,
        prometheus_port=given.port if given.serve else None,
    ) as telemetry:
        succeeded = run_once(telemetry.bind(Chronos), fail=given.fail)
        time.sleep(given.serve)
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
