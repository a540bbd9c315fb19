"""Sentinel: training and inference of models."""

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
class ModelVersion:
    """A released version of a model."""

    model: str
    version: str


@labels
class Inference:
    """An inference request."""

    model: str
    version: str
    outcome: Literal["success", "invalid_input", "timeout", "error"]


@labels
class DriftCheck:
    """A comparison of live data with training data."""

    model: str
    kind: Literal["feature", "prediction", "label"]
    result: Literal["stable", "drifted"]


@labels
class TrainingRun:
    """A finished training run."""

    model: str
    outcome: Literal["success", "failure"]


@labels
class TrainingFailure:
    """A failed training run."""

    model: str
    reason: Literal["bad_data", "out_of_memory", "diverged", "timeout", "infrastructure"]


@labels
class TrainingSet:
    """A data set for the training of a model."""

    model: str
    dataset: str


@labels
class Feature:
    """An input feature of a model."""

    model: str
    feature: str


class Sentinel(
    MetaRepo,
    name="sentinel-ai-engine",
    owner="ml-platform",
    tier=1,
    escalation="Write to the channel of the model platform by day, and phone its rota at night.",
):
    """Model training and inference."""

    inference_requests = Counter(
        "model.inference.requests",
        "Finished inference requests, by outcome.",
        Inference,
        unit="{request}",
    )
    inference_duration = Histogram(
        "model.inference.duration",
        "Time to answer an inference request, including time in the queue.",
        ModelVersion,
        unit="s",
        buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10),
    )
    prediction_confidence = Histogram(
        "model.prediction.confidence",
        "Confidence of a prediction, 0 to 1.",
        ModelVersion,
        unit="{confidence}",
        buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99),
    )
    accuracy = Gauge(
        "model.accuracy",
        "Share of correct predictions on the latest labelled traffic, 0 to 1.",
        ModelVersion,
        unit="{ratio}",
    )
    accuracy_to_baseline = Gauge(
        "model.accuracy.baseline_ratio",
        "Current accuracy, divided by the accuracy at release.",
        ModelVersion,
    )
    drift_checks = Counter(
        "model.drift.checks",
        "Drift checks, by kind of drift and result.",
        DriftCheck,
        unit="{check}",
    )
    training_runs = Counter(
        "model.training.runs", "Finished training runs, by outcome.", TrainingRun, unit="{run}"
    )
    training_failures = Counter(
        "model.training.failures",
        "Failed training runs, by reason.",
        TrainingFailure,
        unit="{failure}",
    )
    training_duration = Histogram(
        "model.training.duration",
        "Duration of a training run.",
        TrainingRun,
        unit="s",
        buckets=(60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400),
    )
    data_quality_score = Gauge(
        "model.data.quality.score",
        "Share of rows of a training set that pass every check, 0 to 1.",
        TrainingSet,
        unit="{score}",
    )
    feature_importance = Gauge(
        "model.feature.importance",
        "Importance of a feature for the output of a model, 0 to 1.",
        Feature,
        unit="{importance}",
    )

    inference_availability = Slo(
        "sentinel-inference-availability",
        objective="99%",
        period="7d",
        sli=inference_requests.ratio(
            bad=inference_requests.where(outcome=("timeout", "error")),
        ),
        why="Products fall back to rules, which decide worse than the model.",
        first_steps=(
            "- One version: route its traffic to the version before.\n"
            "- Outcome `timeout` for all versions: add replicas, and refuse batch callers "
            "first.\n"
            "- Outcome `error` for all models: check the accelerators, and the store that the "
            "features come from."
        ),
    )
    inference_latency = Slo(
        "sentinel-inference-latency",
        objective="99%",  # P99
        period="7d",
        sli=inference_duration.within(0.5),
        why="Callers give up on a prediction after half a second.",
        first_steps=(
            "- One version: route its traffic to the version before.\n"
            "- All versions: `model_inference_requests_total` by model shows whose traffic "
            "grew. Add replicas, or limit that caller.\n"
            "- One instance: replace it; its accelerator may be shared or throttled."
        ),
    )
    accuracy_maintenance = Slo(
        "sentinel-accuracy-maintenance",
        objective="95%",
        period="30d",
        sli=accuracy_to_baseline.at_least(0.95),
        why="Decisions based on a degraded model are wrong more often.",
        first_steps=(
            "- `model_drift_checks_total` with result `drifted` for the same model: train the "
            "model again with newer data.\n"
            "- No drift: `model_data_quality_score` shows a bad training set; otherwise labels "
            "arrive late, or a feature changed.\n"
            "- Decisions are at risk: route the traffic to the version before."
        ),
    )

    inference_latency_p99 = Recording(
        "service:model_inference_duration_seconds:p99_7d",
        measures.quantile(inference_duration, "0.99", "7d"),
        "P99 of the time to answer an inference request, in seconds, over 7 days.",
    )
    current_accuracy = Recording(
        "model_version:model_accuracy:min",
        measures.latest(accuracy, aggregation="min", by=("model", "version")),
        "Current accuracy of each model and version, 0 to 1.",
    )
    drift_rate = Recording(
        "model:model_drift_checks:drifted_share_7d",
        measures.share(drift_checks.where(result="drifted"), drift_checks, "7d", by=("model",)),
        "Share of drift checks of a model that found drift, over 7 days.",
    )
    training_success_rate = Recording(
        "model:model_training_runs:success_share_7d",
        measures.share(training_runs.where(outcome="success"), training_runs, "7d", by=("model",)),
        "Share of successful training runs of a model, over 7 days.",
    )

    drift_detected = Alert(
        name="SentinelModelDriftDetected",
        measure=measures.increase(
            drift_checks.where(result="drifted"), "1h", by=("service_name", "model", "kind")
        ),
        above=0,
        severity="ticket",
        summary="The live data of a model differs from its training data.",
        first_steps=(
            "Read the kind of drift; then check model_data_quality_score of the training sets "
            "and the freshness of the pipelines that fill them."
        ),
    )
    accuracy_degraded = Alert(
        name="SentinelModelAccuracyDegraded",
        measure=measures.latest(
            accuracy_to_baseline, aggregation="min", by=("service_name", "model", "version")
        ),
        below=0.95,
        for_=Duration("30m"),
        severity="ticket",
        slo=accuracy_maintenance,
        summary="A model has lost more than 5 % of its accuracy at release.",
        first_steps=(
            "Check if the drift alert of the same model fires; without drift, check for late "
            "labels and for the last change of features."
        ),
    )
