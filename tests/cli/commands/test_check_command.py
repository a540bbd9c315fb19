from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command, RunCommand, Write

FINDING = re.compile(r"(?:atlas\.py:\d+: )?(?P<where>[^:;]+): (?P<wrong>.+); (?P<mend>.+)")
HEAD = """\
from typing import Literal
from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, Slo, labels
@labels
class Route:
    mode: Literal["car", "foot"]
"""
REPO = 'class Atlas(MetaRepo, name="atlas", owner="maps"):'
DURATION = 'Histogram("map.route.duration", "Time.", Route, unit="s", buckets=(0.1, 1))'
ROUTES = 'Counter("map.routes", "Routes.", Route)'
SLO = 'Slo("atlas-{name}", objective="{objective}", period="{period}", sli={sli}, why="Haste.")'


def repo(*attributes: str) -> str:
    """Return the source of a module with a meta-repository of these attributes."""
    return "\n".join([HEAD, REPO, *(f"    {attribute}" for attribute in attributes)])


def slo(sli: str, name: str = "slo", objective: str = "99%", period: str = "7d") -> str:
    """Return an attribute that declares an SLO."""
    return "slo = " + SLO.format(name=name, objective=objective, period=period, sli=sli)


def numbers(result: tuple[int, str, str]) -> list[int]:
    """Return the numbers of a result without findings."""
    assert (0, "") == (result[0], result[2])
    return [int(number) for number in re.findall(r"\d+", result[1])]


CLEAN = repo(
    f"routes = {ROUTES}",
    f"duration = {DURATION}",
    slo("duration.within(0.1)"),
)


class TestClean:
    def test_built_in_catalogue_has_no_findings(self, otel_meta: Command) -> None:
        """The built-in catalogue has no findings."""
        done = otel_meta("check")

        assert (0, "") == (done.returncode, done.stderr)
        assert re.fullmatch(
            r"6 meta-repositories, (5[5-9]|[6-9]\d) metrics, 22 SLOs: no problems\n", done.stdout
        )

    def test_added_meta_repository_without_findings_is_counted(
        self, run_command: RunCommand, write: Write
    ) -> None:
        """An added meta-repository without findings is counted."""
        write("atlas", CLEAN)

        six, seven = (
            numbers(run_command("check", *more)) for more in ((), ("--repo=atlas:Atlas",))
        )

        assert (1, 2, 1) == tuple(after - before for before, after in zip(six, seven, strict=True))

    def test_built_in_meta_repository_named_again_does_not_clash(
        self, run_command: RunCommand
    ) -> None:
        """A built-in meta-repository named again does not clash with itself."""
        assert run_command("check") == run_command("check", "--repo", "otel_meta.repos.titan:Titan")


class TestFindings:
    @pytest.mark.parametrize(
        ("text", "finding"),
        [
            (
                repo('bad = Counter("Map-Routes", "Routes.", Route)'),
                "metric 'Map-Routes': is not the same on every export path; use lower-case",
            ),
            (
                repo('bad = Counter("map.routes.total", "Routes.", Route)'),
                "metric 'map.routes.total': contains the word \"total\"",
            ),
            (
                repo('bad = Gauge("map.delay", "Delay.", Route, unit="ms")'),
                "metric 'map.delay': has the unit 'ms', which exporters name differently; use",
            ),
            (
                repo(f"duration = {DURATION}", slo("duration.within(0.3)")),
                "metric 'map.route.duration': has no bucket that ends at 0.3; add 0.3 to its bucke",
            ),
            (
                repo(f"duration = {DURATION}", slo("duration.within(1048576)")),
                "metric 'map.route.duration': has no bucket that ends at 1048576; add 1048576 to",
            ),
            (
                repo(f"routes = {ROUTES}", slo('routes.ratio(bad=routes.where(colour="red"))')),
                "metric 'map.routes': has no label 'colour'; choose from ['mode']",
            ),
            (
                repo(f"routes = {ROUTES}", slo('routes.ratio(bad=routes.where(mode="jet"))')),
                "metric 'map.routes': label 'mode' never is 'jet'; choose from ['car', 'foot']",
            ),
            (
                HEAD + "@labels\nclass Bad:\n    job: str\n",
                "label Bad.job: is reserved for scraping; ",
            ),
            (
                HEAD + "@labels\nclass Bad:\n    Region: str\n",
                "label Bad.Region: is not the same on every export path; use lower-case words",
            ),
            (
                HEAD + "@labels\nclass Bad:\n    a: str\n    b: str\n    c: str\n",
                "labels Bad: leave 3 labels open (a, b, c); close some with Literal or drop them",
            ),
            (
                repo(f"duration = {DURATION}", slo("duration.within(1)", objective="100%")),
                "SLO 'atlas-slo', objective '100%': is not a percentage above 0 % and below 100 %",
            ),
            (
                repo(f"duration = {DURATION}", slo("duration.within(1)", period="8d")),
                "SLO 'atlas-slo': has a period of 8d, for which there is no table of burn windows",
            ),
        ],
    )  # fmt: skip
    def test_invalid_declaration_is_one_line_with_its_place_problem(
        self, run_command: RunCommand, write: Write, text: str, finding: str
    ) -> None:
        """An invalid declaration is one line with its place, the problem and the cure."""
        write("atlas", text)

        code, out, err = run_command("check", "--repo", "atlas:Atlas")

        assert (1, "") == (code, err)
        assert re.match(rf"atlas\.py:\d+: {re.escape(finding)}", out)
        assert FINDING.fullmatch(out.removesuffix("\n"))

    def test_program_prints_findings_on_standard_output_with_exit_code_1(
        self, otel_meta: Command, write: Write
    ) -> None:
        """The program prints findings on standard output with exit code 1."""
        write("atlas", repo('bad = Counter("Map-Routes", "Routes.", Route)'))

        done = otel_meta("check", "--repo", "atlas:Atlas")

        assert (1, "") == (done.returncode, done.stderr)
        assert FINDING.fullmatch(done.stdout.removesuffix("\n"))

    def test_two_metrics_with_one_name_in_prometheus_are_finding(
        self, run_command: RunCommand, write: Write
    ) -> None:
        """Two metrics with one name in Prometheus are a finding."""
        other = 'Counter("map_routes", "Routes.", NoLabels)'
        write("atlas", repo(f"routes = {ROUTES}", f"others = {other}"))

        code, out, _ = run_command("check", "--only", "--repo", "atlas:Atlas")

        assert 1 == code
        assert "Atlas.others: has the name of Atlas.routes, series 'map_routes'; rename one" in out

    def test_clash_with_the_six(self, otel_meta: Command, write: Write) -> None:
        """A metric with the name of a built-in metric is a finding."""
        write("atlas", repo('orders = Counter("orders_placed", "Orders.", NoLabels)'))

        done = otel_meta("check", "--repo", "atlas:Atlas")

        assert (1, "") == (done.returncode, done.stderr)
        assert (
            "Prometheus series 'orders_placed_total': is declared by orders.placed of "
            "aurora-fullstack-saas and orders_placed of atlas; rename one"
        ) in done.stdout.splitlines()

    def test_inherited_slos_beside_the_original_are_findings(
        self, run_command: RunCommand, write: Write
    ) -> None:
        """Inherited SLOs beside the original are findings, and alone they are none."""
        write(
            "mine",
            "from otel_meta.repos import Aurora\n"
            "class Mine(Aurora, name='mine', owner='me'):\n    websocket_stability = None\n",
        )

        code, out, _ = run_command("check", "--repo", "mine:Mine")

        assert 1 == code
        assert (
            "slo 'aurora-api-latency': is declared by Aurora.api_latency and Mine.api_latency; set "
            "api_latency in Mine to an Slo with another name, or to None, or choose one "
            "meta-repository with --only"
        ) in out.splitlines()
        assert "websocket" not in out
        assert 0 == run_command("check", "--only", "--repo", "mine:Mine")[0]

    def test_alone_it_is_clean(self, run_command: RunCommand, write: Write) -> None:
        """With --only there is no clash with built-in metrics."""
        write("atlas", repo('orders = Counter("orders_placed", "Orders.", NoLabels)'))

        assert 0 == run_command("check", "--only", "--repo", "atlas:Atlas")[0]

    def test_each_is_a_line(self, run_command: RunCommand, write: Write) -> None:
        """Each finding is one line with its place, the problem and the cure."""
        text = repo(f"routes = {ROUTES}", slo('routes.ratio(bad=routes.where(mode="car"))'))
        text = text.replace("atlas-slo", "titan-service-latency")
        write("atlas", text.replace('"atlas"', '"aurora-fullstack-saas"'))

        _, out, _ = run_command("check", "--repo", "atlas:Atlas")

        assert (
            "meta-repository 'aurora-fullstack-saas': is declared by Aurora and Atlas; rename one\n"
            "slo 'titan-service-latency': is declared by Titan.service_latency and Atlas.slo; "
            "rename one\n"
        ) == out
        assert [] == [line for line in out.splitlines() if not FINDING.fullmatch(line)]


@pytest.mark.parametrize(
    "arguments", [("check", "--rules", ""), ("check", "--repo", ""), ("generate", "--repo", "")]
)
def test_empty_argument_is_one_line(arguments: tuple[str, ...], run_command: RunCommand) -> None:
    """An empty argument, as of a variable that is not set, is one line with exit code 2."""
    code, out, err = run_command(*arguments)

    assert (2, "", 1) == (code, out, len(err.splitlines()))
    assert "is empty" in err


def test_rules_with_annotations_of_the_project_have_no_findings(
    run_command: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An annotation of the project shows a label that some alerts lack, and is no finding."""
    monkeypatch.chdir(tmp_path)
    text = '[tool.otel_meta]\nannotations = { console = "https://x/{{ $labels.slo }}" }\n'
    (tmp_path / "pyproject.toml").write_text(text)

    assert 0 == run_command("generate", "--folders", "rules")[0]
    assert (0, "") == run_command("check", "--rules", "rules")[::2]


def test_json_is_list_of_findings(run_command: RunCommand, write: Write) -> None:
    """With --json the output is the list of findings, empty without one."""
    write("atlas", repo('bad = Counter("Map-Routes", "Routes.", Route)'))

    found, clean = (
        run_command("check", "--repo=atlas:Atlas", "--json"),
        run_command("check", "--json"),
    )

    assert (1, ["declaration"]) == (found[0], [each["kind"] for each in json.loads(found[1])])
    assert (0, []) == (clean[0], json.loads(clean[1]))
