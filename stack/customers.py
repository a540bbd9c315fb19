"""Simulated customers of the storefront, as data for the dashboards."""

from __future__ import annotations

import argparse
import signal
from threading import Event

from otel_meta.cli.demo.traffic import Traffic


def main() -> None:
    """Send requests until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storefront", default="http://127.0.0.1:8001", metavar="URL")
    given = parser.parse_args()
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    with Traffic(given.storefront):
        stopped.wait()


if __name__ == "__main__":
    main()
