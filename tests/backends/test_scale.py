"""What docs/scale.md advises and shows works with the real programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.render.artifacts import rule_files
from otel_meta.render.links import Links
from otel_meta.render.rules import series_names as series
from otel_meta.render.rules.rule import Record
from otel_meta.repos import BUILTIN
from tests.rules.pinned_tools import ROOT, RULES, tool

TEXT = (ROOT / "docs" / "scale.md").read_text()
SNIPPETS = dict(re.findall(r"<!-- prometheus: (\S+) -->\n```yaml\n(.*?)```", TEXT, re.DOTALL))
SHARDS = 4
NEBULA, TITAN = "nebula-cloud-platform", "titan-microservices-mesh"

FILES = list(rule_files(BUILTIN, Links()))
GROUPS = [group for file in FILES for group in file.groups]
RECORDED = {rule.record for group in GROUPS for rule in group.rules if isinstance(rule, Record)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where Prometheus would run: with the rules, and targets of two meta-repositories."""
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
    def test_valid(self, name: str, folder: Path) -> None:
        """Promtool takes the configuration, and the rules that it names."""
        done = _promtool(folder, name, SNIPPETS[name], "check", "config", name)

        assert 0 == done.returncode, done.stdout + done.stderr
        assert "rules:" not in SNIPPETS[name] or "rules found" in done.stdout


class TestShards:
    def test_of_a_meta_repository(self, folder: Path) -> None:
        """A Prometheus of a meta-repository scrapes all of its processes and nothing else."""
        kept = list(_kept(folder, SNIPPETS["nebula.yml"]))

        assert 60 == len(kept)
        assert {NEBULA} == {labels["__service_namespace"] for labels in kept}

    def test_of_services(self, folder: Path) -> None:
        """Each process is scraped by one shard, and those of one service by the same."""
        shards = [
            [(labels["__service_name"], labels["instance"]) for labels in _kept(folder, config)]
            for config in map(_shard, range(SHARDS))
        ]
        services = [{service for service, _ in shard} for shard in shards]

        assert 60 == len({one for shard in shards for one in shard})
        assert 60 == sum(map(len, shards))
        assert 20 == sum(map(len, services))
        assert all(services)


def _shard(number: int) -> str:
    return SNIPPETS["shard-2-of-4.yml"].replace('regex: "2"', f'regex: "{number}"')


def _kept(folder: Path, config: str) -> Iterator[dict[str, str]]:
    done = _promtool(
        folder, "any.yml", config, "check", "service-discovery", "any.yml", "services",
        "--timeout=1s",
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr
    yield from (one["labels"] for one in json.loads(done.stdout) if one["labels"])


def _promtool(
    folder: Path, name: str, config: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    (folder / name).write_text(config)
    command = [tool("promtool"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


class TestSentOn:
    def test_recorded(self) -> None:
        """Every recorded name is sent on."""
        assert set() == {name for name in RECORDED if not _sent(name)}

    def test_exposed(self) -> None:
        """No exposed name is sent on."""
        exposed = {name for _, one in BUILTIN.instruments() for name in one.sample_names}

        assert set() == set(filter(_sent, exposed))

    def test_once(self) -> None:
        """What is dropped in all shards but one is what every shard records of no service."""
        once = {
            rule.record
            for group in GROUPS
            for rule in group.rules
            if isinstance(rule, Record) and rule.expr.startswith("vector(")
        }

        assert {series.INFO, series.OBJECTIVE} == once
        assert f"regex: {series.INFO}|{series.OBJECTIVE}\n" in SNIPPETS["send-recorded.yml"]


def _sent(name: str) -> bool:
    """Whether the document's relabelling lets a name through."""
    (config,) = yaml.safe_load(SNIPPETS["send-recorded.yml"])["remote_write"]
    return bool(re.fullmatch(config["write_relabel_configs"][0]["regex"], name))


class TestLimits:
    def test_of_mimir(self) -> None:
        """The document has the number of groups, and of rules in the largest."""
        most = max(len(group.rules) for group in GROUPS)

        assert most <= 20
        assert f"The six have {len(GROUPS)} groups, of at most {most} rules" in TEXT

    def test_of_a_meta_repository(self) -> None:
        """Five SLOs make as many groups as the document says."""
        five = [repo.name for repo in BUILTIN if 5 == len(repo.slos)]
        counts = {sum(len(f.groups) for f in FILES if f.name.startswith(name)) for name in five}

        assert {12} == counts
        assert "with five SLOs adds up to 12" in TEXT

    def test_options_of_victoria(self) -> None:
        """Each option that the document gives VictoriaMetrics and vmalert is one of theirs."""
        section = TEXT.partition("### VictoriaMetrics")[2].partition("###")[0]
        named = set(re.findall(r"(?<=[\s`(])-([a-zA-Z.]+)(?=[=`\s])", section))
        known = "".join(_help(name) for name in ("vmalert", "victoria-metrics"))

        assert {"dryRun", "rule.evalDelay", "remoteRead.url"} <= named
        assert set() == {name for name in named if f"\n  -{name}" not in known}


def _help(name: str) -> str:
    done = subprocess.run([tool(name), "-help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("script", ["series_size", "rule_cost"])
def test_measurement_runs(script: str) -> None:
    """A tiny run of the measurement prints the document's tables, with other numbers."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / f"{script}.py", "--quick"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert set() == _first_cells(done.stdout) - _first_cells(TEXT)


def _first_cells(text: str) -> set[str]:
    """First cells of rows, those that are words."""
    cells = re.findall(r"^\| ([^|]*?) \|", text, re.MULTILINE)
    return {cell for cell in cells if re.match("[a-z`]", cell)}
