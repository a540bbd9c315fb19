from __future__ import annotations

import re
import subprocess

import yaml

from otel_meta.model import Duration
from otel_meta.repos import BUILTIN
from tests.render.stack.support import STACK, collector, compose, read
from tests.rules.pinned_tools import tool

CONFIG = read("prometheus.yml")
JOBS = {job["job_name"]: job for job in CONFIG["scrape_configs"]}


def test_check() -> None:
    """Promtool accepts the configuration, and with it every rule file that it loads."""
    done = subprocess.run(
        [tool("promtool"), "check", "config", STACK / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    rules = list((STACK.parent / "rules").glob("*.yml"))

    assert 0 == done.returncode, done.stdout + done.stderr
    assert len(rules) == done.stdout.count("rules found")


def test_whose_labels() -> None:
    """A sidecar's series keep the service's job and instance; no others are believed."""
    assert {"sidecars"} == {name for name, job in JOBS.items() if job.get("honor_labels")}


def test_same_names() -> None:
    """Series have the same names whether they are scraped or pushed."""
    exporter = collector("storefront-sidecar")["exporters"]["prometheus"]

    assert exporter["translation_strategy"] == CONFIG["otlp"]["translation_strategy"]
    assert {"service.namespace", "service.name"} == {*CONFIG["otlp"]["promote_resource_attributes"]}


def test_retention() -> None:
    """Samples are kept for longer than any SLO looks back."""
    (kept,) = (
        Duration(argument.partition("=")[2])
        for argument in compose()["prometheus"]["command"]
        if "retention.time" in argument
    )

    assert kept > max(slo.period for repo in BUILTIN for slo in repo.slos.values())


def test_expiration() -> None:
    """A sidecar shows a service's last values for several exports."""
    exporter = collector("storefront-sidecar")["exporters"]["prometheus"]
    interval = int(compose()["storefront"]["environment"]["OTEL_METRIC_EXPORT_INTERVAL"]) / 1000

    assert Duration(exporter["metric_expiration"]).seconds >= 3 * interval
    assert Duration(exporter["metric_expiration"]).seconds >= 3 * 60  # the SDK's own default


def test_operator_rules() -> None:
    """The rules for prometheus-operator are the rules."""
    for path in (STACK / "kubernetes" / "rules").glob("*.yaml"):
        plain = re.sub(r"-(recording|alerting)$", r".\1", path.stem)
        groups = yaml.safe_load((STACK.parent / "rules" / f"{plain}.yml").read_text())["groups"]

        assert groups == yaml.safe_load(path.read_text())["spec"]["groups"]
