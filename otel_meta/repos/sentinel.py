"""Sentinel: models, their training and their inference."""

from __future__ import annotations

from typing import Literal

from otel_meta import measures
from otel_meta.model import Alert, Counter, Gauge, Histogram, MetaRepo, Recording, Slo, labels


@labels
class ModelVersion:
    """A model as released."""

    model: str
    version: str


@labels
class Inference:
    """Questions put to a model."""

    model: str
    version: str
    outcome: Literal["success", "invalid_input", "timeout", "error"]


@labels
class DriftCheck:
    """A comparison of what a model sees with what it was trained on."""

    model: str
    kind: Literal["feature", "prediction", "label"]
    result: Literal["stable", "drifted"]


@labels
class TrainingRun:
    """A training run that has ended."""

    model: str
    outcome: Literal["success", "failure"]


@labels
class TrainingFailure:
    """Why a training run failed."""

    model: str
    reason: Literal["bad_data", "out_of_memory", "diverged", "timeout", "infrastructure"]


@labels
class TrainingSet:
    """Data that a model learns from."""

    model: str
    dataset: str


@labels
class Feature:
    """An input of a model."""

    model: str
    feature: str


class Sentinel(MetaRepo, name="sentinel-ai-engine", owner="ml-platform", tier=1):
    """Model training and inference."""

    inference_requests = Counter(
        "model.inference.requests",
        "Inference requests answered, by outcome.",
        Inference,
        unit="{request}",
    )
    inference_duration = Histogram(
        "model.inference.duration",
        "Time to answer an inference request, queueing included.",
        ModelVersion,
        unit="s",
        buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10),
    )
    prediction_confidence = Histogram(
        "model.prediction.confidence",
        "Confidence that a model states with a prediction, 0 to 1.",
        ModelVersion,
        unit="{confidence}",
        buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99),
    )
    accuracy = Gauge(
        "model.accuracy",
        "Share of predictions that turned out right, 0 to 1, on the latest labelled traffic.",
        ModelVersion,
        unit="{ratio}",
    )
    accuracy_to_baseline = Gauge(
        "model.accuracy.baseline_ratio",
        "Accuracy now, divided by the accuracy at release.",
        ModelVersion,
    )
    drift_checks = Counter(
        "model.drift.checks",
        "Drift checks made, by what was compared and what was found.",
        DriftCheck,
        unit="{check}",
    )
    training_runs = Counter(
        "model.training.runs", "Training runs ended, by outcome.", TrainingRun, unit="{run}"
    )
    training_failures = Counter(
        "model.training.failures",
        "Training runs that failed, by reason.",
        TrainingFailure,
        unit="{failure}",
    )
    training_duration = Histogram(
        "model.training.duration",
        "Time from the start of a training run to its end.",
        TrainingRun,
        unit="s",
        buckets=(60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400),
    )
    data_quality_score = Gauge(
        "model.data.quality.score",
        "Quality of a training set, 0 to 1: the share of rows that pass every check.",
        TrainingSet,
        unit="{score}",
    )
    feature_importance = Gauge(
        "model.feature.importance",
        "Share of a model's output that a feature explains, 0 to 1.",
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
        why="Products fall back to rules that decide worse than the model.",
    )
    inference_latency = Slo(
        "sentinel-inference-latency",
        objective="99%",  # P99
        period="7d",
        sli=inference_duration.within(0.5),
        why="Callers give up on a prediction after half a second.",
    )
    accuracy_maintenance = Slo(
        "sentinel-accuracy-maintenance",
        objective="95%",
        period="30d",
        sli=accuracy_to_baseline.at_least(0.95),
        why="A model that has decayed misleads everybody who still trusts it.",
    )

    inference_latency_p99 = Recording(
        "service:model_inference_duration_seconds:p99_7d",
        measures.quantile(inference_duration, "0.99", "7d"),
        "P99 of the time to answer an inference request, in seconds, over 7 days.",
    )
    current_accuracy = Recording(
        "model_version:model_accuracy:min",
        measures.latest(accuracy, aggregation="min", by=("model", "version")),
        "Accuracy of each model and version now, 0 to 1.",
    )
    drift_rate = Recording(
        "model:model_drift_checks:drifted_share_7d",
        measures.share(drift_checks.where(result="drifted"), drift_checks, "7d", by=("model",)),
        "Share of a model's drift checks that found drift, over 7 days.",
    )
    training_success_rate = Recording(
        "model:model_training_runs:success_share_7d",
        measures.share(training_runs.where(outcome="success"), training_runs, "7d", by=("model",)),
        "Share of a model's training runs that succeeded, over 7 days.",
    )

    drift_detected = Alert(
        name="SentinelModelDriftDetected",
        measure=measures.increase(drift_checks.where(result="drifted"), "1h", by=("model", "kind")),
        above=0,
        severity="ticket",
        summary="A model sees other data than it was trained on.",
        first_steps=(
            "Which kind of drift it is; then model_data_quality_score of the data sets behind "
            "the model, and the freshness of the pipelines that fill them."
        ),
    )
    accuracy_degraded = Alert(
        name="SentinelModelAccuracyDegraded",
        measure=measures.over_time(
            accuracy_to_baseline, "avg", "30m", aggregation="min", by=("model", "version")
        ),
        below=0.95,
        severity="ticket",
        summary="A model has lost more than 5 % of the accuracy it was released with.",
        first_steps=(
            "Whether the drift alert of the same model fires; without drift, look at labels "
            "that arrive late and at the last change of features."
        ),
    )
