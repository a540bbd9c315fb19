from __future__ import annotations

import pytest

from otel_meta import (
    Alert,
    Catalog,
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    Recording,
    Slo,
    UpDownCounter,
    measures,
)
from otel_meta.model import Instrument, Problem

SHARED = Counter("shared.requests", "Requests everywhere.", NoLabels)
SHARED_RATE = Recording("service:shared_requests:rate1h", measures.rate(SHARED, "1h"), "Traffic.")


def slo(of: Counter[...]) -> Slo:
    """An SLO with the name of every other that this makes."""
    return Slo("slo", objective="99%", period="7d", sli=of.ratio(bad=of), why="It hurts.")


def alert(of: Counter[...]) -> Alert:
    """An alert with the name of every other that this makes."""
    return Alert(
        name="Loud", measure=measures.rate(of, "1h"), above=1, severity="page", summary="Loud."
    )


class Atlas(MetaRepo, name="atlas", owner="maps"):
    """Maps."""

    requests = SHARED
    traffic = SHARED_RATE
    views = Counter("atlas.views", "Views.", NoLabels)


class Borea(MetaRepo, name="borea", owner="wind"):
    """Wind."""

    requests = SHARED
    traffic = SHARED_RATE
    gusts = Counter("borea.gusts", "Gusts.", NoLabels)


def declare(repo: str, **attributes: object) -> type[MetaRepo]:
    """A meta-repository with these attributes."""
    made = type(MetaRepo)(repo.title(), (MetaRepo,), attributes, name=repo, owner="maps")
    assert issubclass(made, MetaRepo)
    return made


class TestCatalog:
    def test_value(self) -> None:
        """Catalogues with the same meta-repositories are equal; nothing registers itself."""
        assert Catalog((Atlas, Borea)) == Catalog((Atlas, Borea))
        assert 0 == len(Catalog())

    def test_iteration(self) -> None:
        """It goes through its meta-repositories in order."""
        catalog = Catalog((Borea, Atlas))

        assert [Borea, Atlas] == list(catalog)
        assert 2 == len(catalog)

    def test_with_repos(self) -> None:
        """More meta-repositories make another catalogue, and none comes twice."""
        catalog = Catalog((Atlas,))

        assert (Atlas, Borea) == catalog.with_repos(Borea, Atlas).repos
        assert (Atlas,) == catalog.repos

    def test_instruments(self) -> None:
        """An instrument that is shared comes once for each that has it."""
        assert [
            (Atlas, SHARED),
            (Atlas, Atlas.views),
            (Borea, SHARED),
            (Borea, Borea.gusts),
        ] == list(Catalog((Atlas, Borea)).instruments())


class TestProblems:
    def test_none(self) -> None:
        """What is shared does not clash with itself."""
        assert () == Catalog((Atlas, Borea)).problems()

    def test_text(self) -> None:
        """A problem reads as where, what, and how to mend it."""
        assert "here: is wrong; mend it" == str(Problem("here", "is wrong", "mend it"))

    def test_repo(self) -> None:
        """Two meta-repositories with one name clash."""
        clash = Problem("meta-repository 'atlas'", "is declared by Atlas and Atlas", "rename one")

        assert (clash,) == Catalog((Atlas, declare("atlas"))).problems()

    def test_series(self) -> None:
        """Two metrics with one Prometheus name clash, whatever their names here."""
        other = declare("other", views=Counter("atlas_views", "Views.", NoLabels))

        assert (
            Problem(
                "Prometheus series 'atlas_views_total'",
                "is declared by atlas.views of atlas and atlas_views of other",
                "rename one",
            )
            in Catalog((Atlas, other)).problems()
        )

    @pytest.mark.parametrize("suffix", ["bucket", "count", "sum"])
    def test_histogram(self, suffix: str) -> None:
        """A gauge that has the name of one of a histogram's series clashes with it."""
        repo = declare(
            "other",
            latency=Histogram("a.latency", "Latency.", NoLabels, buckets=(1,)),
            gauge=Gauge(f"a.latency.{suffix}", "Gauge.", NoLabels),
        )

        assert [f"Prometheus series 'a_latency_{suffix}'"] == [
            problem.where for problem in Catalog((repo,)).problems()
        ]

    @pytest.mark.parametrize(
        "second",
        [
            Histogram("a.depth", "Depth.", NoLabels, buckets=(1,)),
            Counter("a.depth", "Depth.", NoLabels),
        ],
        ids=["histogram", "counter"],
    )
    def test_family(self, second: Instrument[...]) -> None:
        """Two metrics of one family clash, though their series differ: a family has one type."""
        repo = declare("other", depth=UpDownCounter("a.depth", "Depth.", NoLabels), second=second)

        assert Catalog((repo,)).problems()

    def test_same_repo(self) -> None:
        """A clash within a meta-repository is one as well."""
        repo = declare(
            "other", one=Gauge("a.depth", "One.", NoLabels), two=Gauge("a.depth", "Two.", NoLabels)
        )

        assert Catalog((repo,)).problems()

    @pytest.mark.parametrize(
        ("what", "make"), [("slo 'slo'", slo), ("alert 'Loud'", alert)], ids=["slo", "alert"]
    )
    def test_names(self, what: str, make: type) -> None:
        """SLOs, and alerts, with one name clash: their rules could not be told apart."""
        one = declare("one", requests=SHARED, first=make(SHARED))
        two = declare("two", requests=SHARED, second=make(SHARED))

        assert (Problem(what, "is declared by One.first and Two.second", "rename one"),) == Catalog(
            (one, two)
        ).problems()

    def test_recordings(self) -> None:
        """Recordings with one name and two measures clash."""
        name = SHARED_RATE.name
        other = declare(
            "other", requests=SHARED, fast=Recording(name, measures.rate(SHARED, "5m"), "Fast.")
        )

        assert (
            Problem(
                f"recording '{name}'", "is declared by Atlas.traffic and Other.fast", "rename one"
            ),
        ) == Catalog((Atlas, other)).problems()
