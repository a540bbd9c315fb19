"""The demo with its real servers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from threading import Timer

from tests.backends.waiting import TIMEOUT

NOTIFICATION = re.compile(r"Alertmanager: (page|ticket) (\w+) (\S+) (\w+) firing")
EXPECTED = {
    ("page", "SloBurnsFast", "titan-service-availability", "payments"),
    ("page", "SloBurnsFast", "aurora-api-availability", "storefront"),
}


def test_demo_shows_pages_of_the_real_servers() -> None:
    """The rules fire on series from the Collector, and Alertmanager pages about both services.

    The demo is interrupted as soon as it has shown both pages.
    """
    demo = subprocess.Popen(
        [sys.executable, "-m", "otel_meta", "demo", "--stack", "yes", "--for", "60s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    limit = Timer(TIMEOUT, demo.kill)
    limit.start()
    assert demo.stdout is not None
    output = ""
    shown: set[tuple[str, ...]] = set()
    for line in demo.stdout:
        output += line
        shown.update(NOTIFICATION.findall(line))
        if shown >= EXPECTED:
            demo.send_signal(signal.SIGINT)
            break
    rest, errors = demo.communicate()
    limit.cancel()

    assert shown >= EXPECTED
    assert (0, "") == (demo.returncode, errors)
    assert "two processes" in output + rest
