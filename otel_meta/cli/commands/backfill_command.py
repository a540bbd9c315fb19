"""``otel-meta backfill``: the past of an SLO's counts, as blocks of Prometheus.

The rules of a new SLO begin to count when they are loaded, so that the error budget of its first
period would be that of a few hours. The command asks Prometheus for the raw counts of the past,
adds them up as the rules do, and has promtool write them.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

from typer import Option

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.completion import complete_slos
from otel_meta.cli.console.progress import progress
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.option_set import JsonOption
from otel_meta.cli.project.asked_server import server_connection
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import with_server_project
from otel_meta.cli.slo_names import chosen_slos
from otel_meta.errors import OtelMetaError, UsageError
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.fleet.series_values import Labels, values_by_series
from otel_meta.fleet.steps import Steps
from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.sli_promql import Scope, increments

_RECOUNT: Final = 21_600
"""Seconds that the rules count again at each evaluation."""
_STEP: Final = 300
"""Seconds from one sample to the next; queries look back for as long."""
_BEFORE: Final = 3_600
"""Seconds before the period, so that its beginning has a value."""
_BLOCK: Final = "24h"
_TIMEOUT: Final = 120.0
"""Seconds for a query of raw counters, which is a large one."""
_NOTHING: Final = "no events of these SLOs in that time, or their past is recorded already"
_NEXT: Final = """\
{samples} samples of {series} series in {out}
Next:
1. Move the blocks into the data folder of Prometheus, which reads them within two minutes:
   mv {out}/* DATA/
2. Load the rules, if they are not loaded yet: otel-meta generate
3. Look at the result: slo:error_budget_remaining:ratio"""


def _duration(text: str) -> Duration:
    with _form("a time such as 30d", text):
        return Duration(text)


def _time(text: str) -> float:
    with _form("a time such as 2026-01-31T12:00", text):
        return datetime.fromisoformat(text).astimezone().timestamp()


@contextmanager
def _form(form: str, text: str) -> Generator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{text!r} is not {form}") from error


@dataclass(frozen=True)
class _Span:
    """The time whose counts are written; None stands for the default of the SLO."""

    period: Duration | None
    start: float | None
    end: float | None

    def steps(self, slo: Slo) -> Steps:
        """Return the times of an SLO's samples, at full steps."""
        end = int(min(self.end or time.time(), time.time())) // _STEP * _STEP
        back = (self.period or slo.period).seconds + _BEFORE
        start = int(self.start or end - back) // _STEP * _STEP
        if start >= end:
            raise UsageError("--from is not before --to")
        return Steps(start, end, _STEP)


@with_server_project
def backfill(
    project: Project,
    *,
    out: Annotated[Path, Option(metavar="DIR", help="Folder of the blocks.")],
    slo: Annotated[
        list[str] | None,
        Option(metavar="NAME", help="An SLO (all); may be repeated.", autocompletion=complete_slos),
    ] = None,
    period: Annotated[
        Duration | None,
        Option(metavar="TIME", parser=_duration, help="Time back (the period of the SLO)."),
    ] = None,
    from_: Annotated[
        float | None,
        Option("--from", metavar="TIME", parser=_time, help="Begin, such as 2026-01-31T12:00."),
    ] = None,
    to: Annotated[float | None, Option(metavar="TIME", parser=_time, help="End (now).")] = None,
    promtool: Annotated[
        Path | None, Option(metavar="PATH", help="The program promtool (the one in PATH).")
    ] = None,
    as_json: JsonOption = False,
) -> Result:
    """Write the past of new SLOs as blocks of Prometheus; exit code 1 without data."""
    chosen = list(chosen_slos(load_catalog(project), slo or []))
    program = promtool or _promtool()
    _refuse_folder(out)
    api = PrometheusApi(server_connection(project, _TIMEOUT))
    span = _Span(period, from_, to)
    series: list[tuple[str, dict[int, float]]] = []
    with progress(f"Asking {api.url}", total=len(chosen)) as advance:
        for repo, one in chosen:
            series += _series(repo, one, span.steps(one), api, project.options)
            advance()
    if series:
        with progress("Writing blocks"):
            _write_blocks(program, series, out)
    samples = sum(len(values) for _, values in series)
    written = {"samples": samples, "series": len(series), "out": str(out)}
    text = _NEXT.format(**written) if series else f"{api.url} has {_NOTHING}"
    return Result(
        ExitCode.OK if series else ExitCode.FINDINGS, json.dumps(written) if as_json else text
    )


def cumulated(counts: dict[int, float], times: range) -> dict[int, float]:
    """Add up counts over overlapping windows as the rules do.

    Args:
        counts: the events of the last six hours, by time; a time without data is missing.
        times: every time, in order.

    Returns:
        The events since the first time, and in the six hours before; 0 is not counted twice.
    """
    total: dict[int, float] = {}
    known: list[float] = []
    window = _RECOUNT // times.step
    for position, at in enumerate(times):
        before = known[position - window] if position >= window else 0.0
        last = known[-1] if known else 0.0
        known.append(max(last, before + counts[at]) if at in counts else last)
        if at in counts:
            total[at] = known[-1]
    return total


def _series(
    repo: type[MetaRepo], slo: Slo, steps: Steps, api: PrometheusApi, options: Options
) -> Iterator[tuple[str, dict[int, float]]]:
    """Yield the series of an SLO, each with its values."""
    expressions = increments(slo.sli, Scope(repo.name, Duration(f"{_RECOUNT}s"), options))
    for name, query in (
        (series_names.TOTAL_CUMULATIVE, expressions.total),
        (series_names.BAD_CUMULATIVE, expressions.bad),
    ):
        recorded = values_by_series(api, f'{name}{{slo="{slo.name}"}}', steps)
        for labels, counts in values_by_series(api, query, steps).items():
            named = labels | {("slo", slo.name)}
            values = _before(cumulated(counts, steps.times), recorded.get(named, {}))
            if values:
                yield _text(name, named), values


def _before(values: dict[int, float], recorded: dict[int, float]) -> dict[int, float]:
    """Return the values before the rules began to record, continued by what they recorded."""
    begin = min(recorded, default=None)
    if begin is None:
        return values
    shift = recorded[begin] - values.get(begin, recorded[begin])
    return {at: value + shift for at, value in values.items() if at < begin}


def _text(name: str, labels: Labels) -> str:
    escaped = (f'{label}="{_escaped(value)}"' for label, value in sorted(labels))
    return f"{name}{{{','.join(escaped)}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _write_blocks(promtool: Path, series: list[tuple[str, dict[int, float]]], out: Path) -> None:
    """Have promtool write the blocks.

    Raises:
        UsageError: promtool cannot be run, or fails.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "counts.txt"
        with path.open("w", encoding="utf-8") as file:
            for name, values in series:
                file.writelines(f"{name} {value!r} {at}\n" for at, value in values.items())
            file.write("# EOF\n")
        command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        command += [f"--max-block-duration={_BLOCK}", str(path), str(out)]
        try:
            done = subprocess.run(  # noqa: S603  # the user's own promtool
                command, capture_output=True, check=False, text=True
            )
        except OSError as error:
            raise UsageError(f"--promtool {promtool}: cannot be run: {error.strerror}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise UsageError(f"promtool failed: {lines[-1] if lines else done.returncode}")


def _promtool() -> Path:
    from otel_meta.testing.pinned_tools import find  # noqa: PLC0415 - for this command only

    try:
        return find("promtool")
    except OtelMetaError as error:
        raise UsageError("promtool is not in PATH; name it with --promtool PATH") from error


def _refuse_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a new folder")
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"--out {out}: the folder is not empty; choose a new one")
