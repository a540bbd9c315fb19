"""Queries of runbooks and documents: Prometheus reads them, and they show what the text says.

The situation of the runbooks: each SLO has services in every state in which a person reads its
section, as `FLOWS` has them. Beside the series that fail, a service has series that never fail. A
real Prometheus has the raw series of five hours, evaluates the committed rules, and has one target
that it cannot scrape.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from otel_meta import MetaRepo, Slo
from otel_meta.check.finding import Diagnostic
from otel_meta.check.known_series import KnownSeries
from otel_meta.check.promql.expressions import parse
from otel_meta.check.promql.infer import Inference
from otel_meta.check.rule_lint import known_series_of
from otel_meta.cli import main
from otel_meta.model.slo.sli import TimeSlice
from otel_meta.repos import BUILTIN
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.rules.document_commands import Block, commands, queries
from tests.rules.pinned_tools import RULES
from tests.rules.prometheus_server import backfill, fetch
from tests.rules.raw_series import Flow, constant_flow, counter, raw_series

SLOS = [(repo, slo) for repo in BUILTIN for slo in repo.slos.values()]
SECTIONS = [slo.name for _, slo in SLOS]
QUERIES = queries()
PROMETHEUS_URL = "http://localhost:9090"
"""The address of Prometheus in the documents."""
ASKING = {
    block.text: block
    for block in commands("otel-meta")
    if PROMETHEUS_URL in block.text and block.section in SECTIONS
}
"""The commands of sections that ask the server, each text once."""
MINUTES, BURNING, ENDED, GONE = 300, 60, 30, 40
"""Minutes of history; since failures began, since they ended, and since a service is gone."""
FAILING = 0.8
"""The share of bad events among those that may fail."""
FLOWS: Mapping[str, Flow] = {
    "burning": [*constant_flow(MINUTES - BURNING, 0.0), *constant_flow(BURNING, FAILING)],
    "ended": [
        *constant_flow(MINUTES - BURNING - ENDED, 0.0),
        *constant_flow(BURNING, FAILING),
        *constant_flow(ENDED, 0.0),
    ],
    "gone": [*constant_flow(MINUTES - BURNING, 0.0), *constant_flow(BURNING - GONE, FAILING)],
}
"""The events of each minute of services, by state."""
TOTAL = 1000.0
"""Events of a minute of the series that may fail."""
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
SERVICES = {"first": "burning", "second": "burning", **{s: s for s in ("ended", "gone", "slow")}}
"""Services of each SLO, two of a state: a join of several series with several is an error."""
COARSE = "titan-circuit-breaker-availability"
"""The SLO whose budget of five hours is less than a sample of its gauge."""
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


def flow_of(slo: Slo, state: str) -> Flow:
    """Return the events of a service; a slow one spends its budget twice too fast."""
    if state != "slow":
        return FLOWS[state]
    share = 2 * float(slo.objective.budget) * dilution(slo)
    return [*constant_flow(MINUTES - BURNING, 0.0), *constant_flow(BURNING, share)]


def has_sound_part(slo: Slo) -> bool:
    """Return True if a label with any value tells series that never fail from those that fail."""
    return any(
        label.values is None
        for part in slo.sli.parts
        for label in part.bad_events.selector.instrument.label_fields
        if label.default is None
    )


def dilution(slo: Slo) -> int:
    """Return all events, divided by those of the series that may fail."""
    is_worst = isinstance(slo.sli, TimeSlice) and slo.sli.series == "worst"
    return 2 if has_sound_part(slo) and not is_worst else 1


def raw() -> Iterator[tuple[str, list[float]]]:
    """Yield the raw series of all SLOs, and those of other programs."""
    for repo, slo in SLOS:
        for name, state in SERVICES.items():
            yield from of_service(repo, slo, f"{slo.name}-{name}", flow_of(slo, state))
    for name in BESIDE:
        yield name, list(values_of(counter([1.0] * MINUTES)))


def of_service(
    repo: type[MetaRepo], slo: Slo, service: str, flow: Flow
) -> Iterator[tuple[str, list[float]]]:
    """Yield the raw series of a service and their past recordings."""
    for name, text in raw_series(repo, slo, flow, service).items():
        yield name, list(values_of(text))
    sound: Flow = [(0.0, total) for _, total in flow] if has_sound_part(slo) else []
    for name, text in raw_series(repo, slo, sound, service).items() if sound else ():
        yield name.replace('="some-', '="sound-'), list(values_of(text))
    labels = f'service_namespace="{repo.name}",service_name="{service}"'
    yield f"otel_meta_up{{{labels}}}", [1.0] * (len(flow) + 1)
    counted = [(bad, total * dilution(slo)) for bad, total in flow]
    yield from recorded(f'{{slo="{slo.name}",{labels}}}', counted)


def recorded(labels: str, flow: Flow) -> Iterator[tuple[str, list[float]]]:
    """Yield the history of the recordings whose past the runbooks read."""
    yield f"slo:total:increase5m{labels}", [5 * total for _, total in (*flow, flow[-1])]
    yield f"slo:error_ratio:5m{labels}", [bad / total for bad, total in (*flow, flow[-1])]
    yield f"slo:compliant:bool{labels}", [float(bad == 0) for bad, _ in (*flow, flow[-1])]
    for position, name in enumerate(("bad", "total")):
        counts = accumulate((minute[position] for minute in flow), initial=0.0)
        yield f"slo:{name}:cumulative{labels}", list(counts)


def write_history(path: Path, now: float) -> None:
    """Write the samples of every series, the last of them now, unless the service is gone."""
    start = now - 60 * MINUTES
    with path.open("w") as file:
        for name, values in raw():
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
            wanted = len(SLOS) * len(("first", "second", "ended"))
            if found and float(found[0]["value"][1]) >= wanted and settled(base):
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


def by_state(base: str, slo: Slo, beginning: str) -> dict[str, float]:
    """Return the results of the one query that begins so, by service, in the section of an SLO."""
    (query,) = [
        block.text
        for block in QUERIES
        if block.section == slo.name and block.text.startswith(beginning)
    ]
    return of_slo(slo, answer(base, query))


def of_slo(slo: Slo, result: list[dict[str, Any]]) -> dict[str, float]:
    """Return the values of a result by service, for the services of one SLO."""
    values = {one["metric"]["service_name"]: float(one["value"][1]) for one in result}
    return {
        service.removeprefix(f"{slo.name}-"): value
        for service, value in values.items()
        if service.startswith(f"{slo.name}-")
    }


@pytest.mark.parametrize(("repo", "slo"), SLOS, ids=SECTIONS)
class TestSection:
    def test_burn_rate_shows_if_it_goes_on(self, repo: type[MetaRepo], slo: Slo, url: str) -> None:
        """The burn rate is high while events fail, 0 after the end, and absent without events."""
        rates = by_state(url, slo, "slo:error_ratio:5m")
        share = FAILING / dilution(slo)

        assert {"first", "second", "ended", "slow"} == set(rates), repo
        assert share / float(slo.objective.budget) == pytest.approx(rates["first"], rel=0.3)
        assert 0 == rates["ended"]

    def test_minutes_of_burning_are_those_of_the_failures(
        self, repo: type[MetaRepo], slo: Slo, url: str
    ) -> None:
        """The minutes of burning are those since the failures began; none after the end."""
        minutes = by_state(url, slo, "(time() - max_over_time(timestamp(slo:error_ratio:5m")

        assert {"first", "second"} == set(minutes) - {"slow"}, repo
        assert [BURNING] * 2 == pytest.approx([minutes["first"], minutes["second"]], abs=3)

    def test_minutes_without_events_are_those_since_the_last_event(
        self, repo: type[MetaRepo], slo: Slo, url: str
    ) -> None:
        """The minutes since the last events are few with events, and grow without them."""
        minutes = by_state(url, slo, "(time() - max_over_time(timestamp(slo:total:increase5m")

        assert GONE == pytest.approx(minutes.pop("gone"), abs=6), repo
        assert set(SERVICES) - {"gone"} == set(minutes)
        assert max(minutes.values()) <= 6

    def test_budget_is_overspent_by_failures_and_lasts_at_a_low_burn_rate(
        self, repo: type[MetaRepo], slo: Slo, url: str
    ) -> None:
        """The budget is overspent by failures; a slow one has hours left, which follow from it."""
        left = by_state(url, slo, "slo:error_budget_remaining:ratio")
        hours = by_state(url, slo, "(slo:error_budget_remaining:ratio")
        (rate,) = answer(
            url, f'slo:burn_rate:1h{{slo="{slo.name}",service_name="{slo.name}-slow"}}'
        )

        assert max(left["first"], left["ended"]) < 0, repo
        if slo.name != COARSE:
            period = slo.period.seconds / 3600
            assert {"slow"} == set(hours) - {"gone"}
            assert left["slow"] * period / float(rate["value"][1]) == pytest.approx(hours["slow"])
            assert 0.3 * period == pytest.approx(hours["slow"], rel=0.3)

    def test_parts_with_bad_events_are_those_that_fail(
        self, repo: type[MetaRepo], slo: Slo, url: str
    ) -> None:
        """The label values with the most bad events are those that fail, also after the end."""
        queries = [
            block.text
            for block in QUERIES
            if block.section == slo.name and f'service_namespace="{repo.name}"' in block.text
        ]
        for query in queries:
            result = answer(url, query)
            counts = of_slo(slo, result)

            assert "sound-" not in str(result)
            assert {"first", "second"} <= set(counts)
            if slo.sli.unit == "events":
                expected = BURNING * FAILING * TOTAL / len(slo.sli.parts)
                assert set(SERVICES) == set(counts)
                assert expected == pytest.approx(counts["first"], rel=0.1)


@pytest.mark.parametrize("block", ASKING.values(), ids=lambda block: block.name)
def test_command_of_section_answers_about_its_slo(
    block: Block, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of a section succeeds, and names its SLO and no part that never fails."""
    monkeypatch.setenv("COLUMNS", "250")
    text = block.text.replace("${SERVICE:?}", f"{block.section}-first")
    code = main(shlex.split(text.replace(PROMETHEUS_URL, url))[1:])
    printed = capsys.readouterr()

    assert 0 == code, printed.err
    assert block.section in printed.out
    assert "sound-" not in printed.out
