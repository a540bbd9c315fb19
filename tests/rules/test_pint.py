"""The rules in pint, a linter for Prometheus rules."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from otel_meta.testing.pinned_tools import find
from tests.rules.pinned_tools import ROOT

# Groups are evaluated side by side: what reads another group's series sees them a minute late.
ACCEPTED = ("rule/dependency",)
# The watchdog is to fire always; and the moving average stands on one service's own past.
EXPECTED = {("alerts/comparison", "Watchdog")}
_FOUND = re.compile(r"\((\w+/\w+)\)\n *--->.*-> `([^`]+)`")


def test_pint_finds_nothing_that_is_not_meant(tmp_path: Path) -> None:
    """Pint finds nothing wrong with any rule but that the watchdog always fires."""
    disabled = [option for check in ACCEPTED for option in ("--disabled", check)]
    (tmp_path / ".pint.hcl").write_text("")
    printed = subprocess.run(
        [find("pint"), "--offline", "--no-color", *disabled, "lint", ROOT / "rules"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    ).stderr

    assert "entries=878" in printed
    assert EXPECTED == set(_FOUND.findall(printed))
