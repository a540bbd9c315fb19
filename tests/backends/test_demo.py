"""The demo with its real servers."""

from __future__ import annotations

import re
import subprocess
import sys


def test_the_demo_tells_of_its_fault_by_the_real_servers() -> None:
    """Its rules fire on what went through the Collector, and Alertmanager pages about both."""
    done = subprocess.run(
        [sys.executable, "-m", "otel_meta", "demo", "--stack", "yes", "--for", "40s"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    told = re.findall(r"Alertmanager: (page|ticket) (\w+) (\S+) (\w+) firing", done.stdout)

    assert (0, "") == (done.returncode, done.stderr)
    assert ("page", "SloErrorBudgetBurnFast", "titan-service-availability", "payments") in told
    assert ("page", "SloErrorBudgetBurnFast", "aurora-api-availability", "storefront") in told
    assert "two processes" in done.stdout
