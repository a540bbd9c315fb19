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
    from tests.cli.conftest import Command, Refused, RunCommand, Write

Shown = Callable[..., str]
Declared = dict[str, list[dict[str, Any]]]

SEVENTH = Path(__file__).resolve().parents[3] / "examples" / "seventh_repo"
COURT = """\
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
def shown(run_command: RunCommand) -> Shown:
    """Function that runs `show` and returns its output."""

    def show(*arguments: str) -> str:
        code, out, err = run_command("show", *arguments)
        assert (0, "") == (code, err)
        return out

    return show


def tables(text: str) -> dict[str, list[str]]:
    """Return the lines of each table without the dashes, by its second heading."""
    blocks = [block.splitlines() for block in text.strip("\n").split("\n\n")]
    return {lines[0].split()[1]: [lines[0], *lines[2:]] for lines in blocks}


class TestTables:
    def test_by_default_all_three_tables_are_printed(self, shown: Shown) -> None:
        """By default all three tables are printed."""
        found = tables(shown())

        assert ["OWNER", "METRIC", "SLO"] == list(found)
        assert [6, len(list(BUILTIN.instruments())), 22] == [
            len(lines) - 1 for lines in found.values()
        ]

    @pytest.mark.parametrize(
        ("table", "headings"),
        [
            ("repos", ["META-REPOSITORY", "OWNER", "TIER", "METRICS", "SLOS", "DESCRIPTION"]),
            ("metrics", ["META-REPOSITORY", "METRIC", "TYPE", "UNIT", "LABELS"]),
            ("slos", ["META-REPOSITORY", "SLO", "OBJECTIVE", "PERIOD", "SLI"]),
        ],
    )
    def test_named_table_is_printed_alone(
        self, shown: Shown, table: str, headings: list[str]
    ) -> None:
        """A named table is printed alone."""
        ((lines),) = tables(shown(table)).values()

        assert headings == lines[0].split()

    def test_named_tables_are_printed_in_order_of_arguments_each_once(self, shown: Shown) -> None:
        """Named tables are printed in the order of the arguments, each once."""
        assert ["SLO", "OWNER"] == list(tables(shown("slos", "repos", "slos")))

    def test_row_of_repos_has_owner_tier_numbers_and_description(self, shown: Shown) -> None:
        """A row of repos has owner, tier, numbers and description."""
        lines = tables(shown("repos"))["OWNER"]

        assert (
            "titan-microservices-mesh     service-mesh       1       12     4  "
            "Services, events and circuit breakers."
        ) in lines

    def test_row_of_metrics_has_name_in_prometheus_and_dash(self, shown: Shown) -> None:
        """A row of metrics has the name in Prometheus, and a dash for no unit."""
        rows = [line.split(maxsplit=4) for line in tables(shown("metrics"))["METRIC"]]

        assert [
            "nebula-cloud-platform",
            "infrastructure_drift_detected",
            "gauge",
            "-",
            "workspace",
        ] in rows

    def test_row_of_slos_has_objective_period_and_sli(self, shown: Shown) -> None:
        """A row of slos has objective, period and SLI."""
        rows = [line.split(maxsplit=4) for line in tables(shown("slos"))["SLO"]]

        assert [
            "aurora-fullstack-saas",
            "aurora-database-latency",
            "95%",
            "7d",
            "database_query_duration_seconds <= 0.05",
        ] in rows

    def test_labels_are_printed_by_name_and_dash_for_no_labels(
        self, shown: Shown, here: Path, write: Write
    ) -> None:
        """Labels are printed by name, and a dash for no labels."""
        write("court", COURT)

        lines = tables(shown("metrics", "--only", "--repo=court:Court"))["METRIC"]

        assert ["good, judge", "-"] == [line.split(maxsplit=4)[4] for line in lines[1:]]

    def test_without_slos_table_is_its_headings(
        self, shown: Shown, here: Path, write: Write
    ) -> None:
        """Without SLOs, the table is its headings."""
        write("court", COURT)

        assert 2 == len(shown("slos", "--only", "--repo=court:Court").splitlines())


class TestJson:
    @pytest.fixture
    def declared(self, shown: Shown) -> Declared:
        """The parsed output of `show --json`."""
        found: Declared = json.loads(shown("--json"))
        return found

    def test_program_prints_only_json(self, otel_meta: Command, shown: Shown) -> None:
        """The program prints only JSON."""
        done = otel_meta("show", "--json")

        assert (0, "") == (done.returncode, done.stderr)
        assert json.loads(shown("--json")) == json.loads(done.stdout)

    def test_built_in_catalogue_has_six_meta_repositories_22_slos(self, declared: Declared) -> None:
        """The built-in catalogue has six meta-repositories, 22 SLOs and at least 55 metrics."""
        assert ["repos", "metrics", "slos"] == list(declared)
        assert 6 == len(declared["repos"])
        assert 22 == len({slo["name"] for slo in declared["slos"]})
        assert 55 <= len({metric["name"] for metric in declared["metrics"]})
        assert 55 <= len({metric["prometheus_name"] for metric in declared["metrics"]})

    def test_counts_of_meta_repository_match_lists_of_metrics_and_slos(
        self, declared: Declared
    ) -> None:
        """The counts of a meta-repository match the lists of metrics and SLOs."""
        metrics = Counter(metric["repo"] for metric in declared["metrics"])
        slos = Counter(slo["repo"] for slo in declared["slos"])

        assert {r["name"]: (r["metrics"], r["slos"]) for r in declared["repos"]} == {
            repo.name: (metrics[repo.name], slos[repo.name]) for repo in BUILTIN
        }

    def test_each_metric_has_repository_both_names_type_unit_and_labels(
        self, declared: Declared
    ) -> None:
        """Each metric has repository, both names, type, unit and labels."""
        wanted = {"repo", "name", "prometheus_name", "type", "unit", "labels"}

        assert [] == [metric for metric in declared["metrics"] if wanted - metric.keys()]
        assert {"counter", "updowncounter", "gauge", "histogram"} == {
            metric["type"] for metric in declared["metrics"]
        }

    def test_closed_label_has_its_values_and_open_label_is_null(self, declared: Declared) -> None:
        """A closed label has its values, and an open label is null."""
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

    def test_each_slo_has_repository_name_objective_period_and_sli(
        self, declared: Declared
    ) -> None:
        """Each SLO has repository, name, objective, period and SLI."""
        wanted = {"repo", "name", "objective", "period", "sli"}

        assert [] == [slo for slo in declared["slos"] if wanted - slo.keys()]
        assert [] == [slo for slo in declared["slos"] if not slo["sli"]["good"]]

    def test_slo_has_its_declared_objective_period_and_sli(self, declared: Declared) -> None:
        """An SLO has its declared objective, period and SLI."""
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

    def test_only_named_tables_are_in_json(self, shown: Shown) -> None:
        """Only the named tables are in the JSON."""
        assert ["slos", "repos"] == list(json.loads(shown("slos", "repos", "--json")))


class TestAddedRepository:
    """The example of a meta-repository outside the package, from its folder."""

    def test_added_meta_repository_is_printed_beside_built_in_ones(
        self, otel_meta: Command
    ) -> None:
        """The added meta-repository is printed beside the built-in ones."""
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

    def test_added_meta_repository_can_be_printed_alone(self, otel_meta: Command) -> None:
        """The added meta-repository can be printed alone."""
        done = otel_meta("show", "--json", "--only", "--repo=atlas:Atlas", cwd=SEVENTH)
        declared = json.loads(done.stdout)

        assert ["atlas-maps"] == [repo["name"] for repo in declared["repos"]]
        assert ["atlas-tile-availability", "atlas-route-latency"] == [
            slo["name"] for slo in declared["slos"]
        ]
        assert {"atlas-maps"} == {metric["repo"] for metric in declared["metrics"]}

    def test_from_another_folder_import_is_error(self, otel_meta: Command) -> None:
        """From another folder the import is an error."""
        done = otel_meta("show", "--repo", "atlas:Atlas")

        assert 2 == done.returncode
        assert "cannot import atlas: ModuleNotFoundError" in done.stderr


class TestNames:
    @pytest.mark.parametrize("name", ["orders.placed", "orders_placed_total"])
    def test_metric_is_shown_by_either_name(self, shown: Shown, name: str) -> None:
        """A metric is shown by its name in OpenTelemetry or in Prometheus, alone."""
        found = json.loads(shown(name, "--json"))

        assert {"metrics": ["orders.placed"]} == {
            table: [row["name"] for row in rows] for table, rows in found.items()
        }

    def test_names_of_several_tables_are_shown_once(self, shown: Shown) -> None:
        """Names of several tables are shown in these tables, each once."""
        names = ("aurora-api-latency", "aurora-fullstack-saas", "aurora-api-latency")
        found = json.loads(shown(*names, "--json"))

        assert {"slos": ["aurora-api-latency"], "repos": ["aurora-fullstack-saas"]} == {
            table: [row["name"] for row in rows] for table, rows in found.items()
        }

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("metric", "metrics"),
            ("orders.plced", "orders.placed"),
            ("aurora-api-latencies", "aurora-api-latency"),
            ("aurora-full-saas", "aurora-fullstack-saas"),
        ],
    )
    def test_misspelt_name_is_answered_by_nearest(
        self, refused: Refused, name: str, near: str
    ) -> None:
        """A misspelt table, metric, SLO or meta-repository is answered by the nearest name."""
        assert f"otel-meta: cannot show {name!r}; did you mean {near!r}?" == refused("show", name)
