"""Wrong commands, options and values: one line with the nearest name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_meta.cli.command_group import load_command
from otel_meta.cli.commands import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import RunCommand

MISTAKES = {
    "": f"COMMAND is missing; the commands are {', '.join(COMMANDS)}",
    "sow": "there is no command 'sow'; did you mean 'show'?",
    "xyz": f"there is no command 'xyz'; the commands are {', '.join(COMMANDS)}",
    "--versoin": "there is no option --versoin; did you mean '--version'?; see otel-meta -h",
    "check --rule x": "check: there is no option --rule; did you mean '--rules'?",
    "check -q": "check: there is no option -q",
    "check extra": "check: Got unexpected extra argument(s) (extra); see otel-meta check -h",
    "check --rules": "check: Option '--rules' requires an argument; see otel-meta check -h",
    "check --only=x": "check: Option '--only' does not take a value; see",
    "check --format jsno": "check: --format: 'jsno' is not one of text, json, sarif, github; did "
    "you mean 'json'?; see otel-meta check -h",
    "generate --folders ruls": "--folders: 'ruls' is not one of rules, docs, dashboards, "
    "collector-config, stack; did you mean 'rules'?",
    "generate --traces jeager": "did you mean 'jaeger'?",
    "demo --stack maybe": "demo: --stack: 'maybe' is not one of auto, yes, no; see",
    "show --repo auorra": "no meta-repository of the catalogue has this name; did you mean "
    "'aurora'?",
    "backfill --out x": "no server is named; give --prometheus URL, set OTEL_META_SERVER_URL",
    "backfill --prometheus http://x": "backfill: --out: is missing; see otel-meta backfill -h",
    "backfill --prometheus http://x --out x --slo aurora-api-latncy": "--slo aurora-api-latncy: "
    "there is no such SLO; did you mean 'aurora-api-latency'?",
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_mistake_is_one_line_with_cure(run_command: RunCommand, arguments: str) -> None:
    """A mistake is one line on standard error with its cure, and exit code 2."""
    code, out, err = run_command(*arguments.split())

    assert (2, "", 1) == (code, out, len(err.splitlines()))
    assert MISTAKES[arguments] in err
    assert err.startswith("otel-meta: ")


OPTIONS = [
    (command, option.opts[-1])
    for command in COMMANDS
    for option in load_command(command).params
    if option.param_type_name == "option" and not getattr(option, "is_flag", False)
]
"""The options of each command that have a value."""
ARGUMENTS = {"budget": ["an-slo"], "explain": ["an-slo"], "new": ["a-name"]}


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_empty_value_is_refused(command: str, option: str, run_command: RunCommand) -> None:
    """An option whose variable is not set is refused, in place of the meaning of no option."""
    code, out, err = run_command(command, *ARGUMENTS.get(command, []), option, "")

    assert (2, "", 1) == (code, out, len(err.splitlines()))
    assert f"{option}: " in err or "duration ''" in err
