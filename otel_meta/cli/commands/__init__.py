"""The table of commands.

To add the command ``NAME``: add a row here, and the module ``NAME_command.py`` with the function
``NAME``. Typer makes the options from its parameters; the docstring is its help. The function
returns a `Result`, and raises `UsageError` or `BackendError`. The decorator `with_project` gives it
the project and the options that choose the catalogue. Costly packages are imported in the function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Row(NamedTuple):
    """A command: its line in the help of the program, the panel with the line, and examples."""

    summary: str
    panel: str
    examples: tuple[str, ...]


_DECLARE: Final = "Declare"
_GENERATE: Final = "Generate"
_OPERATE: Final = "Operate"
_TRY: Final = "Try"

COMMANDS: Final[Mapping[str, Row]] = {
    "show": Row(
        "Show meta-repositories, metrics and SLOs.",
        _DECLARE,
        ("show slos --repo aurora", "show orders.placed", "show metrics --json"),
    ),
    "check": Row(
        "Check the catalogue, and rules against it.",
        _DECLARE,
        (
            "check --repo atlas:Atlas",
            "check --rules rules --format github",
            "check --rules rules/*.yml --metric 'mysql_*' 'redis_*'",
        ),
    ),
    "generate": Row(
        "Write rules, dashboards, runbooks and the rest.",
        _GENERATE,
        (
            "generate --out deploy --runbooks https://runbooks.example.org",
            "generate --repo aurora --folders rules dashboards",
            "generate --check",
        ),
    ),
    "backfill": Row(
        "Write the past of new SLOs as blocks of Prometheus.",
        _GENERATE,
        ("backfill --prometheus http://localhost:9090 --slo aurora-api-latency --out blocks",),
    ),
    "slo": Row(
        "Show the status of each SLO, or fail a deployment.",
        _OPERATE,
        (
            "slo http://localhost:8000",
            "slo --prometheus http://localhost:9090 --watch",
            "slo --service payments --fail-on breached,at_risk,no_data --require-coverage 25%",
        ),
    ),
    "budget": Row(
        "Say what an error budget means, and when alerts fire.",
        _OPERATE,
        (
            "budget aurora-api-availability --events 1000000",
            "budget aurora-api-latency --prometheus http://localhost:9090 --objective 99.95%",
        ),
    ),
    "explain": Row(
        "Say why an error budget burns.",
        _OPERATE,
        (
            "explain aurora-api-availability --prometheus http://localhost:9090",
            "explain aurora-api-latency --service web --over 30m --at 2026-01-31T03:10",
            "explain aurora-api-availability --traces http://localhost:16686 --logs web.log",
        ),
    ),
    "mcp": Row(
        "Serve SLOs to an assistant, read-only.",
        _OPERATE,
        (
            "mcp",
            "mcp --prometheus http://localhost:9090",
            "mcp --prometheus http://localhost:9090 --port 8765",
        ),
    ),
    "new": Row(
        "Write a module with a meta-repository to start from.",
        _TRY,
        ("new atlas-maps --owner maps",),
    ),
    "demo": Row(
        "Run two services under traffic, with a fault for a while.",
        _TRY,
        ("demo --for 60s", "demo --stack yes"),
    ),
}
"""Every command, in the order of the help."""
