"""Links of alerts lead to a section of a generated runbook, and to a generated dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.rules.committed_rules import committed_groups

ROOT = Path(__file__).resolve().parents[2]
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_CHOICE = re.compile(r"var-(\w+)=\{\{ \$labels\.(\w+) \| urlquery \}\}")


def alerts() -> Iterator[Mapping[str, Any]]:
    """Yield every alert of the committed rules."""
    for groups in committed_groups().values():
        for group in groups:
            yield from (rule for rule in group["rules"] if "alert" in rule)


ALERTS = {(rule["alert"], rule["annotations"]["runbook_url"]): rule for rule in alerts()}
BOARDS = {
    board["uid"]: {variable["name"] for variable in board["templating"]["list"]}
    for board in (json.loads(path.read_text()) for path in (ROOT / "dashboards").glob("*.json"))
}


@pytest.mark.parametrize("rule", ALERTS.values(), ids=[name for name, _ in ALERTS])
class TestLinks:
    def test_runbook_has_section(self, rule: Mapping[str, Any]) -> None:
        """The runbook of an alert exists, and has the section that the link names."""
        page, _, section = rule["annotations"]["runbook_url"].partition("#")
        headings = [h.lower() for h in _HEADING.findall((ROOT / page).read_text())]

        assert not section or section in headings

    def test_dashboard_has_variables(self, rule: Mapping[str, Any]) -> None:
        """The dashboard of an alert exists, and has the variables that the link sets."""
        path, _, query = rule["annotations"]["dashboard_url"].partition("?")
        variables = BOARDS[path.removeprefix("/d/")]

        assert {name for name, _ in _CHOICE.findall(query)} <= variables
