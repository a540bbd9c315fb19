"""Labels and metrics of an open world: those of servers and of other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta.check.finding import Diagnostic
from otel_meta.check.foreign_series import EXTERNAL_LABELS, PREFIXES, TARGET_LABELS, ForeignSeries
from otel_meta.check.rule_lint import check
from otel_meta.cli import main
from otel_meta.model import Catalog
from otel_meta.model.identity import Identity
from otel_meta.render.options import Foreign, Options
from otel_meta.repos import BUILTIN

Diagnose = Callable[..., list[Diagnostic]]
Write = Callable[..., Path]
Output = pytest.CaptureFixture[str]

RECORDED: tuple[str, str, dict[str, str]] = (
    "a:b:c",
    "sum by (route) (rate(atlas_requests_total[5m]))",
    {},
)
RULE = "groups: [{{name: g, rules: [{{alert: A, expr: '{}'}}]}}]"


class TestLabels:
    @pytest.mark.parametrize("label", [*TARGET_LABELS, *EXTERNAL_LABELS])
    def test_labels_of_targets_and_servers_are_accepted(
        self, label: str, diagnose: Diagnose
    ) -> None:
        """Labels that targets and servers add are accepted in matchers and in by."""
        assert [] == diagnose(f'sum by ({label}) (atlas_tiles{{{label}="any"}})')

    @pytest.mark.parametrize("label", EXTERNAL_LABELS)
    def test_external_labels_of_recordings_are_accepted(
        self, label: str, diagnose: Diagnose
    ) -> None:
        """External labels of recordings are accepted."""
        assert [] == diagnose(f'a:b:c{{{label}="any"}} > 1', RECORDED)

    @pytest.mark.parametrize("label", TARGET_LABELS)
    def test_labels_of_targets_are_gone_after_aggregation(
        self, label: str, diagnose: Diagnose
    ) -> None:
        """A recording that adds up over targets has none of their labels."""
        assert ["label"] == [d.kind for d in diagnose(f'a:b:c{{{label}="any"}}', RECORDED)]

    def test_labels_of_options_are_accepted(self, atlas: Catalog, rule_file: Write) -> None:
        """Labels of the project's configuration are accepted, those of its identity as well."""
        path = rule_file(RULE.format('sum by (shard, tier_name) (atlas_tiles{shard="1"})'))
        options = Options(identity=Identity(("tier_name",)), foreign=Foreign(labels=("shard",)))

        assert 2 == len(check(atlas, [path]).findings)
        assert () == check(atlas, [path], options).findings

    def test_own_label_is_suggested_before_a_label_of_servers(self, diagnose: Diagnose) -> None:
        """A label of the rules is suggested before a label of servers."""
        rule = ("a:b:c", RECORDED[1], {"team": "a"})
        (found,) = diagnose('a:b:c{tean="a"}', rule)

        assert "team" == found.suggestion


class TestMetrics:
    @pytest.mark.parametrize(
        "expr",
        [
            "otelcol_exporter_queue_size / otelcol_exporter_queue_capacity > 0.8",
            "increase(prometheus_rule_evaluation_failures_total[5m]) > 0",
            "rate(prometheus_rule_group_iterations_missed_total[5m]) > 0",
            'sum by (node) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))',
            "kube_pod_container_status_restarts_total > 1",
            'rate(container_cpu_usage_seconds_total{pod=~"a.*"}[5m])',
            "kubelet_volume_stats_available_bytes < 1e9",
            "alertmanager_notifications_failed_total",
            'probe_success{job="blackbox"} == 0',
            'count({__name__=~"node_.+"})',
        ],
    )
    def test_metrics_of_usual_programs_are_accepted(self, expr: str, diagnose: Diagnose) -> None:
        """Metrics of usual programs are accepted with any label."""
        assert [] == diagnose(expr)

    def test_every_prefix_has_a_source(self) -> None:
        """Every prefix ends in an underscore and has a page about its metrics."""
        assert all(prefix.endswith("_") for prefix in PREFIXES)
        assert all(source.startswith("https://") for source in PREFIXES.values())

    def test_no_metric_of_the_six_has_the_prefix_of_another_program(self) -> None:
        """No metric of the built-in catalogue has the prefix of another program."""
        names = {instrument.prometheus_name for _, instrument in BUILTIN.instruments()}

        assert set() == {name for name in names if name.startswith(tuple(PREFIXES))}

    def test_misspelt_metric_of_catalogue_is_no_foreign_metric(self) -> None:
        """A misspelt metric of the catalogue is not taken for a metric of another program."""
        foreign = ForeignSeries()

        assert foreign.find("node_pool_sise", ["node_pool_size"]) is None
        assert foreign.find("node_load1", ["node_pool_size"]) is not None

    @pytest.mark.parametrize(
        "name", ["mysql_up", "mongodb_ss_connections", "cassandra_cache", "noed_cpu_seconds_total"]
    )
    def test_metric_of_unknown_program_has_no_suggestion(
        self, name: str, diagnose: Diagnose
    ) -> None:
        """A metric of an unknown program is reported with the option, and with no suggestion."""
        (found,) = diagnose(name)

        assert ("metric", "") == (found.kind, found.suggestion)
        assert found.message.endswith("accept a metric of another program with --metric")

    def test_patterns_of_options_are_accepted(self, atlas: Catalog, rule_file: Write) -> None:
        """Metrics that match a pattern of the project's configuration are accepted."""
        path = rule_file(RULE.format("mysql_up == 0 or redis_up == 0"))
        options = Options(foreign=Foreign(metrics=("mysql_*",)))

        (found,) = check(atlas, [path], options).findings
        assert "redis_up" in str(found)


class TestCommand:
    def test_options_of_command_are_accepted(self, capsys: Output, rule_file: Write) -> None:
        """The options of the command name labels and metrics."""
        path = str(rule_file(RULE.format('mysql_up{shard="1"} / active_users{shard="1"}')))

        assert [1, 0] == [
            main(["check", "--rules", path]),
            main(["check", "--rules", path, "--label", "shard", "--metric", "mysql_*"]),
        ]
        assert "" == capsys.readouterr().err

    @pytest.mark.parametrize(
        ("option", "text"), [("--label", "a-b"), ("--label", ""), ("--metric", "a b")]
    )
    def test_invalid_name_is_usage_error(self, option: str, text: str, capsys: Output) -> None:
        """An invalid name is a usage error of one line."""
        code = main(["check", option, text])

        captured = capsys.readouterr()
        assert (2, "") == (code, captured.out)
        assert 1 == len(captured.err.splitlines())
