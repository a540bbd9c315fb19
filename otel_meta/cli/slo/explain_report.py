"""The report of ``otel-meta explain``: state, causes, kinds of failure, and traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from otel_meta.fleet.explain.explanation_json import CauseJson, ExplanationJson, TraceJson
from otel_meta.status.page.words import STATES, duration

from .status_texts import count_text, fastest_text, percent_text, service_text

_HEADINGS: Final = ("PART", "BAD", "OF", "ITS RATIO", "EXCESS", "EXPLAINS")
_LONGEST_PART: Final = 60
_NO_CAUSE: Final = (
    "No label value stands out: every part fails alike. Look at what all parts share, such as a "
    "dependency, a configuration or a deployment."
)
_MORE: Final = (
    "--traces URL adds the span that fails, from a Jaeger; --logs FILE adds the log lines."
)
_FEW: Final = 5
_TOO_FEW: Final = "Too few bad events to tell the parts apart."


def explain_report(found: ExplanationJson, at: float) -> Iterator[RenderableType]:
    """Yield the parts of the report, the answer first.

    Args:
        found: the explanation.
        at: the time of the explanation, in seconds since 1970.
    """
    yield Text(_headline(found), "bold")
    yield Text(_burning(found, at))
    if found["also_burning"]:
        yield Text(f"Also burning: {', '.join(found['also_burning'])}; choose with --service NAME.")
    yield Text()
    if found["causes"]:
        yield _causes(found)
    else:
        yield Text(_NO_CAUSE if found["bad"] >= _FEW else _TOO_FEW)
        if found["of_all_bad"]:
            yield Text(f"All bad events have {part_text(found['of_all_bad'])}.")
    yield from _kinds(found)
    for trace in found["traces"]:
        yield from _trace(trace)
    if not found["traces"]:
        yield Text("No exemplar of a bad event has a trace id in this time.")
    elif not any(trace.get("link") or trace.get("log_lines") for trace in found["traces"]):
        yield Text(_MORE)


def _headline(found: ExplanationJson) -> str:
    status = found["status"]
    return (
        f"{status['name']} of {service_text(status)}: {STATES[status['state']]}, "
        f"{_budget(status['budget_left'])}, burn rate {fastest_text(status['burn_rates'])}"
    )


def _budget(left: float | None) -> str:
    shown = percent_text(left)
    if left is not None and left < 0:
        return f"error budget overspent ({shown} left)"
    return f"{shown} of the error budget left"


def _burning(found: ExplanationJson, at: float) -> str:
    unit = found["status"]["unit"]
    bad, total = (count_text(found[key], unit) for key in ("bad", "total"))
    share = percent_text(found["bad"] / found["total"])
    since = found["burning_since"]
    begun = (
        "The error budget does not burn now."
        if since is None
        else f"Burning for {duration(at - since)}, since {_clock(since)} UTC."
    )
    return f"{begun} Bad in {found['span']}: {bad} of {total} ({share})."


def _causes(found: ExplanationJson) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for cause in found["causes"]:
        table.add_row(*map(Text, _row(cause, found["status"]["unit"])))
    return table


def _row(cause: CauseJson, unit: str) -> Sequence[str]:
    return (
        part_text(cause["part"]),
        count_text(cause["bad"], unit),
        count_text(cause["total"], unit),
        percent_text(cause["ratio"]),
        count_text(cause["excess"], unit),
        percent_text(cause["share"], 0),
    )


def part_text(part: Mapping[str, str]) -> str:
    """Return label values in the notation of PromQL, without control characters."""
    return ", ".join(f"{label}={_quoted(value)}" for label, value in part.items())


def _quoted(value: str) -> str:
    shown = value if len(value) <= _LONGEST_PART else f"{value[:_LONGEST_PART]}…"
    printable = "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in shown
    )
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _kinds(found: ExplanationJson) -> Iterator[Text]:
    unit = found["status"]["unit"]
    kinds = ", ".join(
        f"{part_text(kind['labels']) or 'without a label'} ({count_text(kind['bad'], unit)})"
        for kind in found["kinds"]
    )
    if kinds:
        of_what = part_text(found["causes"][0]["part"]) if found["causes"] else "the service"
        yield Text(f"Kinds of failure of {of_what}: {kinds}")


def _trace(trace: TraceJson) -> Iterator[Text]:
    yield Text(f"{_clock(trace['at'])} trace {trace['trace_id']}  {trace.get('link', '')}".rstrip())
    if span := trace.get("failing_span"):
        said = ", ".join(filter(None, (span["status"], span["exception"])))
        yield Text(f"  fails in {span['service']}: {span['operation']}: {said}")
    for line in trace.get("log_lines", ()):
        yield Text(f"  {line}")


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
