from __future__ import annotations

from pathlib import Path
from typing import Any

from otel_meta.cli.demo.stack_config import (
    SPEED,
    alertmanager_config,
    jaeger_config,
    prometheus_config,
    rules,
    span_copy_config,
)
from otel_meta.model import Duration
from tests.yaml_files import read_yaml

RULES = Path(__file__).parents[3] / "rules"


def by_name(text: str) -> dict[str, Any]:
    """Return the groups of a rule file by name."""
    return {group["name"]: group for group in read_yaml(text)["groups"]}


def milliseconds(text: str) -> int:
    """Return an interval, which may be shorter than the units of declarations."""
    return int(text[:-2]) if text.endswith("ms") else 1000 * Duration(text).seconds


def names(group: dict[str, Any]) -> list[str]:
    """Return the names of a group's recordings and alerts."""
    return [rule.get("record") or rule["alert"] for rule in group["rules"]]


class TestRules:
    def test_demos_rules_have_names_and_order_of_rules(self) -> None:
        """The demo's rules have the names and the order of rules/."""
        sped_up = {name: by_name(text) for name, text in rules()}
        committed = {path.name: by_name(path.read_text()) for path in RULES.glob("*.yml")}

        assert {f: {g: names(x) for g, x in groups.items()} for f, groups in committed.items()} == {
            f: {g: names(x) for g, x in groups.items()} for f, groups in sped_up.items()
        }

    def test_each_groups_interval_is_shorter_by_same_factor(self) -> None:
        """Each group's interval is shorter by the same factor."""
        for name, text in rules():
            committed = by_name((RULES / name).read_text())
            for group, sped_up in by_name(text).items():
                slow = milliseconds(committed[group]["interval"])
                fast = milliseconds(sped_up["interval"])

                assert slow == SPEED * fast


class TestPorts:
    def test_prometheus_reads_rules_scrapes_sidecar_and_sends_alerts(self) -> None:
        """Prometheus reads the rules, scrapes the sidecar and sends alerts to Alertmanager."""
        config = read_yaml(prometheus_config("/rules", 1, 2))

        assert ["/rules/*.yml"] == config["rule_files"]
        assert "127.0.0.1:1" in str(config["alerting"])
        assert "127.0.0.1:2" in str(config["scrape_configs"])

    def test_every_receiver_of_alertmanager_is_webhook_of_demo(self) -> None:
        """Every receiver of Alertmanager is a webhook of the demo."""
        config = read_yaml(alertmanager_config("http://127.0.0.1:3"))
        urls = [hook["url"] for r in config["receivers"] for hook in r["webhook_configs"]]

        assert ["page", "ticket", "watchdog"] == sorted(url.rpartition("/")[2] for url in urls)
        assert all(url.startswith("http://127.0.0.1:3/") for url in urls)

    def test_jaeger_listens_on_loopback_alone(self) -> None:
        """Jaeger listens on loopback alone."""
        config = read_yaml(jaeger_config(query=4, otlp=5))
        grpc = config["receivers"]["otlp"]["protocols"]["grpc"]

        assert "127.0.0.1:5" == grpc["endpoint"]
        assert "127.0.0.1:4" == config["extensions"]["jaeger_query"]["http"]["endpoint"]

    def test_additional_exporter_does_not_replace_export_to_jaeger(self) -> None:
        """The additional exporter does not replace the export to Jaeger."""
        config = read_yaml(span_copy_config("http://127.0.0.1:6"))
        (copy,) = config["exporters"]

        assert ["load_balancing", copy] == config["service"]["pipelines"]["traces"]["exporters"]
