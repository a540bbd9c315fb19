from __future__ import annotations

import re
import subprocess
from pathlib import PurePath

import pytest

from otel_meta.model import Catalog, Duration, Histogram, MetaRepo, NoLabels, Slo
from otel_meta.model.identity import Identity
from otel_meta.render.options import Options
from otel_meta.render.stack.prometheus_config import (
    arguments,
    prometheus_file,
    retention,
    scrape_configs_file,
)
from tests.render.stack.committed_stack import STACK, collector_config, compose, read
from tests.rules.pinned_tools import tool
from tests.yaml_files import read_yaml

CONFIG = read("prometheus.yml")
SCRAPE_CONFIGS = [
    *CONFIG["scrape_configs"],
    *(job for file in CONFIG["scrape_config_files"] for job in read(file)["scrape_configs"]),
]
JOBS = {job["job_name"]: job for job in SCRAPE_CONFIGS}


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


def test_series_of_services_keep_their_labels() -> None:
    """Series of services keep their labels; the monitoring itself has no labels to keep."""
    kept = {name for name, job in JOBS.items() if job.get("honor_labels")}

    assert {"sidecars", "services"} == kept
    assert {"sidecars", "services", "collectors", "monitoring"} == JOBS.keys()


def test_histograms_are_native_too_where_asked_for() -> None:
    """With the option, services and sidecars have native histograms beside their buckets."""
    text = scrape_configs_file(Options(native_histograms=True))
    with_native = {
        job["job_name"]
        for job in read_yaml(text)["scrape_configs"]
        if job.get("scrape_native_histograms") and job["always_scrape_classic_histograms"]
    }

    assert {"sidecars", "services"} == with_native
    assert not any("scrape_native_histograms" in job for job in JOBS.values())


def test_every_targets_file_is_read_by_one_job() -> None:
    """Every file of targets/ is read by one job."""
    patterns = [
        pattern
        for job in JOBS.values()
        for discovery in job.get("file_sd_configs", ())
        for pattern in discovery["files"]
    ]
    for path in (STACK / "targets").iterdir():
        assert 1 == sum(PurePath(f"targets/{path.name}").match(pattern) for pattern in patterns)


def test_scraped_and_pushed_series_have_same_names_and_labels() -> None:
    """Scraped and pushed series have the same names and labels."""
    exporter = collector_config("storefront-sidecar")["exporters"]["prometheus"]

    assert exporter["translation_strategy"] == CONFIG["otlp"]["translation_strategy"]
    assert [
        "service.namespace",
        "service.name",
        "deployment.environment.name",
        "environment",
        "cluster",
    ] == CONFIG["otlp"]["promote_resource_attributes"]


def test_added_place_of_identity_is_promoted() -> None:
    """A place that a project adds to the identity is promoted as well."""
    options = Options(identity=Identity(("region",)))
    promoted = read_yaml(prometheus_file(options.identity))["otlp"]["promote_resource_attributes"]

    assert ["service.namespace", "service.name", "region"] == promoted


@pytest.mark.parametrize(
    ("period", "kept"), [(None, "38d"), ("7d", "38d"), ("30d", "38d"), ("90d", "98d")]
)
def test_retention_covers_longest_period_and_look_back(period: str | None, kept: str) -> None:
    """Prometheus keeps samples for the longest period, at least 30 days, and eight more days."""
    assert Duration(kept) == retention(catalog_of(period))
    assert f"--storage.tsdb.retention.time={kept}" in arguments(catalog_of(period))


def catalog_of(period: str | None) -> Catalog:
    """Return a catalogue with an SLO of a period, or without any SLO."""
    if period is None:
        return Catalog()

    class Shop(MetaRepo, name="shop", owner="shop", tier=1):
        """A shop."""

        wait = Histogram("shop.wait", "Time to answer.", NoLabels, unit="s", buckets=(0.5, 1))
        quick = Slo(
            "shop-quick",
            objective="99%",
            period=str(period),
            sli=wait.within(0.5),
            why="Nobody waits.",
        )

    return Catalog().with_repos(Shop)


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
        groups = read_yaml((STACK.parent / "rules" / f"{plain}.yml").read_text())["groups"]

        assert groups == read_yaml(path.read_text())["spec"]["groups"]
