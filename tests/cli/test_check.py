from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Command, Write

FINDING = re.compile(r"(?P<where>[^:;]+): (?P<wrong>.+); (?P<mend>.+)")
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
    """The text of a module with a meta-repository that declares these."""
    return "\n".join([HEAD, REPO, *(f"    {attribute}" for attribute in attributes)])


def promise(sli: str, name: str = "slo", objective: str = "99%", period: str = "7d") -> str:
    """An attribute that declares an SLO."""
    return "slo = " + SLO.format(name=name, objective=objective, period=period, sli=sli)


def numbers(answer: tuple[int, str, str]) -> list[int]:
    """How many meta-repositories, metrics and SLOs were checked, with nothing found."""
    assert (0, "") == (answer[0], answer[2])
    return [int(number) for number in re.findall(r"\d+", answer[1])]


CLEAN = repo(
    f"routes = {ROUTES}",
    f"duration = {DURATION}",
    promise("duration.within(0.1)"),
)


class TestClean:
    def test_built_in(self, otel_meta: Command) -> None:
        """The six hold together."""
        done = otel_meta("check")

        assert (0, "") == (done.returncode, done.stderr)
        assert re.fullmatch(
            r"6 meta-repositories, (5[5-9]|[6-9]\d) metrics, 22 SLOs: no problems\n", done.stdout
        )

    def test_seventh(self, answer: Answer, write: Write) -> None:
        """So do the six and one more, which counts."""
        write("atlas", CLEAN)

        six, seven = (numbers(answer("check", *more)) for more in ((), ("--repo=atlas:Atlas",)))

        assert (1, 2, 1) == tuple(after - before for before, after in zip(six, seven, strict=True))

    def test_same_again(self, answer: Answer) -> None:
        """One of the six, named once more, does not clash with itself."""
        assert answer("check") == answer("check", "--repo", "otel_meta.repos.titan:Titan")


class TestFindings:
    @pytest.mark.parametrize(
        ("text", "finding"),
        [
            (
                repo('bad = Counter("Map-Routes", "Routes.", Route)'),
                "metric 'Map-Routes': is not a name that every export path keeps; use lower-case",
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
                repo(f"duration = {DURATION}", promise("duration.within(0.3)")),
                "metric 'map.route.duration': has no bucket that ends at 0.3; add 0.3 to its bucke",
            ),
            (
                repo(f"duration = {DURATION}", promise("duration.within(1048576)")),
                "metric 'map.route.duration': has no bucket that ends at 1048576; add 1048576 to",
            ),
            (
                repo(f"routes = {ROUTES}", promise('routes.ratio(bad=routes.where(colour="red"))')),
                "metric 'map.routes': has no label 'colour'; choose from ['mode']",
            ),
            (
                repo(f"routes = {ROUTES}", promise('routes.ratio(bad=routes.where(mode="jet"))')),
                "metric 'map.routes': label 'mode' never is 'jet'; choose from ['car', 'foot']",
            ),
            (
                HEAD + "@labels\nclass Bad:\n    job: str\n",
                "label Bad.job: is reserved for scraping and identity; ",
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
                repo(f"duration = {DURATION}", promise("duration.within(1)", objective="100%")),
                "objective '100%': is not a percentage above 0 % and below 100 %; write it as",
            ),
            (
                repo(f"duration = {DURATION}", promise("duration.within(1)", period="8d")),
                "SLO 'atlas-slo': has a period of 8d, for which there is no table of burn windows",
            ),
        ],
    )  # fmt: skip
    def test_declaration(self, answer: Answer, write: Write, text: str, finding: str) -> None:
        """What a declaration gets wrong by itself is one line: where, what, and how to mend it."""
        write("atlas", text)

        code, out, err = answer("check", "--repo", "atlas:Atlas")

        assert (1, "") == (code, err)
        assert out.startswith(finding)
        assert FINDING.fullmatch(out.removesuffix("\n"))

    def test_program(self, otel_meta: Command, write: Write) -> None:
        """The program ends with exit code 1, and says it on standard output."""
        write("atlas", repo('bad = Counter("Map-Routes", "Routes.", Route)'))

        done = otel_meta("check", "--repo", "atlas:Atlas")

        assert (1, "") == (done.returncode, done.stderr)
        assert FINDING.fullmatch(done.stdout.removesuffix("\n"))

    def test_clash_within(self, answer: Answer, write: Write) -> None:
        """Two metrics that Prometheus would show under one name are found."""
        other = 'Counter("map_routes", "Routes.", NoLabels)'
        write("atlas", repo(f"routes = {ROUTES}", f"others = {other}"))

        code, out, _ = answer("check", "--only", "--repo", "atlas:Atlas")

        assert 1 == code
        assert (
            "Prometheus series 'map_routes_total': is declared by map.routes of atlas "
            "and map_routes of atlas; rename one"
        ) in out.splitlines()

    def test_clash_with_the_six(self, otel_meta: Command, write: Write) -> None:
        """So is one that has the name of a metric of the six."""
        write("atlas", repo('orders = Counter("orders_placed", "Orders.", NoLabels)'))

        done = otel_meta("check", "--repo", "atlas:Atlas")

        assert (1, "") == (done.returncode, done.stderr)
        assert (
            "Prometheus series 'orders_placed_total': is declared by orders.placed of "
            "aurora-fullstack-saas and orders_placed of atlas; rename one"
        ) in done.stdout.splitlines()

    def test_alone_it_is_clean(self, answer: Answer, write: Write) -> None:
        """Without the six, there is nothing that it could clash with."""
        write("atlas", repo('orders = Counter("orders_placed", "Orders.", NoLabels)'))

        assert 0 == answer("check", "--only", "--repo", "atlas:Atlas")[0]

    def test_each_is_a_line(self, answer: Answer, write: Write) -> None:
        """Several findings are several lines, each with where, what and how to mend it."""
        text = repo(f"routes = {ROUTES}", promise("routes.ratio(bad=routes)"))
        text = text.replace("atlas-slo", "titan-service-latency")
        write("atlas", text.replace('"atlas"', '"aurora-fullstack-saas"'))

        _, out, _ = answer("check", "--repo", "atlas:Atlas")

        assert (
            "meta-repository 'aurora-fullstack-saas': is declared by Aurora and Atlas; rename one\n"
            "slo 'titan-service-latency': is declared by Titan.service_latency and Atlas.slo; "
            "rename one\n"
        ) == out
        assert [] == [line for line in out.splitlines() if not FINDING.fullmatch(line)]
