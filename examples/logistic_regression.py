"""A logistic regression in pure Python, small enough to be trained when a service starts."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FEATURES: Final = ("amount", "account_age", "failed_logins")
DECISION: Final = 0.5
FRAUD_RATIO: Final = 0.3

Features = Mapping[str, float]


@dataclass(frozen=True)
class Example:
    """The features of a transaction, and its class."""

    features: Features
    fraud: bool


@dataclass(frozen=True)
class Scale:
    """Mean and deviation of a feature in training."""

    mean: float
    deviation: float

    def of(self, value: float) -> float:
        """Return the distance from the mean in standard deviations."""
        return (value - self.mean) / self.deviation


@dataclass(frozen=True)
class Model:
    """The result of training."""

    scales: Mapping[str, Scale]
    weights: Mapping[str, float]
    bias: float

    def probability(self, features: Features) -> float:
        """Return the probability of fraud."""
        total = sum(
            self.weights[name] * scale.of(features[name]) for name, scale in self.scales.items()
        )
        # Beyond 30 the result is 0 or 1, and beyond 700 `exp` overflows.
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total + self.bias))))

    def accuracy(self, examples: Sequence[Example]) -> float:
        """Return the share of correct classifications."""
        right = sum((self.probability(e.features) >= DECISION) == e.fraud for e in examples)
        return right / len(examples)

    def importance(self) -> Mapping[str, float]:
        """Return the share of each feature in the result."""
        total = sum(map(abs, self.weights.values()))
        return {name: abs(weight) / total for name, weight in self.weights.items()}


def train(examples: Sequence[Example], *, rounds: int = 60, rate: float = 1.0) -> Model:
    """Train by gradient descent on the log loss."""
    scales = {name: _scale([e.features[name] for e in examples]) for name in FEATURES}
    model = Model(scales, dict.fromkeys(FEATURES, 0.0), 0.0)
    for _ in range(rounds):
        model = _step(model, examples, rate / len(examples))
    return model


def sample(size: int, *, broken: float, seed: int) -> list[Example]:
    """Return random examples; the share ``broken`` lacks a value."""
    dice = random.Random(seed)
    return [_example(dice, broken=dice.random() < broken) for _ in range(size)]


def is_whole(example: Example) -> bool:
    """Return True if an example has all values."""
    return all(map(math.isfinite, example.features.values()))


def _scale(values: Sequence[float]) -> Scale:
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
    return Scale(mean, math.sqrt(variance) or 1.0)


def _step(model: Model, examples: Sequence[Example], rate: float) -> Model:
    errors = [example.fraud - model.probability(example.features) for example in examples]
    weights = {
        name: model.weights[name]
        + rate * sum(e * scale.of(x.features[name]) for e, x in zip(errors, examples, strict=True))
        for name, scale in model.scales.items()
    }
    return Model(model.scales, weights, model.bias + rate * sum(errors))


def _example(dice: random.Random, *, broken: bool) -> Example:
    fraud = dice.random() < FRAUD_RATIO
    features = {
        "amount": math.nan if broken else dice.gauss(180.0 if fraud else 60.0, 40.0),
        "account_age": max(0.0, dice.gauss(30.0 if fraud else 400.0, 150.0)),
        "failed_logins": float(dice.randint(1, 6) if fraud else dice.randint(0, 2)),
    }
    return Example(features, fraud)
