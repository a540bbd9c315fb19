"""Queries of runbooks and documents: Prometheus reads them, and they show what the text says.

The situation of the runbooks: each SLO has services that worked for four hours, and of whose events
half fail since an hour. A real Prometheus has the raw series of these hours, evaluates the
committed rules, and has one target that it cannot scrape.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from otel_meta.check.finding import Diagnostic
from otel_meta.check.known_series import KnownSeries
from otel_meta.check.promql.expressions import parse
from otel_meta.check.promql.infer import Inference
from otel_meta.check.rule_lint import known_series_of
from otel_meta.repos import BUILTIN
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.rules.document_commands import Block, queries
from tests.rules.pinned_tools import RULES
from tests.rules.prometheus_server import backfill, fetch
from tests.rules.raw_series import Flow, constant_flow, counter, raw_series

QUERIES = queries()
GOOD, BURNING = 240, 60
"""Minutes before and since the failures."""
MINUTES = GOOD + BURNING
FLOW: Flow = [*constant_flow(GOOD, 0.0), *constant_flow(BURNING, 0.5)]
BESIDE = (
    "alertmanager_notifications_failed_total{}",
    "prometheus_rule_evaluation_failures_total{}",
    'otel_meta_faults_total{service_name="a",source="s",reason="r"}',
    'http_server_request_outcomes_total{service_name="a",outcome="cancelled"}',
    'http_server_after_response_errors_total{service_name="a",phase="background",error_type="E"}',
)
"""Counters of other programs, of telemetry itself, and of every instrumented application."""
SHOWN = {
    *("slo-burn.md", "slo-budget-exhausted.md", "slo-no-data.md", "slo-overview.md"),
    *("quick-start.md", "troubleshooting.md"),
}
"""Documents whose every query has a result in the situation of the runbooks."""
SLOS = [(repo, slo) for repo in BUILTIN for slo in repo.slos.values()]
SERVICES = 2
"""Services of each SLO: a join of several series with several others is an error."""
CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 5s}}
rule_files: ['{folder}/rules/*.yml']
scrape_configs: [{{job_name: gone, static_configs: [{{targets: ['127.0.0.1:1']}}]}}]
"""


def values_of(text: str) -> Iterator[float]:
    """Yield the samples of promtool's notation, one a minute."""
    for run in text.split():
        start, _, steps = run.partition("+")
        step, _, times = (steps or f"0x{start.partition('x')[2] or 0}").partition("x")
        first = float(start.partition("x")[0])
        yield from (first + float(step) * number for number in range(int(times) + 1))


def raw() -> Iterator[tuple[str, list[float]]]:
    """Yield the raw series of all SLOs, and those of other programs."""
    for repo, slo in SLOS:
        for service in (f"{slo.name}-{number}" for number in range(SERVICES)):
            for name, text in raw_series(repo, slo, FLOW, service).items():
                yield name, list(values_of(text))
            labels = f'service_namespace="{repo.name}",service_name="{service}"'
            yield f"otel_meta_up{{{labels}}}", [1.0] * (MINUTES + 1)
            yield from recorded(f'{{slo="{slo.name}",{labels}}}')
    for name in BESIDE:
        yield name, list(values_of(counter([1.0] * MINUTES)))


def recorded(labels: str) -> Iterator[tuple[str, list[float]]]:
    """Yield the history of the recordings whose past the runbooks read."""
    yield f"slo:total:increase5m{labels}", [5 * total for _, total in (*FLOW, FLOW[-1])]
    yield f"slo:error_ratio:5m{labels}", [bad / total for bad, total in (*FLOW, FLOW[-1])]
    yield f"slo:compliant:bool{labels}", [float(bad == 0) for bad, _ in (*FLOW, FLOW[-1])]
    for position, name in enumerate(("bad", "total")):
        counts = accumulate((minute[position] for minute in FLOW), initial=0.0)
        yield f"slo:{name}:cumulative{labels}", list(counts)


def write_history(path: Path, now: float) -> None:
    """Write the samples of every series, the last of them now."""
    with path.open("w") as file:
        for name, values in raw():
            start = now - 60 * (len(values) - 1)
            file.writelines(
                f"{name} {value!r} {start + 60 * minute:.0f}\n"
                for minute, value in enumerate(values)
            )
        file.write("# EOF\n")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real Prometheus with all rules in the situation of the runbooks."""
    folder = tmp_path_factory.mktemp("prometheus")
    write_history(folder / "history.txt", time.time())
    backfill(folder / "history.txt", folder / "data")
    (folder / "rules").mkdir()
    for path in RULES.glob("*.yml"):
        text = re.sub(r"interval: (?:30s|1m)\b", "interval: 5s", path.read_text())
        (folder / "rules" / path.name).write_text(text)
    config = CONFIG.format(folder=folder)
    with Backend(program=PROMETHEUS, folder=folder, config=config, port=0) as server:
        base = server.wait_until_ready().url
        until = time.monotonic() + 120
        while time.monotonic() < until:
            found = answer(base, "count(slo:burn_rate:1h and slo:compliant:bool == 0)")
            if found and float(found[0]["value"][1]) >= SERVICES * len(SLOS) and settled(base):
                yield base
                return
            time.sleep(1)
        pytest.fail(f"the recordings of {answer(base, 'count by (slo) (slo:compliant:bool)')}")


def settled(base: str) -> bool:
    """Return True if the recordings over all SLOs have followed."""
    violations = "service:slo_violations:count1d > 0"
    return bool(answer(base, f'{violations} and on () ALERTS{{alertname="Watchdog"}}'))


def answer(base: str, query: str) -> Any:
    """Return the result of a query."""
    return json.loads(fetch(f"{base}/api/v1/query", query=query))["data"]["result"]


@pytest.fixture(scope="module")
def known() -> KnownSeries:
    """Return every declared and recorded series."""
    return known_series_of(BUILTIN, [])


def test_documents_have_queries() -> None:
    """The documents have queries, and each runbook has some."""
    assert len(QUERIES) > 100
    assert SHOWN <= {block.document for block in QUERIES}


@pytest.mark.parametrize("block", QUERIES, ids=lambda block: block.name)
def test_query_is_answered(block: Block, url: str) -> None:
    """Prometheus answers the query; in a runbook of SLOs, with a result."""
    found = answer(url, block.text)

    assert found or block.document not in SHOWN


@pytest.mark.parametrize("block", QUERIES, ids=lambda block: block.name)
def test_every_name_in_query_exists(block: Block, known: KnownSeries) -> None:
    """Every metric, recording and label in the query exists."""
    found: list[Diagnostic] = []
    Inference(known, found.append).vector(parse(block.text))

    assert [] == found


def test_minutes_of_burning_are_those_of_the_failures(url: str) -> None:
    """The minutes since the budget was last kept are the minutes since the failures began."""
    (query,) = {
        block.text
        for block in QUERIES
        if 'timestamp(slo:error_ratio:5m{slo="aurora-api-av' in block.text
    }
    minutes = [  # services of other SLOs get requests too, which do not fail
        float(one["value"][1])
        for one in answer(url, query)
        if one["metric"]["service_name"].startswith("aurora-api-availability")
    ]

    assert SERVICES == len(minutes)
    assert [BURNING] * SERVICES == pytest.approx(minutes, abs=3)


def test_minutes_without_events_are_those_since_the_last_event(url: str) -> None:
    """The minutes since the last events are few while events occur."""
    (query,) = {block.text for block in QUERIES if "timestamp(slo:total" in block.text}

    assert [] == [one for one in answer(url, query) if float(one["value"][1]) > 5]
