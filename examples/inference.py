"""Sentinel's service "fraud-score": training at startup, predictions, drift checks."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated, Final, Literal

import structlog
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from logistic_regression import DECISION, Example, Features, Model, is_whole, sample, train
from pydantic import BaseModel, Field, FiniteFloat

from otel_meta import configure, instrument_fastapi
from otel_meta.repos import Sentinel

MODEL: Final = "fraud-score"
VERSION: Final = "1"
DATASET: Final = "transactions"
BROKEN_ROWS: Final = float(os.environ.get("INFERENCE_BROKEN_ROWS", "0.02"))
LEAST_QUALITY: Final = 0.8
CHECK_EVERY: Final = 50  # predictions
DRIFT_LIMIT: Final = 0.75  # standard deviations between the mean now and the mean in training

Outcome = Literal["success", "invalid_input", "timeout", "error"]

# First, so that all later calls are recorded.
telemetry = configure(MODEL, Sentinel)
sentinel = telemetry.bind(Sentinel)
log = structlog.get_logger("inference")


class Transaction(BaseModel):
    """A transaction to classify."""

    amount: Annotated[FiniteFloat, Field(ge=0)]
    account_age: Annotated[FiniteFloat, Field(ge=0)]
    failed_logins: Annotated[int, Field(ge=0, le=1000)]
    fraud: bool | None = None
    """The true class if known, as in replayed traffic."""

    def features(self) -> Features:
        """Return the features for the model."""
        return self.model_dump(exclude={"fraud"})


class Prediction(BaseModel):
    """The result for one transaction."""

    fraud: bool
    confidence: float


class BadDataError(Exception):
    """Too many rows of the training set are broken."""


@dataclass
class Release:
    """A model in service with its recent inputs and results."""

    model: Model
    baseline: float
    inputs: deque[Features]
    judged: deque[bool]
    predictions: int = 0

    def predict(self, transaction: Transaction) -> Prediction:
        """Classify a transaction."""
        probability = self.model.probability(transaction.features())
        fraud = probability >= DECISION
        return Prediction(fraud=fraud, confidence=probability if fraud else 1 - probability)

    def remember(self, transaction: Transaction, prediction: Prediction) -> None:
        """Keep inputs and results for the checks."""
        self.predictions += 1
        self.inputs.append(transaction.features())
        if transaction.fraud is not None:
            self.judged.append(transaction.fraud == prediction.fraud)


released: Release | None = None


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Train before the first request, in a thread to keep the event loop free."""
    global released  # noqa: PLW0603
    released = await asyncio.to_thread(train_and_record)
    yield


app = FastAPI(title=MODEL, lifespan=lifespan)
instrument_fastapi(app, telemetry, ready=lambda: released is not None)


@app.post("/predict")
async def predict(transaction: Transaction) -> Prediction:
    """Classify a transaction."""
    started = time.perf_counter()
    outcome: Outcome = "error"  # unless the prediction succeeds
    try:
        release = in_service()
        prediction = release.predict(transaction)
        outcome = "success"
    finally:
        count_request(outcome)
        duration = time.perf_counter() - started
        sentinel.inference_duration.record(duration, model=MODEL, version=VERSION)
    sentinel.prediction_confidence.record(prediction.confidence, model=MODEL, version=VERSION)
    watch(release, transaction, prediction)
    return prediction


@app.exception_handler(RequestValidationError)
async def count_invalid(request: Request, error: RequestValidationError) -> Response:
    """Count requests rejected by the framework before `predict`."""
    if request.url.path == "/predict":
        count_request("invalid_input")
    return await request_validation_exception_handler(request, error)


def in_service() -> Release:
    """Return the model in service; without a model, respond with status 503."""
    if released is None:
        raise HTTPException(503, "no model is in service")
    return released


def count_request(outcome: Outcome) -> None:
    """Count a request by its outcome."""
    sentinel.inference_requests.add(1, model=MODEL, version=VERSION, outcome=outcome)


def watch(release: Release, transaction: Transaction, prediction: Prediction) -> None:
    """Run the checks after every 50th prediction."""
    release.remember(transaction, prediction)
    if release.predictions % CHECK_EVERY == 0:
        check_drift(release)
        check_accuracy(release)


def check_drift(release: Release) -> None:
    """Compare recent inputs with the training set."""
    drifted = drifted_features(release.model, release.inputs)
    result: Literal["stable", "drifted"] = "drifted" if drifted else "stable"
    sentinel.drift_checks.add(1, model=MODEL, kind="feature", result=result)
    log.info("drift checked", result=result, features=drifted)


def drifted_features(model: Model, inputs: Sequence[Features]) -> list[str]:
    """Return the features with a mean far from the mean in training."""
    return [
        name
        for name, scale in model.scales.items()
        if abs(scale.of(fmean(features[name] for features in inputs))) > DRIFT_LIMIT
    ]


def check_accuracy(release: Release) -> None:
    """Compare recent predictions with the known classes."""
    if release.judged:
        show_accuracy(fmean(release.judged), release.baseline)


def show_accuracy(accuracy: float, baseline: float) -> None:
    """Set the accuracy and its ratio to the baseline."""
    sentinel.accuracy.set(accuracy, model=MODEL, version=VERSION)
    sentinel.accuracy_to_baseline.set(accuracy / baseline, model=MODEL, version=VERSION)


def train_and_record() -> Release | None:
    """Train and record the result; return None if the data is bad."""
    started = time.perf_counter()
    outcome: Literal["success", "failure"] = "failure"
    try:
        release = train_model()
        outcome = "success"
    except BadDataError as error:
        sentinel.training_failures.add(1, model=MODEL, reason="bad_data")
        log.error("training failed", error=str(error))  # noqa: TRY400
        return None
    finally:
        duration = time.perf_counter() - started
        sentinel.training_runs.add(1, model=MODEL, outcome=outcome)
        sentinel.training_duration.record(duration, model=MODEL, outcome=outcome)
    return release


def train_model() -> Release:
    """Train on complete examples, and measure accuracy on others."""
    collected = sample(1000, broken=BROKEN_ROWS, seed=1)
    whole = [example for example in collected if is_whole(example)]
    check_quality(len(whole) / len(collected))
    model = train(whole[200:])
    release = release_of(model, whole[:200])
    log.info("model trained", examples=len(whole) - 200, accuracy=round(release.baseline, 3))
    return release


def check_quality(score: float) -> None:
    """Raise an error if too many examples are broken."""
    sentinel.data_quality_score.set(score, model=MODEL, dataset=DATASET)
    if score < LEAST_QUALITY:
        raise BadDataError(f"only {score:.0%} of the training set can be used")


def release_of(model: Model, unseen: Sequence[Example]) -> Release:
    """Put a model in service, and set its gauges."""
    for feature, importance in model.importance().items():
        sentinel.feature_importance.set(importance, model=MODEL, feature=feature)
    baseline = model.accuracy(unseen)
    show_accuracy(baseline, baseline)
    return Release(model, baseline, deque(maxlen=200), deque(maxlen=200))


def main() -> None:
    """Serve on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8003)
    # Without uvicorn's logging, which prints plain text between the JSON lines.
    uvicorn.run(app, port=parser.parse_args().port, log_config=None)


if __name__ == "__main__":
    main()
