from __future__ import annotations

import re
import subprocess

import yaml

from otel_meta.model import Duration
from otel_meta.repos import BUILTIN
from tests.render.stack.committed_stack import STACK, collector_config, compose, read
from tests.rules.pinned_tools import tool

CONFIG = read("prometheus.yml")
JOBS = {job["job_name"]: job for job in CONFIG["scrape_configs"]}


def test_promtool_accepts_configuration_and_all_its_rule_files() -> None:
    """Promtool accepts the configuration and all its rule files."""
    done = subprocess.run(
        [tool("promtool"), "check", "config", STACK / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    rules = list((STACK.parent / "rules").glob("*.yml"))

    assert 0 == done.returncode, done.stdout + done.stderr
    assert len(rules) == done.stdout.count("rules found")


def test_only_series_of_sidecars_keep_their_labels_job_and_instance() -> None:
    """Only series of sidecars keep their labels job and instance."""
    assert {"sidecars"} == {name for name, job in JOBS.items() if job.get("honor_labels")}


def test_scraped_and_pushed_series_have_same_names_and_labels() -> None:
    """Scraped and pushed series have the same names and labels."""
    exporter = collector_config("storefront-sidecar")["exporters"]["prometheus"]

    assert exporter["translation_strategy"] == CONFIG["otlp"]["translation_strategy"]
    assert {"service.namespace", "service.name"} == {*CONFIG["otlp"]["promote_resource_attributes"]}


def test_retention_is_longer_than_longest_slo_period() -> None:
    """The retention is longer than the longest SLO period."""
    (retention,) = (
        Duration(argument.partition("=")[2])
        for argument in compose()["prometheus"]["command"]
        if "retention.time" in argument
    )

    assert retention > max(slo.period for repo in BUILTIN for slo in repo.slos.values())


def test_sidecar_serves_last_values_for_three_export_intervals() -> None:
    """A sidecar serves the last values of a service for at least three export intervals."""
    exporter = collector_config("storefront-sidecar")["exporters"]["prometheus"]
    interval = int(compose()["storefront"]["environment"]["OTEL_METRIC_EXPORT_INTERVAL"]) / 1000

    assert Duration(exporter["metric_expiration"]).seconds >= 3 * interval
    assert Duration(exporter["metric_expiration"]).seconds >= 3 * 60  # the SDK's own default


def test_rules_for_prometheus_operator_are_same_as_in_rules() -> None:
    """The rules for prometheus-operator are the same as in rules/."""
    for path in (STACK / "kubernetes" / "rules").glob("*.yaml"):
        plain = re.sub(r"-(recording|alerting)$", r".\1", path.stem)
        groups = yaml.safe_load((STACK.parent / "rules" / f"{plain}.yml").read_text())["groups"]

        assert groups == yaml.safe_load(path.read_text())["spec"]["groups"]
