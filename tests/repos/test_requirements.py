"""Required metrics, SLOs and alerts of the six meta-repositories, written by hand."""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest

from otel_meta import PRESENT, Alert, Duration, MetaRepo, Slo, repos
from otel_meta.model import Combined, Instrument, Ratio, Selector, Sli, Threshold, TimeSlice
from otel_meta.model.labels import MAX_OPEN_LABELS, labels_of
from otel_meta.model.measure import (
    Increase,
    Latest,
    Measure,
    OverTime,
    Quantile,
    Rate,
    RelativeChange,
    Share,
)
from otel_meta.model.names import check_name
from otel_meta.repos import BUILTIN, Aurora, Chronos, Nebula, Obsidian, Sentinel, Titan

NAMES = {
    Nebula: "nebula-cloud-platform",
    Sentinel: "sentinel-ai-engine",
    Chronos: "chronos-data-platform",
    Titan: "titan-microservices-mesh",
    Obsidian: "obsidian-devsecops-platform",
    Aurora: "aurora-fullstack-saas",
}

# Required name -> the name of the metric family in Prometheus, which adds the unit and _total
# where convention demands them and changes nothing else.
METRICS = {
    Nebula: {
        "infrastructure_cpu_utilization": "infrastructure_cpu_utilization",
        "infrastructure_memory_utilization": "infrastructure_memory_utilization",
        "infrastructure_deployment_duration": "infrastructure_deployment_duration_seconds",
        "infrastructure_drift_detected": "infrastructure_drift_detected",
    },
    Sentinel: {
        "model_training_failures_total": "model_training_failures_total",
        "model_data_quality_score": "model_data_quality_score",
        "model_feature_importance": "model_feature_importance",
        "model_prediction_confidence": "model_prediction_confidence",
    },
    Chronos: {
        "data_quality_check_success_total": "data_quality_check_success_total",
        "data_freshness_lag_seconds": "data_freshness_lag_seconds",
        "data_volume_bytes": "data_volume_bytes_total",
        "data_schema_changes_detected": "data_schema_changes_detected_total",
    },
    Titan: {
        "event_processing_failures_total": "event_processing_failures_total",
        "service_dependency_health": "service_dependency_health",
        "service_request_queue_depth": "service_request_queue_depth",
        "service_retry_attempts": "service_retry_attempts_total",
    },
    Obsidian: {
        "security_scan_failures_total": "security_scan_failures_total",
        "policy_evaluations_total": "policy_evaluations_total",
        "security_finding_remediation_duration": "security_finding_remediation_duration_seconds",
        "vulnerability_age_days": "vulnerability_age_days",
    },
    Aurora: {
        "user_registration_failures_total": "user_registration_failures_total",
        "user_activity_events": "user_activity_events_total",
        "api_authentication_failures": "api_authentication_failures_total",
        "api_authorization_failures": "api_authorization_failures_total",
        "cache_hit_rate": "cache_hit_rate",
    },
}


class Good(NamedTuple):
    """The good events of an SLI as text."""

    metric: str
    """Name of the metric in Prometheus; for a ratio, of all events."""
    how: str
    """Bad or good part of a ratio, or the bound."""


HTTP_IN_TIME = Good(
    "http_server_request_duration_seconds{stream absent} + http_server_time_to_first_byte_seconds",
    "<= 0.1",
)
"""Streams are judged by their first byte."""
HTTP_P99 = "P99 http_server_request_duration_seconds{stream absent} 7d by service_name"

# Attribute -> objective, period and what counts as good.
SLOS = {
    Nebula: {
        "api_availability": (
            "99.9%",
            "30d",
            Good(
                "http_server_request_duration_seconds",
                "bad http_server_request_duration_seconds{error_type present}",
            ),
        ),
        "api_latency": ("99%", "7d", HTTP_IN_TIME),
        "cost_forecast_accuracy": (
            "95%",
            "30d",
            Good("cloud_cost_usd_total", "bad cloud_cost_forecast_error_usd_total"),
        ),
    },
    Sentinel: {
        "inference_availability": (
            "99%",
            "7d",
            Good(
                "model_inference_requests_total",
                "bad model_inference_requests_total{outcome timeout|error}",
            ),
        ),
        "inference_latency": ("99%", "7d", Good("model_inference_duration_seconds", "<= 0.5")),
        "accuracy_maintenance": (
            "95%",
            "30d",
            Good("model_accuracy_baseline_ratio", ">= 0.95 of the time, each series"),
        ),
    },
    Chronos: {
        "pipeline_success": (
            "99%",
            "7d",
            Good("pipeline_runs_total", "bad pipeline_runs_total{outcome failure}"),
        ),
        "pipeline_latency": ("95%", "7d", Good("pipeline_duration_seconds", "<= 3600")),
        "quality_check_success_rate": (
            "99%",
            "7d",
            Good("data_quality_checks_total", "good data_quality_check_success_total"),
        ),
    },
    Titan: {
        "service_availability": (
            "99.9%",
            "30d",
            Good(
                "http_server_request_duration_seconds",
                "bad http_server_request_duration_seconds{error_type present}",
            ),
        ),
        "service_latency": ("99%", "7d", HTTP_IN_TIME),
        "event_success": (
            "99%",
            "7d",
            Good("events_processed_total", "bad event_processing_failures_total"),
        ),
        "breaker_availability": (
            "99.9%",
            "7d",
            Good("circuit_breaker_state{state closed}", ">= 1 of the time, each series"),
        ),
    },
    Obsidian: {
        "scan_success": (
            "99%",
            "7d",
            Good("security_scans_total", "bad security_scan_failures_total"),
        ),
        "remediation_time": (
            "95%",
            "30d",
            Good("security_finding_remediation_duration_seconds{severity critical}", "<= 86400"),
        ),
        "zero_critical_findings": (
            "95%",
            "30d",
            Good("security_findings_open{severity critical}", "<= 0 of the time, worst series"),
        ),
        "policy_compliance": (
            "99%",
            "30d",
            Good("policy_evaluations_total", "bad policy_evaluations_total{result violation}"),
        ),
    },
    Aurora: {
        "api_availability": (
            "99.9%",
            "30d",
            Good(
                "http_server_request_duration_seconds",
                "bad http_server_request_duration_seconds{error_type present}",
            ),
        ),
        "api_latency": ("99%", "7d", HTTP_IN_TIME),
        "websocket_stability": (
            "99%",
            "7d",
            Good(
                "websocket_connections_closed_total",
                (
                    "bad websocket_connections_closed_total"
                    "{reason abnormal|server_error|try_again_later|bad_gateway}"
                ),
            ),
        ),
        "database_latency": ("95%", "7d", Good("database_query_duration_seconds", "<= 0.05")),
        "registration_success": (
            "99%",
            "7d",
            Good(
                "user_registrations_total",
                (
                    "bad user_registration_failures_total"
                    "{reason mail_undeliverable|dependency|internal}"
                ),
            ),
        ),
    },
}

# What is recorded besides SLOs: attribute -> what is measured, over how long, kept apart by what.
RECORDINGS = {
    Nebula: {
        "api_latency_p99": HTTP_P99,
        "free_tier_percent": "max gcp_free_tier_usage_percent by gcp_service, quota",
    },
    Sentinel: {
        "inference_latency_p99": "P99 model_inference_duration_seconds 7d by service_name",
        "current_accuracy": "min model_accuracy by model, version",
        "drift_rate": "model_drift_checks_total{result drifted} of model_drift_checks_total "
        "7d by model",
        "training_success_rate": "model_training_runs_total{outcome success} "
        "of model_training_runs_total 7d by model",
    },
    Chronos: {
        "records_rate": "rate pipeline_records_processed_total 1h by pipeline, stage",
        "pipeline_latency_p95": "P95 pipeline_duration_seconds 7d by service_name",
        "dbt_duration_p95": "P95 dbt_model_duration_seconds 7d by model",
    },
    Titan: {
        "latency_by_route_p99": "P99 http_server_request_duration_seconds{stream absent} 7d "
        "by service_name, http_route",
        "breaker_closed_ratio": "avg avg circuit_breaker_state{state closed} 7d by breaker",
        "error_rate": "http_server_request_duration_seconds{error_type present} "
        "of http_server_request_duration_seconds 5m by service_name",
        "event_duration_p95": "P95 event_processing_duration_seconds 7d by service_name",
    },
    Obsidian: {
        "critical_findings": "max security_findings_open{severity critical} by scanner",
        "findings_trend": "sum avg security_findings_open 7d by severity",
        "remediation_p95": "P95 security_finding_remediation_duration_seconds 30d by severity",
    },
    Aurora: {
        "api_latency_p99": HTTP_P99,
        "database_latency_p95": "P95 database_query_duration_seconds 7d by service_name",
        "active_users_daily": "sum max active_users 1d by service_name",
        "websocket_latency_p99": "P99 websocket_message_duration_seconds 7d by service_name",
    },
}

# What is alerted on besides SLOs: attribute -> what is measured, the bound, and the severity
# (the requirement's "critical" is page, its "warning" ticket).
ALERTS = {
    Nebula: {
        "free_tier_limit_approaching": (
            "max gcp_free_tier_usage_percent by service_name, gcp_service, quota",
            "> 80",
            "ticket",
        ),
    },
    Sentinel: {
        "drift_detected": (
            "increase model_drift_checks_total{result drifted} 1h by service_name, model, kind",
            "> 0",
            "ticket",
        ),
        "accuracy_degraded": (
            "min model_accuracy_baseline_ratio by service_name, model, version",
            "< 0.95",
            "ticket",
        ),
    },
    Chronos: {
        "quality_check_failures": (
            (
                "data_quality_check_success_total of data_quality_checks_total 1h "
                "by service_name, dataset"
            ),
            "< 0.99",
            "ticket",
        ),
        "airflow_task_failures": (
            "increase airflow_task_runs_total{state failed} 15m by service_name, dag, task",
            "> 0",
            "ticket",
        ),
    },
    Titan: {
        "breaker_open": (
            "max circuit_breaker_state{state open} by service_name, breaker",
            "> 0",
            "ticket",
        ),
        "event_processing_failures": (
            "increase event_processing_failures_total 15m by service_name, event_type",
            "> 0",
            "ticket",
        ),
        "high_error_rate": (
            (
                "http_server_request_duration_seconds{error_type present} "
                "of http_server_request_duration_seconds 5m by service_name"
            ),
            "> 0.01",
            "ticket",
        ),
    },
    Obsidian: {
        "critical_findings_detected": (
            "max security_findings_open{severity critical} by service_name, scanner",
            "> 0",
            "page",
        ),
        "scans_failing": (
            "increase security_scan_failures_total 1h by service_name, scanner, reason",
            "> 0",
            "ticket",
        ),
        "findings_trending_up": (
            "growth over 7d of sum avg security_findings_open 7d by service_name",
            "> 0.2",
            "ticket",
        ),
    },
    Aurora: {
        "registrations_failing": (
            (
                "user_registration_failures_total{reason mail_undeliverable|dependency|internal} "
                "of user_registrations_total 30m by service_name"
            ),
            "> 0.01",
            "ticket",
        ),
    },
}

INSTRUMENTS = [
    pytest.param(instrument, id=f"{repo.__name__}-{attribute}")
    for repo in BUILTIN
    for attribute, instrument in repo.instruments.items()
]
FILES = [
    pytest.param(path, id=path.name) for path in sorted(Path(repos.__file__).parent.glob("*.py"))
]


def series(selector: Selector) -> str:
    """Return a selector as text of the tables."""
    conditions = [
        f"{c.label} {'present' if c.values is PRESENT else '|'.join(c.values) or 'absent'}"
        for c in selector.matchers
    ]
    name = selector.instrument.prometheus_name
    return f"{name}{{{', '.join(conditions)}}}" if conditions else name


def good(sli: Sli) -> Good:
    """Return the good events of an SLI as text of the tables."""
    match sli:
        case Combined(parts=parts):
            metrics, (how, *others) = zip(*map(good, parts), strict=True)
            assert {how} >= {*others}
            return Good(" + ".join(metrics), how)
        case Ratio() as ratio:
            kind, part = ("bad", ratio.bad) if ratio.bad else ("good", ratio.good)
            assert part is not None
            return Good(series(ratio.total), f"{kind} {series(part)}")
        case Threshold(values=values, bound=bound):
            return Good(series(values), f"<= {bound}")
        case TimeSlice(value=value, at_least=None, at_most=bound, series=judged):
            return Good(series(value), f"<= {bound} of the time, {judged} series")
        case TimeSlice(value=value, at_least=bound, series=judged):
            return Good(series(value), f">= {bound} of the time, {judged} series")
        case other:
            raise AssertionError(f"{other} is a kind that the table does not have")


def measured(measure: Measure) -> str:
    """Return a measure as text of the tables."""
    match measure:
        case Latest(source=source, aggregation=merge):
            text = f"{merge} {series(source)}"
        case OverTime(source=source, function=how, over=over, aggregation=merge):
            text = f"{merge} {how} {series(source)} {over}"
        case Quantile(source=source, q=q, over=over):
            text = f"P{q * 100} {series(source)} {over}"
        case Rate(source=source, over=over):
            text = f"rate {series(source)} {over}"
        case Increase(source=source, over=over):
            text = f"increase {series(source)} {over}"
        case Share(part=part, whole=whole, over=over):
            text = f"{series(part)} of {series(whole)} {over}"
        case RelativeChange(of=of, over=over):
            return f"growth over {over} of {measured(of)}"
    return f"{text} by {', '.join(measure.by)}"


def fires(alert: Alert) -> tuple[str, str, str]:
    """Return the measure, the bound and the severity of an alert as texts of the tables."""
    bound = f"< {alert.below}" if alert.above is None else f"> {alert.above}"
    return measured(alert.measure), bound, alert.severity


class TestTheSix:
    def test_six_meta_repositories_have_their_required_names(self) -> None:
        """The six meta-repositories have their required names."""
        assert {repo: repo.name for repo in BUILTIN} == NAMES

    def test_each_meta_repository_has_description_and_owner(self) -> None:
        """Each meta-repository has a description and an owner."""
        assert [] == [repo for repo in BUILTIN if not (repo.description and repo.owner)]

    def test_built_in_catalog_has_no_conflicts(self) -> None:
        """The built-in catalog has no conflicts."""
        assert () == BUILTIN.problems()


@pytest.mark.parametrize("repo", NAMES, ids=lambda repo: repo.__name__)
class TestRequired:
    def test_every_required_metric_is_declared_under_its_required_name(
        self, repo: type[MetaRepo]
    ) -> None:
        """Every required metric is declared under its required name."""
        names = {instrument.prometheus_name for instrument in repo.instruments.values()}

        assert {} == {
            required: name for required, name in METRICS[repo].items() if name not in names
        }

    def test_prometheus_name_adds_only_unit_or_total_to_required_name(
        self, repo: type[MetaRepo]
    ) -> None:
        """The Prometheus name adds only a unit or _total to the required name."""
        added = {name.removeprefix(required) for required, name in METRICS[repo].items()}

        assert added <= {"", "_seconds", "_total"}

    def test_slos_are_exactly_required_ones(self, repo: type[MetaRepo]) -> None:
        """The SLOs are exactly the required ones."""
        assert SLOS[repo] == {
            attribute: (str(slo.objective), str(slo.period), good(slo.sli))
            for attribute, slo in repo.slos.items()
        }

    def test_required_recordings_are_declared(self, repo: type[MetaRepo]) -> None:
        """The required recordings are declared."""
        assert RECORDINGS[repo] == {
            attribute: measured(repo.recordings[attribute].measure)
            for attribute in RECORDINGS[repo]
        }

    def test_required_alerts_are_declared(self, repo: type[MetaRepo]) -> None:
        """The required alerts are declared."""
        assert ALERTS[repo] == {
            attribute: fires(repo.alerts[attribute]) for attribute in ALERTS[repo]
        }


class TestPromises:
    def test_there_are_22_slos(self) -> None:
        """There are 22 SLOs."""
        assert 22 == sum(len(repo.slos) for repo in BUILTIN)

    def test_error_budgets_are_those_of_the_requirements(self) -> None:
        """Error budgets are 43.2 minutes a month at 99.9 % and 100.8 a week at 99 %."""
        minutes = {
            (str(slo.objective), str(slo.period)): slo.objective.budget * slo.period.seconds / 60
            for repo in BUILTIN
            for slo in repo.slos.values()
        }

        assert Fraction("43.2") == minutes["99.9%", "30d"]
        assert Fraction("100.8") == minutes["99%", "7d"]

    def test_budget_of_zero_critical_findings_covers_one_finding(self) -> None:
        """The error budget of zero critical findings covers one finding of 24 hours."""
        slo = Obsidian.zero_critical_findings
        seconds = slo.objective.budget * slo.period.seconds

        assert Duration("36h").seconds == seconds
        assert seconds > Duration("24h").seconds


class TestMetrics:
    def test_at_least_55_different_metrics_are_declared(self) -> None:
        """At least 55 different metrics are declared."""
        assert len({instrument.name for _, instrument in BUILTIN.instruments()}) >= 55

    def test_at_least_50_metrics_are_custom(self) -> None:
        """At least 50 metrics are no metrics of the semantic conventions."""
        shared = {Nebula.http_requests, Nebula.http_active_requests}

        assert len({instrument for _, instrument in BUILTIN.instruments()} - shared) >= 50

    @pytest.mark.parametrize("instrument", INSTRUMENTS)
    def test_each_metric_and_its_labels_have_description(self, instrument: Instrument[...]) -> None:
        """Each metric and its labels have a description."""
        assert len(instrument.description.split()) > 1
        assert instrument.label_fields
        assert getattr(instrument.labels, "__doc__", "").endswith(".")

    @pytest.mark.parametrize("instrument", INSTRUMENTS)
    def test_name_unit_and_labels_of_each_metric_pass_lint(
        self, instrument: Instrument[...]
    ) -> None:
        """The name, the unit and the labels of each metric pass the lint."""
        check_name(instrument.name, instrument.unit)
        fields = labels_of(instrument.labels)

        assert fields == instrument.label_fields
        assert len([field for field in fields if field.values is None]) <= MAX_OPEN_LABELS

    def test_full_name_of_each_metric_is_in_its_file(self) -> None:
        """The full name of each metric is in the file that declares it."""
        package = Path(repos.__file__).parent.parent
        files = [*(package / "repos").glob("*.py"), package / "semconv.py"]
        source = "".join(path.read_text() for path in files)

        assert [] == [i for _, i in BUILTIN.instruments() if f'"{i.name}"' not in source]


class TestNoPrivilege:
    @pytest.mark.parametrize("path", FILES)
    def test_built_in_meta_repositories_import_public_modules_only(self, path: Path) -> None:
        """Built-in meta-repositories import public modules only."""
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom) and (node.level == 0 or path.stem != "__init__"):
                module = "." * node.level + (node.module or "")
                names = {f"{module}.{alias.name}" for alias in node.names}
                imported |= names if module == "otel_meta" else {module}

        public = {"otel_meta.model", "otel_meta.measures", "otel_meta.semconv"}
        assert imported <= {"__future__", "typing"} | public

    @pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.__name__)
    def test_slos_recordings_and_alerts_have_description(self, repo: type[MetaRepo]) -> None:
        """SLOs, recordings and alerts have a description."""
        texts = [
            *(slo.why for slo in repo.slos.values()),
            *(recording.description for recording in repo.recordings.values()),
            *(alert.summary for alert in repo.alerts.values()),
        ]

        assert [] == [text for text in texts if len(text.split()) < 4]

    @pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.__name__)
    def test_each_slo_and_alert_has_first_steps_and_they_name_what_is_declared(
        self, repo: type[MetaRepo]
    ) -> None:
        """Each SLO and alert has first steps, which name declared metrics and label values."""
        instruments = [instrument for _, instrument in BUILTIN.instruments()]
        known = {name for i in instruments for name in (i.prometheus_name, *i.sample_names)}
        values = {
            value
            for instrument in repo.instruments.values()
            for label in instrument.label_fields
            for value in label.values or ()
        }
        declared: list[Slo | Alert] = [*repo.slos.values(), *repo.alerts.values()]
        advice = {each.name: each.first_steps for each in declared}
        named = {word for look in advice.values() for word in re.findall(r"\w+_\w+", look)}

        assert [] == [name for name, look in advice.items() if not look]
        assert set() == named - known - values

    @pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.__name__)
    def test_each_meta_repository_says_whom_to_call(self, repo: type[MetaRepo]) -> None:
        """Each meta-repository says whom to call."""
        assert repo.escalation
