"""The section of an SLO in the runbook: to whom it speaks, in which order, and with which links."""

from __future__ import annotations

import re

import pytest

from otel_meta import Counter, Gauge, Histogram, MetaRepo, NoLabels, Slo
from otel_meta.model import Combined, Sli
from otel_meta.render.docs.events_text import counted_text
from otel_meta.render.docs.repo_runbook import repo_runbook
from otel_meta.render.links import Links
from otel_meta.render.options import Options
from otel_meta.repos import BUILTIN, Aurora, Obsidian
from tests.rules.committed_rules import committed_groups
from tests.rules.pinned_tools import ROOT

SLOS = [(repo, slo) for repo in BUILTIN for slo in repo.slos.values()]
QUESTIONS = [
    "Is it real, and does it go on?",
    "How bad is it, and how long is left?",
    "What fails?",
    "What to do?",
    "Whom to call?",
    "How to silence it?",
]


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Maps."""

    tiles = Counter("map.tiles", "Tiles.", NoLabels)
    failures = Counter("map.failures", "Tiles that failed.", NoLabels)
    passed = Counter("map.passed", "Tiles that were drawn.", NoLabels)
    wait = Histogram("map.wait", "Time to a tile.", NoLabels, unit="s", buckets=(0.1, 1))
    size = Histogram("map.size", "Size of a tile.", NoLabels, unit="By", buckets=(1024, 2048))
    level = Gauge("map.level", "Level.", NoLabels)
    drawn = Slo("drawn", objective="99%", period="7d", sli=tiles.ratio(bad=failures), why="Holes.")


def section(text: str, name: str) -> str:
    """Return the text of a section."""
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_alert_of_an_slo_links_to_the_section_of_the_slo() -> None:
    """Every generated alert of an SLO links to its section: burning, exhausted, without data."""
    links = {
        (repo.name, slo.name): {
            rule["annotations"]["runbook_url"]
            for group in committed_groups()[f"{repo.name}.alerting"]
            if group["name"] == f"{slo.name}-alerts"
            for rule in group["rules"]
            if "alert" in rule
        }
        for repo, slo in SLOS
    }

    assert {name: {f"docs/runbooks/{name[0]}.md#{name[1]}"} for name in links} == links


@pytest.mark.parametrize(("repo", "slo"), SLOS, ids=[slo.name for _, slo in SLOS])
class TestCommitted:
    def test_section_answers_the_questions_in_their_order(
        self, repo: type[MetaRepo], slo: Slo
    ) -> None:
        """A section answers the questions of the person who is called, in their order."""
        text = section((ROOT / "docs" / "runbooks" / f"{repo.name}.md").read_text(), slo.name)

        assert QUESTIONS == re.findall(r"^\*\*(.+?\?)\*\*", text, re.MULTILINE)
        assert text.rstrip().endswith("</details>")

    def test_section_has_the_texts_of_the_declaration(self, repo: type[MetaRepo], slo: Slo) -> None:
        """A section has the impact, the first steps, the owner and the escalation."""
        text = section((ROOT / "docs" / "runbooks" / f"{repo.name}.md").read_text(), slo.name)

        assert slo.why in text
        assert slo.first_steps in text
        assert f"The owner is {repo.owner}. {repo.escalation}\n" in text

    def test_general_pages_lead_to_the_section(self, repo: type[MetaRepo], slo: Slo) -> None:
        """The pages about burning, exhausted and missing data lead to the section."""
        for page in ("slo-burn", "slo-budget-exhausted", "slo-no-data"):
            text = (ROOT / "docs" / "runbooks" / f"{page}.md").read_text()

            assert f"[{slo.name}]({repo.name}.md#{slo.name})" in text


def test_section_without_first_steps_says_what_to_look_for() -> None:
    """A section without declared first steps or escalation says what to look for, and the owner."""
    text = section(repo_runbook(Atlas, Options()), "drawn")

    assert "names no causes. Look for a change" in text
    assert "**Whom to call?** The owner is maps.\n" in text


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        ("/d", "`/d/otel-meta-slo?var-namespace=atlas-maps&var-slo=drawn`"),
        (
            "https://g.example/d",
            "[otel-meta-slo](https://g.example/d/otel-meta-slo?var-namespace=atlas-maps&var-slo=drawn)",
        ),
    ],
)
def test_dashboard_is_a_link_where_it_has_an_address(base: str, shown: str) -> None:
    """The dashboard of the SLO is a link where Grafana's address is known, and else a path."""
    text = repo_runbook(Atlas, Options(links=Links(dashboards=base)))

    assert f"Dashboard: {shown}." in text


@pytest.mark.parametrize(
    ("sli", "words"),
    [
        (Atlas.drawn.sli, "an event of `map_failures_total` (Tiles that failed) is bad"),
        (Atlas.tiles.ratio(good=Atlas.passed), "(Tiles that were drawn) is good"),
        (Atlas.wait.within(0.1), "a value of at most 100ms is good"),
        (Atlas.size.within(2048), "a value of at most 2kiB is good"),
        (Atlas.level.at_least(3), "a second in which a series is at least 3 is good"),
        (Atlas.level.at_most(3).worst(), "a second in which every series is at most 3 is good"),
        (
            Combined(Atlas.wait.within(0.1), Atlas.size.within(1024)),
            "a value of at most 100ms is good; a value of at most 1kiB is good",
        ),
        (Obsidian.policy_compliance.sli, "an event with `result` `violation` is bad"),
        (Aurora.api_availability.sli, "an event with `error_type` is bad"),
        (Aurora.api_latency.sli, "`http_server_request_duration_seconds` without `stream` ("),
    ],
)
def test_what_an_slo_counts_is_said_in_words(sli: Sli, words: str) -> None:
    """What an SLO counts is said in words, with the bound in the unit of the metric."""
    text = counted_text(Slo("said", objective="99%", period="7d", sli=sli, why="Holes."))

    assert text.startswith("99% of the ")
    assert " must be good over 7d: " in text
    assert words in text
