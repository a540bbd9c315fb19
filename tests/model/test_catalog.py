from __future__ import annotations

from types import new_class

import pytest

from otel_meta import (
    Alert,
    Catalog,
    Counter,
    MetaRepo,
    NoLabels,
    Recording,
    Slo,
    measures,
)
from otel_meta.model import Problem

SHARED = Counter("shared.requests", "Requests everywhere.", NoLabels)
FAILED = Counter("shared.failures", "Failures everywhere.", NoLabels)
SHARED_RATE = Recording("service:shared_requests:rate1h", measures.rate(SHARED, "1h"), "Traffic.")


def slo(of: Counter[...]) -> Slo:
    """Make an SLO with a fixed name."""
    return Slo("slo", objective="99%", period="7d", sli=of.ratio(bad=FAILED), why="It hurts.")


def alert(of: Counter[...]) -> Alert:
    """Make an alert with a fixed name."""
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
    """Make a meta-repository with given attributes."""
    keywords = {"name": repo, "owner": "maps"}
    made: type[MetaRepo] = new_class(
        repo.title(), (MetaRepo,), keywords, lambda namespace: namespace.update(attributes)
    )
    return made


class TestCatalog:
    def test_catalogs_with_same_meta_repositories_are_equal(self) -> None:
        """Catalogs with the same meta-repositories are equal."""
        assert Catalog((Atlas, Borea)) == Catalog((Atlas, Borea))
        assert 0 == len(Catalog())

    def test_catalog_iterates_over_its_meta_repositories_in_order(self) -> None:
        """A catalog iterates over its meta-repositories in order."""
        catalog = Catalog((Borea, Atlas))

        assert [Borea, Atlas] == list(catalog)
        assert 2 == len(catalog)

    def test_catalog_with_more_meta_repositories_has_no_repetitions(self) -> None:
        """A catalog with more meta-repositories is another catalog, without repetitions."""
        catalog = Catalog((Atlas,))

        assert (Atlas, Borea) == catalog.with_repos(Borea, Atlas).repos
        assert (Atlas,) == catalog.repos

    def test_shared_instrument_is_listed_once_for_each_meta_repository(self) -> None:
        """A shared instrument is listed once for each meta-repository."""
        assert [
            (Atlas, SHARED),
            (Atlas, Atlas.views),
            (Borea, SHARED),
            (Borea, Borea.gusts),
        ] == list(Catalog((Atlas, Borea)).instruments())


class TestProblems:
    def test_shared_declaration_is_no_conflict(self) -> None:
        """A shared declaration is no conflict."""
        assert () == Catalog((Atlas, Borea)).problems()

    def test_problem_shows_its_place_its_text_and_its_fix(self) -> None:
        """A problem shows its place, its text and its fix."""
        assert "here: is wrong; mend it" == str(Problem("here", "is wrong", "mend it"))

    def test_two_meta_repositories_with_one_name_are_a_conflict(self) -> None:
        """Two meta-repositories with one name are a conflict."""
        clash = Problem("meta-repository 'atlas'", "is declared by Atlas and Atlas", "rename one")

        assert (clash,) == Catalog((Atlas, declare("atlas"))).problems()

    def test_two_metrics_with_one_prometheus_name_are_a_conflict(self) -> None:
        """Two metrics with one Prometheus name are a conflict."""
        other = declare("other", views=Counter("atlas_views", "Views.", NoLabels))

        assert (
            Problem(
                "Prometheus series 'atlas_views_total'",
                "is declared by atlas.views of atlas and atlas_views of other",
                "rename one",
            )
            in Catalog((Atlas, other)).problems()
        )

    def test_inherited_slo_beside_the_original_is_a_conflict(self) -> None:
        """An inherited SLO beside the original is a conflict, because both would alert."""
        original = declare("one", requests=SHARED, failures=FAILED, first=slo(SHARED))
        keywords = {"name": "two", "owner": "maps"}
        heir: type[MetaRepo] = new_class("Two", (original,), keywords)
        fix = (
            "set first in Two to an Slo with another name, or to None, or choose one "
            "meta-repository with --only"
        )

        assert (Problem("slo 'slo'", "is declared by One.first and Two.first", fix),) == Catalog(
            (original, heir)
        ).problems()

    def test_former_name_of_slo_that_another_slo_has_is_a_conflict(self) -> None:
        """A former name that another SLO has, or had as well, is a conflict."""
        renamed = Slo(
            "slo-renamed",
            objective="99%",
            period="7d",
            sli=SHARED.ratio(bad=FAILED),
            why="It hurts.",
            formerly=("slo",),
        )
        both = declare("one", requests=SHARED, failures=FAILED, old=slo(SHARED), new=renamed)
        alone = declare("one", requests=SHARED, failures=FAILED, new=renamed)
        expected = Problem(
            "SLO 'slo-renamed'",
            "was formerly 'slo', the name of another SLO as well",
            "leave the name in formerly of one SLO, and declare it no more",
        )

        assert (expected,) == Catalog((both,)).problems()
        assert () == Catalog((alone,)).problems()

    def test_inherited_slo_that_is_replaced_or_dropped_is_no_conflict(self) -> None:
        """An inherited SLO that the subclass replaces or drops is no conflict."""
        original = declare("one", requests=SHARED, failures=FAILED, first=slo(SHARED))
        keywords = {"name": "two", "owner": "maps"}
        heir: type[MetaRepo] = new_class(
            "Two", (original,), keywords, lambda namespace: namespace.update(first=None)
        )

        assert () == Catalog((original, heir)).problems()

    @pytest.mark.parametrize(
        ("what", "make"), [("slo 'slo'", slo), ("alert 'Loud'", alert)], ids=["slo", "alert"]
    )
    def test_slos_with_one_name_are_a_conflict_and_so_are_alerts(
        self, what: str, make: type
    ) -> None:
        """SLOs with one name are a conflict, and so are alerts."""
        one = declare("one", requests=SHARED, failures=FAILED, first=make(SHARED))
        two = declare("two", requests=SHARED, failures=FAILED, second=make(SHARED))

        assert (Problem(what, "is declared by One.first and Two.second", "rename one"),) == Catalog(
            (one, two)
        ).problems()

    def test_recordings_with_one_name_and_two_measures_are_a_conflict(self) -> None:
        """Recordings with one name and two measures are a conflict."""
        name = SHARED_RATE.name
        other = declare(
            "other", requests=SHARED, fast=Recording(name, measures.rate(SHARED, "5m"), "Fast.")
        )

        assert (
            Problem(
                f"recording '{name}'", "is declared by Atlas.traffic and Other.fast", "rename one"
            ),
        ) == Catalog((Atlas, other)).problems()
