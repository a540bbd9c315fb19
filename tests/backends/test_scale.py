"""The configurations, numbers and options in docs/scale.md, checked with the real programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.rule import Record
from otel_meta.repos import BUILTIN
from tests.rules.pinned_tools import ROOT, RULES, tool
from tests.yaml_files import read_yaml

TEXT = (ROOT / "docs" / "scale.md").read_text()
SNIPPETS = dict(re.findall(r"<!-- prometheus: (\S+) -->\n```yaml\n(.*?)```", TEXT, re.DOTALL))
SHARDS = 4
MIMIR_RULES = 20
"""Mimir's default limit of the rules in a group."""
NEBULA, TITAN = "nebula-cloud-platform", "titan-microservices-mesh"

FILES = list(rule_files(BUILTIN, Options()))
GROUPS = [group for file in FILES for group in file.groups]
RECORDED = {rule.record for group in GROUPS for rule in group.rules if isinstance(rule, Record)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rules, and with the targets of two meta-repositories."""
    (tmp_path / "rules").symlink_to(RULES)
    (tmp_path / "targets").mkdir()
    targets = [_target(repo, n) for repo in (NEBULA, TITAN) for n in range(20)]
    (tmp_path / "targets" / "all.json").write_text(json.dumps(targets))
    return tmp_path


def _target(repo: str, number: int) -> dict[str, Any]:
    addresses = [f"10.0.{number}.{process}:8000" for process in range(3)]
    labels = {"__service_namespace": repo, "__service_name": f"{repo}-{number}"}
    return {"targets": addresses, "labels": labels}


@pytest.mark.parametrize("name", SNIPPETS)
class TestSnippets:
    def test_configuration_is_valid(self, name: str, folder: Path) -> None:
        """Promtool accepts a configuration in the document, and its rule files."""
        done = _promtool(folder, name, SNIPPETS[name], "check", "config", name)

        assert 0 == done.returncode, done.stdout + done.stderr
        assert "rules:" not in SNIPPETS[name] or "rules found" in done.stdout


class TestShards:
    def test_prometheus_of_a_meta_repository_scrapes_its_processes(self, folder: Path) -> None:
        """The Prometheus of a meta-repository scrapes its processes and nothing else."""
        targets = list(_targets(folder, SNIPPETS["nebula.yml"]))

        assert 60 == len(targets)
        assert {NEBULA} == {labels["__service_namespace"] for labels in targets}

    def test_shard_scrapes_all_processes_of_a_service(self, folder: Path) -> None:
        """One shard scrapes each process, and the same shard all processes of a service."""
        shards = [
            [(labels["__service_name"], labels["instance"]) for labels in _targets(folder, config)]
            for config in map(_shard, range(SHARDS))
        ]
        services = [{service for service, _ in shard} for shard in shards]

        assert 60 == len({target for shard in shards for target in shard})
        assert 60 == sum(map(len, shards))
        assert 20 == sum(map(len, services))
        assert all(services)


def _shard(number: int) -> str:
    text: str = SNIPPETS["shard-2-of-4.yml"].replace('regex: "2"', f'regex: "{number}"')
    return text


def _targets(folder: Path, config: str) -> Iterator[dict[str, str]]:
    """Yield the labels of each target that Prometheus would scrape."""
    done = _promtool(
        folder, "any.yml", config, "check", "service-discovery", "any.yml", "services",
        "--timeout=1s",
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr
    yield from (target["labels"] for target in json.loads(done.stdout) if target["labels"])


def _promtool(
    folder: Path, name: str, config: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    (folder / name).write_text(config)
    command: list[str | Path] = [tool("promtool"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


class TestRemoteWrite:
    def test_every_recorded_series_is_sent(self) -> None:
        """The relabelling keeps every recorded name."""
        assert set() == {name for name in RECORDED if not _is_sent(name)}

    def test_no_exposed_series_is_sent(self) -> None:
        """The relabelling drops every exposed name."""
        exposed = {name for _, i in BUILTIN.instruments() for name in i.sample_names}

        assert set() == set(filter(_is_sent, exposed))

    def test_no_shard_records_a_series_without_a_service(self) -> None:
        """No rule records a series that every shard would have, whatever it scrapes."""
        constant = {
            rule.record
            for group in GROUPS
            for rule in group.rules
            if isinstance(rule, Record) and re.search(r"\b(vector|absent\w*)\(", rule.expr)
        }

        assert set() == constant


def _is_sent(name: str) -> bool:
    """True if the relabelling in the document keeps a name."""
    (config,) = read_yaml(SNIPPETS["send-recorded.yml"])["remote_write"]
    return bool(re.fullmatch(config["write_relabel_configs"][0]["regex"], name))


class TestLimits:
    def test_document_has_the_limits_for_mimir(self) -> None:
        """The document has the number of groups, and of rules in the largest group."""
        most = max(len(group.rules) for group in GROUPS)

        assert f"The six have {len(GROUPS)} groups, of at most {most} rules" in TEXT

    def test_document_raises_the_exceeded_limits_of_mimir(self) -> None:
        """The document has a limit above each default of Mimir that the six exceed."""
        most = max(len(group.rules) for group in GROUPS)
        raised = dict(re.findall(r"`(ruler_max_\w+)` to (\d+)", TEXT))

        assert most <= int(raised.get("ruler_max_rules_per_rule_group", MIMIR_RULES))
        assert len(GROUPS) < int(raised["ruler_max_rule_groups_per_tenant"])

    def test_document_has_the_groups_of_five_slos(self) -> None:
        """The document has the number of groups of a meta-repository with five SLOs."""
        five = [repo.name for repo in BUILTIN if 5 == len(repo.slos)]
        counts = {sum(len(f.groups) for f in FILES if f.name.startswith(name)) for name in five}

        assert {12} == counts
        assert "with five SLOs adds up to 12" in TEXT

    def test_victoriametrics_has_each_option(self) -> None:
        """VictoriaMetrics or vmalert has each option in the document's section."""
        section = TEXT.partition("### VictoriaMetrics")[2].partition("###")[0]
        options = set(re.findall(r"(?<=[\s`(])-([a-zA-Z.]+)(?=[=`\s])", section))
        known = "".join(_help(name) for name in ("vmalert", "victoria-metrics"))

        assert {"dryRun", "rule.evalDelay", "remoteRead.url"} <= options
        assert set() == {name for name in options if f"\n  -{name}" not in known}

    def test_thanos_has_each_option(self) -> None:
        """Thanos, Prometheus or the command line of this package has each option of the section."""
        section = TEXT.partition("### Thanos")[2].partition("###")[0]
        options = set(re.findall(r"(?<=[\s`(])--([a-z.-]+)(?=[=`\s])", section))
        commands = ("sidecar", "query", "rule")
        known = "".join(_help("thanos", command, "--help") for command in commands)
        known += _help("prometheus", "--help")

        assert {"query.replica-label", "alert.label-drop", "tsdb.path"} <= options
        unknown = {name for name in options if f"--{name}" not in known}
        assert {"format", "out", *HIDDEN} == unknown


HIDDEN = ("storage.tsdb.min-block-duration", "storage.tsdb.max-block-duration")
"""Options that Prometheus has and does not list; benchmarks use them."""


def _help(name: str, *arguments: str) -> str:
    command: list[str | Path] = [tool(name), *(arguments or ("-help",))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def run_measurement(script: str) -> subprocess.CompletedProcess[str]:
    """Run a benchmark with the smallest fleets."""
    return subprocess.run(
        [sys.executable, ROOT / "benchmarks" / f"{script}.py", "--quick"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(script, marks=pytest.mark.background(run_measurement, script))
        for script in ("rule_cost", "series_size")
    ],
)
def test_measurement_prints_tables_of_the_document(
    script: str, background_result: subprocess.CompletedProcess[str]
) -> None:
    """A small run of a measurement prints tables with the first column of the document."""
    assert (0, "") == (background_result.returncode, background_result.stderr)
    assert set() == _first_cells(background_result.stdout) - _first_cells(TEXT)


def _first_cells(text: str) -> set[str]:
    """Return the first cells of all rows that begin with a word."""
    cells = re.findall(r"^\| ([^|]*?) \|", text, re.MULTILINE)
    return {cell for cell in cells if re.match("[a-z`]", cell)}
