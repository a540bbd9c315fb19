from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta.repos import BUILTIN

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Command, Write

Shown = Callable[..., str]
Declared = dict[str, list[dict[str, Any]]]

SEVENTH = Path(__file__).resolve().parents[2] / "examples" / "seventh_repo"
JUDGED = """\
from typing import Literal
from otel_meta import Counter, MetaRepo, NoLabels, labels
@labels
class Judgement:
    good: Literal["yes", "no"]
    judge: str
class Court(MetaRepo, name="court", owner="justice"):
    cases = Counter("court.cases", "Cases.", Judgement)
    appeals = Counter("court.appeals", "Appeals.", NoLabels)
"""


@pytest.fixture
def shown(answer: Answer) -> Shown:
    """What `show` prints."""

    def show(*arguments: str) -> str:
        code, out, err = answer("show", *arguments)
        assert (0, "") == (code, err)
        return out

    return show


def tables(text: str) -> dict[str, list[str]]:
    """The lines of each table, without the dashes, by the second word of its head."""
    blocks = [block.splitlines() for block in text.strip("\n").split("\n\n")]
    return {lines[0].split()[1]: [lines[0], *lines[2:]] for lines in blocks}


class TestTables:
    def test_all(self, shown: Shown) -> None:
        """By default all three are shown: repositories, metrics, SLOs."""
        found = tables(shown())

        assert ["OWNER", "METRIC", "SLO"] == list(found)
        assert [6, len(list(BUILTIN.instruments())), 22] == [
            len(lines) - 1 for lines in found.values()
        ]

    @pytest.mark.parametrize(
        ("what", "head"),
        [
            ("repos", ["META-REPOSITORY", "OWNER", "TIER", "METRICS", "SLOS", "DESCRIPTION"]),
            ("metrics", ["META-REPOSITORY", "METRIC", "TYPE", "UNIT", "LABELS"]),
            ("slos", ["META-REPOSITORY", "SLO", "OBJECTIVE", "PERIOD", "SLI"]),
        ],
    )
    def test_one(self, shown: Shown, what: str, head: list[str]) -> None:
        """One that is named is shown alone."""
        ((lines),) = tables(shown(what)).values()

        assert head == lines[0].split()

    def test_some(self, shown: Shown) -> None:
        """Several are shown in the order of naming, each once."""
        assert ["SLO", "OWNER"] == list(tables(shown("slos", "repos", "slos")))

    def test_repos(self, shown: Shown) -> None:
        """A meta-repository's row says whose it is, how grave, how much, and what."""
        lines = tables(shown("repos"))["OWNER"]

        assert (
            "titan-microservices-mesh     service-mesh       1       10     4  "
            "Services, events and circuit breakers."
        ) in lines

    def test_metrics(self, shown: Shown) -> None:
        """A metric's row has Prometheus' name, and a dash where there is no unit."""
        rows = [line.split(maxsplit=4) for line in tables(shown("metrics"))["METRIC"]]

        assert [
            "titan-microservices-mesh",
            "circuit_breaker_state",
            "gauge",
            "-",
            "breaker, state",
        ] in rows

    def test_slos(self, shown: Shown) -> None:
        """An SLO's row has its promise and what makes an event good."""
        rows = [line.split(maxsplit=4) for line in tables(shown("slos"))["SLO"]]

        assert [
            "titan-microservices-mesh",
            "titan-service-latency",
            "99%",
            "7d",
            "http_server_request_duration_seconds <= 0.1",
        ] in rows

    def test_label_names(self, shown: Shown, here: Path, write: Write) -> None:
        """Labels are shown by name, whatever they are called; a dash stands for none."""
        write("court", JUDGED)

        lines = tables(shown("metrics", "--only", "--repo=court:Court"))["METRIC"]

        assert ["good, judge", "-"] == [line.split(maxsplit=4)[4] for line in lines[1:]]

    def test_nothing_to_show(self, shown: Shown, here: Path, write: Write) -> None:
        """Without SLOs, the table is its head."""
        write("court", JUDGED)

        assert 2 == len(shown("slos", "--only", "--repo=court:Court").splitlines())


class TestJson:
    @pytest.fixture
    def declared(self, shown: Shown) -> Declared:
        """What is printed for other programs."""
        found: Declared = json.loads(shown("--json"))
        return found

    def test_program(self, otel_meta: Command, shown: Shown) -> None:
        """The program prints JSON and nothing else."""
        done = otel_meta("show", "--json")

        assert (0, "") == (done.returncode, done.stderr)
        assert json.loads(shown("--json")) == json.loads(done.stdout)

    def test_counts(self, declared: Declared) -> None:
        """Six meta-repositories make 22 promises about at least 55 metrics."""
        assert ["repos", "metrics", "slos"] == list(declared)
        assert 6 == len(declared["repos"])
        assert 22 == len({slo["name"] for slo in declared["slos"]})
        assert 55 <= len({metric["name"] for metric in declared["metrics"]})
        assert 55 <= len({metric["prometheus_name"] for metric in declared["metrics"]})

    def test_counts_agree(self, declared: Declared) -> None:
        """A meta-repository counts as many metrics and SLOs as are listed under its name."""
        metrics = Counter(metric["repo"] for metric in declared["metrics"])
        slos = Counter(slo["repo"] for slo in declared["slos"])

        assert {r["name"]: (r["metrics"], r["slos"]) for r in declared["repos"]} == {
            repo.name: (metrics[repo.name], slos[repo.name]) for repo in BUILTIN
        }

    def test_metrics(self, declared: Declared) -> None:
        """Each metric has its repository, both names, type, unit and labels."""
        wanted = {"repo", "name", "prometheus_name", "type", "unit", "labels"}

        assert [] == [metric for metric in declared["metrics"] if wanted - metric.keys()]
        assert {"counter", "updowncounter", "gauge", "histogram"} == {
            metric["type"] for metric in declared["metrics"]
        }

    def test_metric(self, declared: Declared) -> None:
        """A metric's closed labels hold their values; an open one is null."""
        (orders,) = (m for m in declared["metrics"] if m["name"] == "orders.placed")
        (queue,) = (m for m in declared["metrics"] if m["name"] == "service.request.queue.depth")

        assert {
            "repo": "aurora-fullstack-saas",
            "name": "orders.placed",
            "prometheus_name": "orders_placed_total",
            "type": "counter",
            "unit": "{order}",
            "labels": {
                "channel": ["web", "mobile", "api"],
                "outcome": ["accepted", "declined", "failed"],
            },
            "description": "Orders placed, by outcome.",
        } == orders
        assert {"queue": None} == queue["labels"]

    def test_slos(self, declared: Declared) -> None:
        """Each SLO has its repository, name, objective, period and indicator."""
        wanted = {"repo", "name", "objective", "period", "sli"}

        assert [] == [slo for slo in declared["slos"] if wanted - slo.keys()]
        assert [] == [slo for slo in declared["slos"] if not slo["sli"]["good"]]

    def test_slo(self, declared: Declared) -> None:
        """An SLO's promise stands there as it was declared."""
        (slo,) = (s for s in declared["slos"] if s["name"] == "titan-circuit-breaker-availability")

        assert ("titan-microservices-mesh", "99.9%", "7d") == (
            slo["repo"],
            slo["objective"],
            slo["period"],
        )
        assert {
            "kind": "timeslice",
            "good": 'circuit_breaker_state{state="closed"} >= 1, each series',
        } == slo["sli"]

    def test_some(self, shown: Shown) -> None:
        """What is named is there, and nothing else."""
        assert ["slos", "repos"] == list(json.loads(shown("slos", "repos", "--json")))


class TestSeventh:
    """The example of a meta-repository outside the package, from the folder where it is."""

    def test_tables(self, otel_meta: Command) -> None:
        """It stands beside the six, with the same rights."""
        done = otel_meta("show", "--repo", "atlas:Atlas", cwd=SEVENTH)
        found = tables(done.stdout)

        assert (0, "") == (done.returncode, done.stderr)
        assert 7 == len(found["OWNER"]) - 1
        assert [
            "atlas-maps  map_route_duration_seconds  histogram  s  mode",
            "atlas-maps  map_tiles_served_total  counter  {tile}  layer, result",
        ] == sorted(
            "  ".join(line.split(maxsplit=4))
            for line in found["METRIC"]
            if re.match("atlas.*(tiles|duration)", line)
        )

    def test_only(self, otel_meta: Command) -> None:
        """It can stand alone."""
        done = otel_meta("show", "--json", "--only", "--repo=atlas:Atlas", cwd=SEVENTH)
        declared = json.loads(done.stdout)

        assert ["atlas-maps"] == [repo["name"] for repo in declared["repos"]]
        assert ["atlas-tile-availability", "atlas-route-latency"] == [
            slo["name"] for slo in declared["slos"]
        ]
        assert {"atlas-maps"} == {metric["repo"] for metric in declared["metrics"]}

    def test_elsewhere(self, otel_meta: Command) -> None:
        """From another folder it is not to be found, and that is said."""
        done = otel_meta("show", "--repo", "atlas:Atlas")

        assert 2 == done.returncode
        assert "cannot import atlas: ModuleNotFoundError" in done.stderr
