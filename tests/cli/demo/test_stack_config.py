from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from otel_meta.cli.demo.stack_config import (
    SPEED,
    alertmanager_config,
    jaeger_config,
    prometheus_config,
    rules,
    span_copy_config,
)
from otel_meta.model import Duration

RULES = Path(__file__).parents[3] / "rules"


def by_name(text: str) -> dict[str, Any]:
    """The groups of a rule file."""
    return {group["name"]: group for group in yaml.safe_load(text)["groups"]}


def names(group: dict[str, Any]) -> list[str]:
    """What a group records and alerts."""
    return [rule.get("record") or rule["alert"] for rule in group["rules"]]


class TestRules:
    def test_same(self) -> None:
        """The demo's rules are those of rules/, by name and in their order."""
        sped_up = {name: by_name(text) for name, text in rules()}
        committed = {path.name: by_name(path.read_text()) for path in RULES.glob("*.yml")}

        assert {f: {g: names(x) for g, x in groups.items()} for f, groups in committed.items()} == {
            f: {g: names(x) for g, x in groups.items()} for f, groups in sped_up.items()
        }

    def test_faster(self) -> None:
        """Each group is evaluated so many times as often."""
        for name, text in rules():
            committed = by_name((RULES / name).read_text())
            for group, sped_up in by_name(text).items():
                slow = Duration(committed[group]["interval"]).seconds
                fast = Duration(sped_up["interval"]).seconds

                assert slow == SPEED * fast


class TestPorts:
    def test_prometheus(self) -> None:
        """Prometheus reads the rules, scrapes the sidecar and tells Alertmanager."""
        config = yaml.safe_load(prometheus_config("/rules", 1, 2))

        assert ["/rules/*.yml"] == config["rule_files"]
        assert "127.0.0.1:1" in str(config["alerting"])
        assert "127.0.0.1:2" in str(config["scrape_configs"])

    def test_alertmanager(self) -> None:
        """Every receiver of Alertmanager is the demo's own."""
        config = yaml.safe_load(alertmanager_config("http://127.0.0.1:3"))
        urls = [hook["url"] for r in config["receivers"] for hook in r["webhook_configs"]]

        assert ["page", "ticket", "watchdog"] == sorted(url.rpartition("/")[2] for url in urls)
        assert all(url.startswith("http://127.0.0.1:3/") for url in urls)

    def test_jaeger(self) -> None:
        """Jaeger takes spans and answers on loopback."""
        config = yaml.safe_load(jaeger_config(query=4, otlp=5))
        grpc = config["receivers"]["otlp"]["protocols"]["grpc"]

        assert "127.0.0.1:5" == grpc["endpoint"]
        assert "127.0.0.1:4" == config["extensions"]["jaeger_query"]["http"]["endpoint"]

    def test_copy(self) -> None:
        """The copy of spans leaves the way to Jaeger as it is."""
        config = yaml.safe_load(span_copy_config("http://127.0.0.1:6"))
        (copy,) = config["exporters"]

        assert ["load_balancing", copy] == config["service"]["pipelines"]["traces"]["exporters"]
