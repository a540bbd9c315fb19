"""``otel-meta explain``: why an error budget burns, from the parts of a service to a log line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from typer import Option

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.option_set import JsonOption
from otel_meta.cli.project.asked_server import ca_file, timeout
from otel_meta.cli.project.config_kinds import BASE_URL, FILE, TEXT
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import SloArgument, checked, with_server_project
from otel_meta.cli.several_values import SEVERAL
from otel_meta.cli.slo.option_values import moment, span
from otel_meta.errors import BackendError, UsageError
from otel_meta.model import Duration
from otel_meta.model.identity import SERVICE

if TYPE_CHECKING:
    from otel_meta.fleet.explain.explanation_json import ExplanationJson, TraceJson

_STANDARD_INPUT: Final = "-"
_HOUR: Final = "1h"
_TRACES: Final = 3
"""Traces that are shown."""


@with_server_project
def explain(
    project: Project,
    name: SloArgument,
    *,
    service: Annotated[
        str | None,
        Option(
            metavar="NAME", parser=checked(TEXT), help="A service (the one that burns fastest)."
        ),
    ] = None,
    over: Annotated[
        Duration | None,
        Option(metavar="TIME", parser=span, help=f"The time that is explained ({_HOUR})."),
    ] = None,
    at: Annotated[
        float | None,
        Option(metavar="TIME", parser=moment, help="Its end, such as 2026-01-31T12:00 (now)."),
    ] = None,
    traces: Annotated[
        str | None,
        Option(
            metavar="URL",
            parser=checked(BASE_URL),
            help="A Jaeger, which knows in which span a request failed.",
        ),
    ] = None,
    logs: Annotated[
        list[str] | None,
        Option(
            metavar=f"FILE{SEVERAL}",
            parser=checked(FILE),
            help="Log lines in JSON, of which those of the traces are shown; - for standard input.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> Result:
    """Say why an error budget burns: in which part, in which way, and in which traces.

    Exit code 1 without events in the time, and 3 if a server cannot be asked.
    """
    services = {SERVICE: service} if service else {}
    # A local import: the HTTP client is for commands that ask.
    from otel_meta.cli.slo.explanation_source import AskedBurn, explanation  # noqa: PLC0415

    asked = AskedBurn(name, services, over or Duration(_HOUR), time.time() if at is None else at)
    found = explanation(project, load_catalog(project), asked)
    if not found["total"]:
        text = f"{name}: no events in {asked.span}; name another time, with --at or --over"
        return Result(ExitCode.FINDINGS, json.dumps(found, indent=2) if as_json else text)
    fault = _add_failing_spans(project, found, traces)
    # Of the traces, those that the store knows come first.
    found["traces"] = sorted(found["traces"], key=_has_no_span)[:_TRACES]
    _add_log_lines(found, logs or ())
    text = json.dumps(found, indent=2) if as_json else _report(found, asked.at)
    if fault is not None and not as_json:
        text += f"\n{fault}"
    return Result(ExitCode.OK if fault is None else ExitCode.BACKEND, text)


def _add_log_lines(found: ExplanationJson, logs: Iterable[str]) -> None:
    """Add the log lines of each trace.

    Raises:
        UsageError: a file cannot be read.
    """
    from otel_meta.fleet.explain.trace_log_lines import log_lines  # noqa: PLC0415

    lines = log_lines(_lines(logs), [trace["trace_id"] for trace in found["traces"]])
    for trace in found["traces"]:
        trace["log_lines"] = lines[trace["trace_id"]]


def _lines(logs: Iterable[str]) -> Iterator[str]:
    for name in logs:
        if name == _STANDARD_INPUT:
            yield from sys.stdin
            continue
        try:
            with Path(name).open(encoding="utf-8", errors="replace") as file:
                yield from file
        except OSError as error:
            raise UsageError(f"--logs {name}: {error.strerror}") from error


def _add_failing_spans(
    project: Project, found: ExplanationJson, traces: str | None
) -> BackendError | None:
    """Add the failing spans of as many traces as are shown; return the error of the store.

    The causes are known by then, and are worth more than the spans.
    """
    if traces is None:
        return None
    from otel_meta.fleet.connection import Connection  # noqa: PLC0415
    from otel_meta.fleet.explain.failing_span import Jaeger  # noqa: PLC0415

    store = Jaeger(Connection(traces, timeout=timeout(project), ca_file=ca_file(project)))
    for trace in found["traces"]:
        trace["link"] = store.link(trace["trace_id"])
    known = 0
    for trace in found["traces"]:
        try:
            span = store.failing_span(trace["trace_id"])
        except BackendError as error:
            return error
        if span is not None:
            trace["failing_span"] = span
            known += 1
        if known == _TRACES:
            break
    return None


def _has_no_span(trace: TraceJson) -> bool:
    return "failing_span" not in trace


def _report(found: ExplanationJson, at: float) -> str:
    # Local imports: rich is for tables.
    from otel_meta.cli.console.rendered import rendered  # noqa: PLC0415
    from otel_meta.cli.slo.explain_report import explain_report  # noqa: PLC0415

    return rendered(explain_report(found, at))
