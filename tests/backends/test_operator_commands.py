"""Commands of runbooks and documents, run with the real programs."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_meta.testing.servers import ALERTMANAGER, Backend
from tests.rules.document_commands import RUNBOOKS, Block, blocks, commands
from tests.rules.pinned_tools import ROOT, tool
from tests.rules.prometheus_server import fetch

AMTOOL = commands("amtool")
URL = "http://localhost:9093"
"""The address of Alertmanager in the documents."""


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real Alertmanager with the generated configuration."""
    folder = tmp_path_factory.mktemp("alertmanager")
    config = (ROOT / "stack" / "alertmanager.yml").read_text()
    with Backend(program=ALERTMANAGER, folder=folder, config=config, port=0) as server:
        yield server.wait_until_ready().url


def run(command: str, url: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder of the repository, with another address of Alertmanager."""
    program, *arguments = shlex.split(command.replace(URL, url))
    return subprocess.run(
        [str(tool(program)), *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("block", AMTOOL, ids=lambda block: block.name)
def test_command_of_amtool_succeeds(block: Block, alertmanager: str) -> None:
    """The command of amtool succeeds; a silence is known to Alertmanager afterwards."""
    done = run(block.text, alertmanager)

    assert 0 == done.returncode, done.stderr
    if "silence add" in block.text:
        (identifier,) = done.stdout.split()
        silence = json.loads(fetch(f"{alertmanager}/api/v2/silence/{identifier}"))
        words = shlex.split(block.text)
        wanted = {word for word in words if "=" in word and not word.startswith("-")}
        assert "active" == silence["status"]["state"]
        assert wanted == {f"{each['name']}={each['value']}" for each in silence["matchers"]}


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
        text.split('why" ')[1] for text in found if not any(name in text for name in names)
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
