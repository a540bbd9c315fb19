"""Commands of runbooks and documents, run with the real programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from otel_meta.repos import BUILTIN
from otel_meta.testing.servers import ALERTMANAGER, Backend
from tests.rules.committed_rules import committed_groups
from tests.rules.document_commands import RUNBOOKS, Block, blocks, commands
from tests.rules.pinned_tools import ROOT, tool
from tests.rules.prometheus_server import fetch

AMTOOL = commands("amtool")
URL = "http://localhost:9093"
"""The address of Alertmanager in the documents."""
NOTIFICATION = {
    "SERVICE": "storefront",
    "SLO": "aurora-api-latency",
    "REPOSITORY": "aurora-fullstack-saas",
    "INSTANCE": "gateway-1:8888",
}
"""Variables of the shell that the commands read, with the labels of a notification."""
_MATCHER = re.compile(r'(\w+)="([^"]*)"(?= |$)')
SLOS = [(repo.name, slo.name) for repo in BUILTIN for slo in repo.slos.values()]


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real Alertmanager with the generated configuration."""
    folder = tmp_path_factory.mktemp("alertmanager")
    config = (ROOT / "stack" / "alertmanager.yml").read_text()
    with Backend(program=ALERTMANAGER, folder=folder, config=config, port=0) as server:
        yield server.wait_until_ready().url


def run(
    command: str, url: str, variables: Mapping[str, str] = NOTIFICATION
) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, with another address of Alertmanager."""
    program, _, arguments = command.partition(" ")
    others = {name: value for name, value in os.environ.items() if name not in NOTIFICATION}
    return subprocess.run(
        ["bash", "-c", f"{tool(program)} {arguments.replace(URL, url)}"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**others, **variables},
        text=True,
        timeout=60,
    )


def matchers_of(command: str) -> set[str]:
    """Return the matchers of a silence, with the labels of the notification."""
    for variable, label in NOTIFICATION.items():
        command = command.replace(f"${{{variable}:?}}", label)
    _, _, matchers = command.partition("--comment=")
    return {f"{name}={value}" for name, value in _MATCHER.findall(matchers)}


def silenced(url: str) -> list[dict[str, str]]:
    """Return the labels of the alerts that a silence holds back."""
    alerts: list[dict[str, Any]] = json.loads(fetch(f"{url}/api/v2/alerts"))
    return [alert["labels"] for alert in alerts if alert["status"]["silencedBy"]]


def silence(command: str, url: str) -> list[dict[str, str]]:
    """Run the command of a silence, and return the labels of the alerts that it holds back."""
    done = run(command, url)
    assert 0 == done.returncode, done.stderr
    held = silenced(url)
    ended = run(f"amtool --alertmanager.url={URL} silence expire {done.stdout.strip()}", url)
    assert 0 == ended.returncode, ended.stderr
    return held


@pytest.fixture(scope="module")
def firing(alertmanager: str) -> list[dict[str, str]]:
    """Send every alert about an SLO to Alertmanager, of two services; return their labels."""
    rules = [
        rule
        for groups in committed_groups().values()
        for group in groups
        for rule in group["rules"]
        if "alert" in rule and "slo" in rule["labels"]
    ]
    labels = [
        {"alertname": rule["alert"], "service_name": service, **rule["labels"]}
        for rule in rules
        for service in (NOTIFICATION["SERVICE"], "other")
    ]
    fetch(f"{alertmanager}/api/v2/alerts", [{"labels": each} for each in labels])
    return labels


@pytest.mark.parametrize("block", AMTOOL, ids=lambda block: block.name)
def test_command_of_amtool_succeeds(block: Block, alertmanager: str) -> None:
    """The command of amtool succeeds; a silence is known to Alertmanager afterwards."""
    done = run(block.text, alertmanager)

    assert 0 == done.returncode, done.stderr
    if "silence add" in block.text:
        (identifier,) = done.stdout.split()
        silence = json.loads(fetch(f"{alertmanager}/api/v2/silence/{identifier}"))
        wanted = matchers_of(block.text)
        assert "active" == silence["status"]["state"]
        assert wanted == {f"{each['name']}={each['value']}" for each in silence["matchers"]}
        run(f"amtool --alertmanager.url={URL} silence expire {identifier}", alertmanager)


@pytest.mark.parametrize(("repo", "slo"), SLOS, ids=[slo for _, slo in SLOS])
def test_silence_of_section_holds_back_the_alerts_of_its_slo(
    repo: str, slo: str, alertmanager: str, firing: list[dict[str, str]]
) -> None:
    """The silence of a section holds back every alert of its SLO and service, and no other."""
    (command,) = [
        block.text
        for block in AMTOOL
        if block.document == f"{repo}.md" and f' slo="{slo}" ' in block.text
    ]
    mine = [
        each
        for each in firing
        if (slo, NOTIFICATION["SERVICE"]) == (each["slo"], each["service_name"])
    ]
    held = silence(command, alertmanager)

    assert len(mine) > len({"burns fast", "burns slowly", "exhausted", "no data"})
    assert sorted(mine, key=_sorted_labels) == sorted(held, key=_sorted_labels)


def _sorted_labels(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(labels.items())


def test_silence_without_its_variable_is_refused(alertmanager: str) -> None:
    """A silence without the label of the notification is refused by the shell, by its name."""
    found = [block.text for block in AMTOOL if "${" in block.text]
    for text in found:
        done = run(text, alertmanager, variables={})

        assert re.search(r"(SERVICE|SLO|REPOSITORY|INSTANCE): parameter", done.stderr), text
        assert 0 != done.returncode
    assert len(found) > len(SLOS)


def test_every_runbook_silences_with_the_address() -> None:
    """Every runbook has a command for a silence, with the address of Alertmanager."""
    for path in RUNBOOKS.glob("*.md"):
        found = [block.text for block in blocks(path) if "silence add" in block.text]

        assert found, path.name
        assert all(f"--alertmanager.url={URL}" in text for text in found)


def test_a_silence_names_who_is_silent() -> None:
    """Each silence names a service, a server or a meta-repository: no other alert is hidden."""
    about_all = 'alertname="TelemetryLost"'
    names = ("service_name=", "instance=", "meta_repository=")
    found = [block.text for block in AMTOOL if "silence add" in block.text]

    assert [about_all] == [
        text.split('cause" ')[1].strip()
        for text in found
        if not any(name in text for name in names)
    ]


@pytest.mark.parametrize("program", ["promtool"])
def test_commands_of_promtool_succeed(program: str) -> None:
    """The commands of promtool in the documents succeed in the folder of the repository."""
    for block in commands(program):
        done = run(block.text, URL)

        assert 0 == done.returncode, f"{block.text}: {done.stderr}"


def test_linked_sections_exist() -> None:
    """Every link of an alert to a runbook leads to a section of the page."""
    for path in ROOT.glob("rules/*.alerting.yml"):
        for line in path.read_text().splitlines():
            if line.strip().startswith("runbook_url: "):
                page, _, section = line.split("runbook_url: ")[1].strip().partition("#")
                headings = headings_of(ROOT / page)

                assert not section or section in headings, line


def headings_of(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as code hosts make them."""
    lines = path.read_text().splitlines()
    return {line.lstrip("# ").lower().replace(" ", "-") for line in lines if line.startswith("#")}
