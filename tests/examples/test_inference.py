from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Service, Start

HONEST = {"amount": 55, "account_age": 420, "failed_logins": 0}
FRAUD = {"amount": 240, "account_age": 3, "failed_logins": 5}


@pytest.fixture
def inference(start: Start) -> Service:
    """The service with a trained model."""
    return start("examples/inference.py")


class TestTraining:
    def test_service_trains_before_it_is_ready_and_records_quality_accuracy(
        self, inference: Service
    ) -> None:
        """The service trains before it is ready, and records quality, accuracy and importance."""
        metrics = inference.metrics()
        importance = [
            metrics.value("model_feature_importance", feature=feature) or 0
            for feature in ("amount", "account_age", "failed_logins")
        ]

        assert 200 == inference.http.get("/readyz").status_code
        assert 1 == metrics.value("model_training_runs_total", outcome="success")
        assert 1 == metrics.value("model_training_duration_seconds_count", outcome="success")
        assert 0.9 < (metrics.value("model_data_quality_score") or 0) < 1
        assert 0.9 < (metrics.value("model_accuracy") or 0) <= 1
        assert 1 == metrics.value("model_accuracy_baseline_ratio")
        assert 1 == pytest.approx(sum(importance))
        assert all(share > 0.05 for share in importance)

    def test_broken_data_gives_no_model(self, start: Start) -> None:
        """Broken data gives no model: the service is not ready, and its SLO is not met."""
        untrained = start("examples/inference.py", INFERENCE_BROKEN_ROWS="0.5")

        code = untrained.http.post("/predict", json=HONEST).status_code
        metrics = untrained.metrics()

        assert 503 == code
        assert 503 == untrained.http.get("/readyz").status_code
        assert 200 == untrained.http.get("/healthz").status_code
        assert 1 == metrics.value("model_training_failures_total", reason="bad_data")
        assert 1 == metrics.value("model_training_runs_total", outcome="failure")
        assert 1 == metrics.value("model_inference_requests_total", outcome="error")
        assert "breached" == untrained.slo("sentinel-inference-availability")["state"]
        assert "no_data" == untrained.slo("sentinel-accuracy-maintenance")["state"]


class TestPredict:
    def test_fraud_is_detected_with_confidence_and_requests_are_counted(
        self, inference: Service
    ) -> None:
        """Fraud is detected with confidence, and requests are counted and timed."""
        answers = [inference.http.post("/predict", json=t).json() for t in (HONEST, FRAUD)]
        metrics = inference.metrics()

        assert [False, True] == [answer["fraud"] for answer in answers]
        assert all(0.9 < answer["confidence"] <= 1 for answer in answers)
        assert 2 == metrics.value("model_inference_requests_total", outcome="success")
        assert 2 == metrics.value("model_inference_duration_seconds_count")
        assert 2 == metrics.value("model_prediction_confidence_count")
        assert "ok" == inference.slo("sentinel-inference-latency")["state"]

    def test_invalid_input_is_counted_as_such_and_is_no_error(self, inference: Service) -> None:
        """Invalid input is counted as such, and is no error of the model."""
        wrong: list[dict[str, object]] = [{}, {**HONEST, "amount": "NaN"}, {**HONEST, "amount": -1}]

        codes = [inference.http.post("/predict", json=each).status_code for each in wrong]

        assert [422, 422, 422] == codes
        assert inference.shows(3, "model_inference_requests_total", outcome="invalid_input")
        assert "ok" == inference.slo("sentinel-inference-availability")["state"]


class TestDrift:
    def test_traffic_unlike_training_set_is_drift_and_accuracy_follows_known(
        self, inference: Service
    ) -> None:
        """Traffic unlike the training set is drift, and accuracy follows the known classes."""
        for _ in range(50):
            inference.http.post("/predict", json={**FRAUD, "fraud": False})
        metrics = inference.metrics()

        assert 1 == metrics.value("model_drift_checks_total", kind="feature", result="drifted")
        assert 0 == metrics.value("model_accuracy")
        assert 0 == metrics.value("model_accuracy_baseline_ratio")
        (line,) = inference.lines_of("drift checked")
        assert ["amount", "account_age", "failed_logins"] == line["features"]

    def test_traffic_like_training_set_is_stable(self, inference: Service) -> None:
        """Traffic like the training set is stable."""
        mixed = [FRAUD if turn % 10 < 3 else HONEST for turn in range(50)]
        for transaction in mixed:
            inference.http.post("/predict", json={**transaction, "fraud": transaction is FRAUD})
        metrics = inference.metrics()

        assert 1 == metrics.value("model_drift_checks_total", kind="feature", result="stable")
        assert 0 == metrics.value("model_drift_checks_total", kind="feature", result="drifted")
        assert 1 == metrics.value("model_accuracy")
