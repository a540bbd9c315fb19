from __future__ import annotations

from types import new_class
from typing import Any

import pytest

from otel_meta import Alert, Counter, Gauge, MetaRepo, NoLabels, Recording, Slo, measures
from otel_meta.errors import DeclarationError
from otel_meta.model import Selector

FOREIGN = Counter("other.requests", "Requests elsewhere.", NoLabels)


class Atlas(MetaRepo, name="atlas-maps", owner="maps", tier=1):
    """Maps and routes.

    More of it.
    """

    requests = Counter("atlas.requests", "Requests.", NoLabels)
    failures = Counter("atlas.failures", "Failures.", NoLabels)
    speed = Gauge("atlas.speed", "Speed.", NoLabels)
    availability = Slo(
        "atlas-availability",
        objective="99.9%",
        period="30d",
        sli=requests.ratio(bad=failures),
        why="Maps stay blank.",
    )
    traffic = Recording("service:atlas_requests:rate1h", measures.rate(requests, "1h"), "Traffic.")
    slow = Alert(
        name="AtlasSlow", measure=measures.latest(speed), below=3, severity="page", summary="Slow."
    )


def declare(
    attributes: dict[str, object], *, base: type[MetaRepo] = MetaRepo, name: str = "atlas"
) -> object:
    """Make a meta-repository with given attributes."""
    keywords = {"name": name, "owner": "maps"}
    return new_class("Bad", (base,), keywords, lambda namespace: namespace.update(attributes))


class TestCollected:
    def test_meta_repository_has_name_owner_tier_and_description(self) -> None:
        """A meta-repository has a name, an owner, a tier and a description."""
        assert ("atlas-maps", "maps", 1, "Maps and routes.") == (
            Atlas.name,
            Atlas.owner,
            Atlas.tier,
            Atlas.description,
        )

    def test_each_kind_of_declaration_is_collected_in_declared_order(self) -> None:
        """Each kind of declaration is collected by attribute, in declared order."""
        assert [
            ["requests", "failures", "speed"],
            ["availability"],
            ["traffic"],
            ["slow"],
        ] == [
            list(kind) for kind in (Atlas.instruments, Atlas.slos, Atlas.recordings, Atlas.alerts)
        ]
        assert Atlas.requests is Atlas.instruments["requests"]

    def test_default_tier_is_2(self) -> None:
        """The default tier is 2."""

        class Plain(MetaRepo, name="plain", owner="maps"):
            pass

        assert (2, "") == (Plain.tier, Plain.description)

    def test_meta_repository_may_be_empty(self) -> None:
        """A meta-repository may be empty."""

        class Plain(MetaRepo, name="plain", owner="maps"):
            pass

        assert ({}, {}, {}, {}) == (
            Plain.instruments,
            Plain.slos,
            Plain.recordings,
            Plain.alerts,
        )

    def test_subclass_inherits_declarations_and_can_replace_them(self) -> None:
        """A subclass inherits declarations and can replace them."""

        class Second(Atlas, name="second", owner="maps"):
            speed = None  # type: ignore[assignment]  # drops the instrument
            depth = Gauge("second.depth", "Depth.", NoLabels)
            slow = None  # type: ignore[assignment]  # and the alert that reads the instrument

        assert ["requests", "failures", "depth"] == list(Second.instruments)
        assert ["availability"] == list(Second.slos)
        assert [] == list(Second.alerts)

    def test_collected_declarations_are_read_only(self) -> None:
        """Collected declarations are read-only."""
        with pytest.raises(TypeError):
            Atlas.instruments["more"] = FOREIGN  # type: ignore[index]


class TestRefused:
    @pytest.mark.parametrize("name", ["", "Atlas", "atlas_maps", "atlas-", "1st"])
    def test_name_other_than_words_joined_by_dashes_is_refused(self, name: str) -> None:
        """A name other than words joined by dashes is refused."""
        with pytest.raises(
            DeclarationError, match=rf"meta-repository '{name}': is not a name; use lower-case"
        ):
            declare({}, name=name)

    def test_meta_repository_without_owner_is_refused(self) -> None:
        """A meta-repository without an owner is refused: its alerts would notify no team."""
        with pytest.raises(DeclarationError, match=r"'atlas-maps': has no owner; name the team"):

            class Nowhere(MetaRepo, name="atlas-maps", owner=""):
                pass

    @pytest.mark.parametrize("tier", [0, 4, "1"])
    def test_unknown_tier_is_refused(self, tier: Any) -> None:
        """A tier other than 1, 2 and 3 is refused."""
        with pytest.raises(DeclarationError, match=rf"has the tier {tier!r}; choose 1, 2 or 3"):

            class Nowhere(MetaRepo, name="atlas-maps", owner="maps", tier=tier):
                pass

    @pytest.mark.parametrize(
        "declaration",
        [
            Slo(
                "bad-slo",
                objective="99.9%",
                period="30d",
                sli=FOREIGN.ratio(bad=FOREIGN),
                why="It hurts.",
            ),
            Recording("a:b:c", measures.rate(Selector(FOREIGN), "1h"), "Traffic."),
            Alert(
                name="Bad",
                measure=measures.rate(FOREIGN, "1h"),
                above=1,
                severity="page",
                summary="Bad.",
            ),
        ],
        ids=["slo", "recording", "alert"],
    )
    def test_declaration_that_reads_undeclared_instrument_is_refused(
        self, declaration: object
    ) -> None:
        """A declaration that reads an undeclared instrument is refused."""
        with pytest.raises(
            DeclarationError,
            match=r"Bad\.wrong: reads other\.requests, which Bad does not .*; make that instr",
        ):
            declare({"wrong": declaration})

    def test_subclass_that_drops_instrument_must_drop_its_readers(self) -> None:
        """A subclass that drops an instrument must drop its readers."""
        with pytest.raises(DeclarationError, match=r"Bad\.slow: reads atlas\.speed"):
            declare({"speed": None}, base=Atlas)

    def test_shared_instrument_is_attribute_of_each_reader(self) -> None:
        """A shared instrument is an attribute of each meta-repository that reads it."""
        traffic = Recording("a:b:c", measures.rate(FOREIGN, "1h"), "Traffic.")

        assert declare({"shared": FOREIGN, "traffic": traffic})

    @pytest.mark.parametrize(
        "attribute",
        ["name", "owner", "tier", "description", "instruments", "slos", "recordings", "alerts"],
    )
    def test_declaration_with_name_of_built_in_attribute_is_refused(self, attribute: str) -> None:
        """A declaration with the name of a built-in attribute is refused."""
        with pytest.raises(DeclarationError, match=rf"Bad\.{attribute}"):
            declare({attribute: FOREIGN})
