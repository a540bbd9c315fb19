"""Runs all comparisons and writes their tables to the documents. ``make bench``.

All tables go to docs/benchmarks.md. Those of `IN_README` go to the README too, between marks.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SCRIPTS: Final = {
    "typed_calls": "A recording",
    "handles": "A recording by a handle",
    "native_core": "A recording by the native core",
    "scraping": "A scrape",
    "peers": "A page and a recording beside clients in Go and Rust",
    "log_lines": "A log line",
    "memory": "Memory of a series",
    "workers": "Several workers",
    "shared_directory": "The directory of 32 workers",
    "imports": "Imports",
    "spans": "A span, with its export",
    "web": "What telemetry adds to a request",
    "latency_under_scrape": "Requests while 10,000 series are scraped every five seconds",
}
IN_README: Final = {
    "bench": ("typed_calls", "scraping", "peers", "spans", "log_lines"),
    "bench web": ("web",),
}
"""The scripts whose tables stand between two marks of the README, by name of the marks."""

_TABLES: Final = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def main() -> None:
    """Run every script and write the tables."""
    printed = {name: _run(name) for name in SCRIPTS}
    parts = [f"## {title}\n\n{printed[name].strip()}\n" for name, title in SCRIPTS.items()]
    head = (
        "# Benchmarks\n\nThe output of `make bench`. Each table is one run that times the "
        f"libraries in turn, on one machine with {os.cpu_count()} cores. A ratio below 1 favours "
        "otel_meta.\n"
    )
    (ROOT / "docs" / "benchmarks.md").write_text("\n".join([head, *parts]))
    for mark, names in IN_README.items():
        tables = [table for name in names for table in _TABLES.findall(printed[name])]
        _into_readme(mark, "\n".join(tables))


def _run(name: str) -> str:
    print(f"{SCRIPTS[name]} ...", file=sys.stderr)
    folder = Path(__file__).with_name(name)
    script = folder if folder.is_dir() else folder.with_suffix(".py")
    done = subprocess.run(  # noqa: S603 - scripts of this folder
        [sys.executable, script], stdout=subprocess.PIPE, text=True, check=True
    )
    print(done.stdout, flush=True)
    return done.stdout


def _into_readme(mark: str, tables: str) -> None:
    path = ROOT / "README.md"
    marked = re.compile(f"(<!-- {mark} -->\\n).*?(<!-- /{mark} -->)", re.DOTALL)
    path.write_text(marked.sub(lambda found: f"{found[1]}\n{tables}\n{found[2]}", path.read_text()))


if __name__ == "__main__":
    main()
