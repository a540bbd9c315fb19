"""Sentinel's service "fraud-score": trains a model at start, serves it, and watches it age."""

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

# First, so that whatever comes after it is recorded.
telemetry = configure(MODEL, Sentinel)
sentinel = telemetry.bind(Sentinel)
log = structlog.get_logger("inference")


class Transaction(BaseModel):
    """What is asked about."""

    amount: Annotated[FiniteFloat, Field(ge=0)]
    account_age: Annotated[FiniteFloat, Field(ge=0)]
    failed_logins: Annotated[int, Field(ge=0, le=1000)]
    fraud: bool | None = None
    """The truth, where it is known already: for traffic that is replayed."""

    def features(self) -> Features:
        """What the model gets to see."""
        return self.model_dump(exclude={"fraud"})


class Prediction(BaseModel):
    """What the model says."""

    fraud: bool
    confidence: float


class BadDataError(Exception):
    """Too much of a training set cannot be used."""


@dataclass
class Release:
    """A model in service, and what it has seen lately."""

    model: Model
    baseline: float
    inputs: deque[Features]
    judged: deque[bool]
    predictions: int = 0

    def predict(self, transaction: Transaction) -> Prediction:
        """Say whether it is fraud."""
        probability = self.model.probability(transaction.features())
        fraud = probability >= DECISION
        return Prediction(fraud=fraud, confidence=probability if fraud else 1 - probability)

    def remember(self, transaction: Transaction, prediction: Prediction) -> None:
        """Keep what the checks look at."""
        self.predictions += 1
        self.inputs.append(transaction.features())
        if transaction.fraud is not None:
            self.judged.append(transaction.fraud == prediction.fraud)


released: Release | None = None


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Train before anything is served. In a thread: training must not stop the event loop."""
    global released  # noqa: PLW0603
    released = await asyncio.to_thread(train_and_record)
    yield


app = FastAPI(title=MODEL, lifespan=lifespan)
instrument_fastapi(app, telemetry, ready=lambda: released is not None)


@app.post("/predict")
async def predict(transaction: Transaction) -> Prediction:
    """Ask the model."""
    started = time.perf_counter()
    outcome: Outcome = "error"  # unless what follows succeeds
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
    """Count what the framework refuses before `predict` is asked."""
    if request.url.path == "/predict":
        count_request("invalid_input")
    return await request_validation_exception_handler(request, error)


def in_service() -> Release:
    """The model in service, if training found one."""
    if released is None:
        raise HTTPException(503, "no model is in service")
    return released


def count_request(outcome: Outcome) -> None:
    """Count a request that has been answered."""
    sentinel.inference_requests.add(1, model=MODEL, version=VERSION, outcome=outcome)


def watch(release: Release, transaction: Transaction, prediction: Prediction) -> None:
    """Check now and then whether the model still knows the world it is in."""
    release.remember(transaction, prediction)
    if release.predictions % CHECK_EVERY == 0:
        check_drift(release)
        check_accuracy(release)


def check_drift(release: Release) -> None:
    """Compare recent inputs with those of training, feature by feature."""
    drifted = drifted_features(release.model, release.inputs)
    result: Literal["stable", "drifted"] = "drifted" if drifted else "stable"
    sentinel.drift_checks.add(1, model=MODEL, kind="feature", result=result)
    log.info("drift checked", result=result, features=drifted)


def drifted_features(model: Model, inputs: Sequence[Features]) -> list[str]:
    """Name the features whose mean is far from what it was in training."""
    return [
        name
        for name, scale in model.scales.items()
        if abs(scale.of(fmean(features[name] for features in inputs))) > DRIFT_LIMIT
    ]


def check_accuracy(release: Release) -> None:
    """Compare recent predictions with the truth, as far as it is known."""
    if release.judged:
        show_accuracy(fmean(release.judged), release.baseline)


def show_accuracy(accuracy: float, baseline: float) -> None:
    """Set accuracy as such, and against what it was at release."""
    sentinel.accuracy.set(accuracy, model=MODEL, version=VERSION)
    sentinel.accuracy_to_baseline.set(accuracy / baseline, model=MODEL, version=VERSION)


def train_and_record() -> Release | None:
    """Train, and record how that went. A service without a model says so on /readyz."""
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
    """Train on examples that are whole, and measure on some that training has not seen."""
    collected = sample(1000, broken=BROKEN_ROWS, seed=1)
    whole = [example for example in collected if is_whole(example)]
    check_quality(len(whole) / len(collected))
    model = train(whole[200:])
    release = release_of(model, whole[:200])
    log.info("model trained", examples=len(whole) - 200, accuracy=round(release.baseline, 3))
    return release


def check_quality(score: float) -> None:
    """Refuse to learn from a set that is broken in large part."""
    sentinel.data_quality_score.set(score, model=MODEL, dataset=DATASET)
    if score < LEAST_QUALITY:
        raise BadDataError(f"only {score:.0%} of the training set can be used")


def release_of(model: Model, unseen: Sequence[Example]) -> Release:
    """Put a model in service, and show what it is made of."""
    for feature, importance in model.importance().items():
        sentinel.feature_importance.set(importance, model=MODEL, feature=feature)
    baseline = model.accuracy(unseen)
    show_accuracy(baseline, baseline)
    return Release(model, baseline, deque(maxlen=200), deque(maxlen=200))


def main() -> None:
    """Serve on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8003)
    # uvicorn's own set-up of logging would print plain text between the JSON lines.
    uvicorn.run(app, port=parser.parse_args().port, log_config=None)


if __name__ == "__main__":
    main()
