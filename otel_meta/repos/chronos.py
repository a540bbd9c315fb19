"""Chronos: data pipelines, Airflow and dbt."""

from __future__ import annotations

from typing import Literal

from otel_meta import measures
from otel_meta.model import (
    Alert,
    Counter,
    Duration,
    Gauge,
    Histogram,
    MetaRepo,
    Recording,
    Slo,
    labels,
)


@labels
class PipelineRun:
    """A pipeline run that has ended."""

    pipeline: str
    outcome: Literal["success", "failure"]


@labels
class Pipeline:
    """A pipeline, whatever runs it."""

    pipeline: str
    stage: Literal["extract", "transform", "load"]


@labels
class QualityCheck:
    """An expectation about a data set."""

    dataset: str
    check: Literal["not_null", "unique", "accepted_values", "relationship", "freshness", "volume"]


@labels
class AirflowTask:
    """A task instance of a DAG that has ended."""

    dag: str
    task: str
    state: Literal["success", "failed", "skipped", "upstream_failed"]


@labels
class DbtModel:
    """A dbt model and how it is kept."""

    model: str
    materialization: Literal["view", "table", "incremental", "ephemeral", "snapshot"]


@labels
class Dataset:
    """A table, or a prefix of files."""

    dataset: str


@labels
class DataFlow:
    """Data that a pipeline moves."""

    pipeline: str
    direction: Literal["read", "written"]


@labels
class SchemaChange:
    """A difference between the schema expected and the schema found."""

    dataset: str
    change: Literal["column_added", "column_removed", "type_changed", "table_removed"]


class Chronos(MetaRepo, name="chronos-data-platform", owner="data-platform"):
    """Pipelines, Airflow and dbt."""

    pipeline_runs = Counter(
        "pipeline.runs", "Pipeline runs ended, by outcome.", PipelineRun, unit="{run}"
    )
    pipeline_duration = Histogram(
        "pipeline.duration",
        "Time from a pipeline's scheduled start to its end.",
        PipelineRun,
        unit="s",
        buckets=(30, 60, 120, 300, 600, 900, 1800, 2700, 3600, 5400, 7200, 14_400),
    )
    records_processed = Counter(
        "pipeline.records.processed",
        "Records that left a stage of a pipeline.",
        Pipeline,
        unit="{record}",
    )
    quality_checks = Counter(
        "data.quality.checks", "Data quality checks made.", QualityCheck, unit="{check}"
    )
    quality_check_success = Counter(
        "data.quality.check.success",
        "Data quality checks that passed.",
        QualityCheck,
        unit="{check}",
    )
    airflow_task_runs = Counter(
        "airflow.task.runs", "Airflow task instances ended, by state.", AirflowTask, unit="{run}"
    )
    dbt_model_duration = Histogram(
        "dbt.model.duration",
        "Time that dbt takes to build a model.",
        DbtModel,
        unit="s",
        buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
    )
    freshness_lag = Gauge(
        "data.freshness.lag",
        "Age of the newest record of a data set.",
        Dataset,
        unit="s",
    )
    data_volume = Counter("data.volume", "Data that pipelines read and wrote.", DataFlow, unit="By")
    schema_changes = Counter(
        "data.schema.changes.detected",
        "Schema changes found in data sets.",
        SchemaChange,
        unit="{change}",
    )

    pipeline_success = Slo(
        "chronos-pipeline-success",
        objective="99%",
        period="7d",
        no_data_after="26h",  # most pipelines run once a day
        sli=pipeline_runs.ratio(bad=pipeline_runs.where(outcome="failure")),
        why="Reports and models are built on yesterday's data until somebody reruns it.",
    )
    pipeline_latency = Slo(
        "chronos-pipeline-latency",
        objective="95%",  # P95
        period="7d",
        no_data_after="26h",  # most pipelines run once a day
        sli=pipeline_duration.within(3600),
        why="Data that takes over an hour misses the morning's decisions.",
    )
    quality_check_success_rate = Slo(
        "chronos-data-quality",
        objective="99%",
        period="7d",
        no_data_after="26h",  # most pipelines run once a day
        sli=quality_checks.ratio(good=quality_check_success),
        why="Wrong data is believed for longer than missing data.",
    )

    records_rate = Recording(
        "pipeline:pipeline_records_processed:rate1h",
        measures.rate(records_processed, "1h", by=("pipeline", "stage")),
        "Records that leave a stage of a pipeline each second, over 1 hour.",
    )
    pipeline_latency_p95 = Recording(
        "service:pipeline_duration_seconds:p95_7d",
        measures.quantile(pipeline_duration, "0.95", "7d"),
        "P95 of a pipeline's duration, in seconds, over 7 days.",
    )
    dbt_duration_p95 = Recording(
        "model:dbt_model_duration_seconds:p95_7d",
        measures.quantile(dbt_model_duration, "0.95", "7d", by=("model",)),
        "P95 of the time that dbt takes to build a model, in seconds, over 7 days.",
    )

    quality_check_failures = Alert(
        name="ChronosDataQualityCheckFailures",
        measure=measures.share(quality_check_success, quality_checks, "1h", by=("dataset",)),
        below=0.99,
        for_=Duration("5m"),  # sums are short of series while Prometheus starts
        severity="ticket",
        summary="Checks of a data set fail.",
        first_steps=(
            "Compare data_volume_bytes_total and data_schema_changes_detected_total with "
            "yesterday's: an upstream change comes before a bad transformation."
        ),
    )
    airflow_task_failures = Alert(
        name="ChronosAirflowTaskFailures",
        measure=measures.increase(
            airflow_task_runs.where(state="failed"), "15m", by=("dag", "task")
        ),
        above=0,
        severity="ticket",
        summary="A task of a DAG failed after its last retry.",
        first_steps="The task's log in Airflow; then the freshness of the data sets that it reads.",
    )
