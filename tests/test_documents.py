"""Commands and queries in the documents work, and links lead to files."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from otel_meta import Duration, semconv
from otel_meta.model import BURN_WINDOWS
from otel_meta.model.slo.objective import exact_decimal
from tests.document_blocks import PAGES, ROOT, blocks
from tests.yaml_files import read_yaml

_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)")

_COMMANDS = [
    line.strip()
    for block in blocks("sh")
    for line in block.text.replace("\\\n", " ").splitlines()
    if line.strip().startswith("otel-meta") and "--prometheus" not in line
]
"""The commands that need no server."""


@pytest.mark.parametrize("command", _COMMANDS)
def test_commands_work(command: str, tmp_path: Path) -> None:
    """A command in a document succeeds in the folder of the document's files, without an error."""
    for file in (block for block in blocks("python") if block.way == "file"):
        (tmp_path / file.file_name).write_text(file.text)
    if "--rules" in command:
        (tmp_path / "rules").symlink_to(ROOT / "rules")
    done = subprocess.run(
        [sys.executable, "-m", "otel_meta", *shlex.split(command, comments=True)[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_page_of_commands_shows_the_report_of_a_budget() -> None:
    """The report in slo-command.md is a part of the real one."""
    page = (ROOT / "docs" / "slo-command.md").read_text()
    (shown,) = re.findall(r"<!-- budget -->\n```\n(.*?)```", page, re.DOTALL)
    (command,) = re.findall(r"^otel-meta (budget .* --events .*)$", page, re.MULTILINE)
    printed = subprocess.run(
        [sys.executable, "-m", "otel_meta", *shlex.split(command)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    assert shown in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_existing_files(page: Path) -> None:
    """Each link of a document to another file leads to an existing file."""
    targets = [page.parent / target for target in _LINK.findall(page.read_text())]

    assert [] == [target for target in targets if not target.exists()]


def test_quick_start_serves_orders_and_metrics(tmp_path: Path) -> None:
    """The application of the quick start accepts three orders, and counts them as shown."""
    (block,) = (b for b in blocks("python") if b.mark == "file: shop.py")
    (tmp_path / "shop.py").write_text(block.text)
    script = (
        "import shop, fastapi.testclient as t\n"
        "c = t.TestClient(shop.app)\n"
        "for _ in range(3): print(c.post('/orders').json())\n"
        "print(c.get('/metrics').text)\n"
        "print(c.get('/slo').json()['slos'][0]['state'])\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    printed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    page = (ROOT / "docs" / "quick-start.md").read_text()
    shown = re.findall(r"<!-- shop metrics -->\n```\n(.*)\n```", page)

    assert "{'status': 'accepted'}" in printed
    assert 1 == len(shown)
    assert shown[0] in printed.splitlines()
    assert "ok" == printed.splitlines()[-1]


def test_page_of_requests_has_every_outcome_and_whether_it_is_bad() -> None:
    """The table of outcomes has each outcome; exactly those with an error type are bad events."""
    rows = _rows_of_requests("Outcomes")
    bad = {outcome for outcome, *_, verdict in rows if verdict == "yes"}

    assert set(get_args(semconv.Outcome)) == {outcome.strip("`") for outcome, *_ in rows}
    assert {"`server_error`", "`incomplete_response`"} == bad
    assert bad == {outcome for outcome, _, error_type, _ in rows if error_type}


def test_page_of_requests_has_every_reason_and_whose_fault_it_is() -> None:
    """The table of WebSockets has each reason; those with an asterisk are faults of the server."""
    reasons = [cell for cell, *_ in _rows_of_requests("WebSockets")]
    named = re.findall(r"`(\w+)`( \*)?", " ".join(reasons))

    assert set(get_args(semconv.CloseReason)) == {reason for reason, _ in named}
    assert set(semconv.WEBSOCKET_SERVER_FAULTS) == {reason for reason, mark in named if mark}


def test_guide_has_the_burn_rate_windows_of_alerts() -> None:
    """The SLO guide has the burn rates and windows of the generated alerts."""
    text = (ROOT / "docs" / "slo-guide.md").read_text()
    expected = {_burn_row(period) for period in BURN_WINDOWS}

    assert expected == {line for line in text.splitlines() if re.match(r"\| \d+d \|", line)}


def test_alerting_page_has_every_alert_with_its_severity() -> None:
    """The table of alerts has each alert of the rules with each of its severities, and no other."""
    text = (ROOT / "docs" / "alerting.md").read_text()
    shown = set(re.findall(r"^\| (\w+) \| (page|ticket|none) \|", text, re.MULTILINE))

    assert _alerts() == shown


def test_alerting_page_links_to_the_runbook_of_every_alert() -> None:
    """The row of each alert links to the page of the runbooks with a heading of its name."""
    text = (ROOT / "docs" / "alerting.md").read_text()
    shown = dict(re.findall(r"^\| (\w+) \|.*\]\((runbooks/[\w-]+\.md)", text, re.MULTILINE))
    headings = {
        name: f"runbooks/{path.name}"
        for path in (ROOT / "docs" / "runbooks").glob("*.md")
        for heading in re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
        for name in heading.split(", ")
    }

    assert {alert: headings.get(alert) for alert, _ in _alerts()} == shown


def _rows_of_requests(section: str) -> list[list[str]]:
    """Return the cells of the first table of a section, without its head."""
    page = (ROOT / "docs" / "requests.md").read_text()
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def _alerts() -> set[tuple[str, str]]:
    return {(rule["alert"], rule["labels"]["severity"]) for rule in _alert_rules()}


def _alert_rules() -> list[dict[str, Any]]:
    files = [read_yaml(path.read_text()) for path in (ROOT / "rules").glob("*.yml")]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    return [rule for rule in rules if "alert" in rule]


def _burn_row(period: Duration) -> str:
    cells = [
        f"{exact_decimal(window.burn_rate(period))} over {window.long} and {window.short}"
        for window in BURN_WINDOWS[period]
    ]
    return f"| {period} | {' | '.join(cells)} |"
