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
    """A finished pipeline run."""

    pipeline: str
    outcome: Literal["success", "failure"]


@labels
class Pipeline:
    """A stage of a pipeline."""

    pipeline: str
    stage: Literal["extract", "transform", "load"]


@labels
class QualityCheck:
    """A data quality check of a data set."""

    dataset: str
    check: Literal["not_null", "unique", "accepted_values", "relationship", "freshness", "volume"]


@labels
class AirflowTask:
    """A finished task instance of a DAG."""

    dag: str
    task: str
    state: Literal["success", "failed", "skipped", "upstream_failed"]


@labels
class DbtModel:
    """A dbt model and its materialization."""

    model: str
    materialization: Literal["view", "table", "incremental", "ephemeral", "snapshot"]


@labels
class Dataset:
    """A table, or a prefix of files."""

    dataset: str


@labels
class DataFlow:
    """Data read or written by a pipeline."""

    pipeline: str
    direction: Literal["read", "written"]


@labels
class SchemaChange:
    """A difference between the expected and the actual schema."""

    dataset: str
    change: Literal["column_added", "column_removed", "type_changed", "table_removed"]


class Chronos(
    MetaRepo,
    name="chronos-data-platform",
    owner="data-platform",
    escalation="Write to the channel of the data platform; at night, data can wait until six.",
):
    """Pipelines, Airflow and dbt."""

    pipeline_runs = Counter(
        "pipeline.runs", "Finished pipeline runs, by outcome.", PipelineRun, unit="{run}"
    )
    pipeline_duration = Histogram(
        "pipeline.duration",
        "Time from the scheduled start of a pipeline run to its end.",
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
        "data.quality.checks", "Data quality checks.", QualityCheck, unit="{check}"
    )
    quality_check_success = Counter(
        "data.quality.check.success",
        "Data quality checks that passed.",
        QualityCheck,
        unit="{check}",
    )
    airflow_task_runs = Counter(
        "airflow.task.runs", "Finished Airflow task instances, by state.", AirflowTask, unit="{run}"
    )
    dbt_model_duration = Histogram(
        "dbt.model.duration",
        "Duration of the build of a dbt model.",
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
    data_volume = Counter("data.volume", "Data read and written by pipelines.", DataFlow, unit="By")
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
        why="Reports and models use yesterday's data until the pipeline is run again.",
        first_steps=(
            "- One pipeline: `airflow_task_runs_total` with state `failed` names the task. "
            "Read its log, mend the cause, and run the pipeline again.\n"
            "- Many pipelines at once: check the warehouse, the object store, and the "
            "credentials of both.\n"
            "- A source changed: `data_schema_changes_detected_total` names the data set. Pause "
            "the pipelines that read it."
        ),
    )
    pipeline_latency = Slo(
        "chronos-pipeline-latency",
        objective="95%",  # P95
        period="7d",
        no_data_after="26h",  # most pipelines run once a day
        sli=pipeline_duration.within(3600),
        why="Data that arrives after more than an hour is too late for the morning's decisions.",
        first_steps=(
            "- One pipeline: compare `dbt_model_duration_seconds` and "
            "`data_volume_bytes_total` with yesterday: a slow model, or more data.\n"
            "- All pipelines from one minute on: tasks wait for the scheduler or the "
            "warehouse. Pause backfills.\n"
            "- Tell the readers of the data when it will arrive."
        ),
    )
    quality_check_success_rate = Slo(
        "chronos-data-quality",
        objective="99%",
        period="7d",
        no_data_after="26h",  # most pipelines run once a day
        sli=quality_checks.ratio(good=quality_check_success),
        why="Wrong data is trusted, and found later than missing data.",
        first_steps=(
            "- Check `freshness` or `volume`: the source is late. `data_freshness_lag_seconds` "
            "says by how much; ask its owner.\n"
            "- Check `not_null`, `unique` or `relationship`: undo the last change of the "
            "transformation.\n"
            "- Check `accepted_values`: the source has new values; "
            "`data_schema_changes_detected_total` shows other changes of it.\n"
            "- Hold the data set back from its readers until the checks pass."
        ),
    )

    records_rate = Recording(
        "pipeline:pipeline_records_processed:rate1h",
        measures.rate(records_processed, "1h", by=("pipeline", "stage")),
        "Records per second that leave a stage of a pipeline, over 1 hour.",
    )
    pipeline_latency_p95 = Recording(
        "service:pipeline_duration_seconds:p95_7d",
        measures.quantile(pipeline_duration, "0.95", "7d"),
        "P95 duration of pipeline runs, in seconds, over 7 days.",
    )
    dbt_duration_p95 = Recording(
        "model:dbt_model_duration_seconds:p95_7d",
        measures.quantile(dbt_model_duration, "0.95", "7d", by=("model",)),
        "P95 duration of the builds of a dbt model, in seconds, over 7 days.",
    )

    quality_check_failures = Alert(
        name="ChronosDataQualityCheckFailures",
        measure=measures.share(
            quality_check_success, quality_checks, "1h", by=("service_name", "dataset")
        ),
        below=0.99,
        for_=Duration("5m"),  # while Prometheus starts, sums lack series
        severity="ticket",
        slo=quality_check_success_rate,
        summary="More than 1 % of the quality checks of a data set fail.",
        first_steps=(
            "Compare data_volume_bytes_total and data_schema_changes_detected_total with "
            "yesterday: an upstream change is more likely than a wrong transformation."
        ),
    )
    airflow_task_failures = Alert(
        name="ChronosAirflowTaskFailures",
        measure=measures.increase(
            airflow_task_runs.where(state="failed"), "15m", by=("service_name", "dag", "task")
        ),
        above=0,
        severity="ticket",
        summary="A task of a DAG failed after its last retry.",
        first_steps="Read the log of the task in Airflow, then check the freshness of its inputs.",
    )
