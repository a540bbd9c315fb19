from __future__ import annotations

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
    """A meta-repository with these attributes."""
    return type(base)("Bad", (base,), attributes, name=name, owner="maps")


class TestCollected:
    def test_self(self) -> None:
        """A class is its name, its owner, its tier and the first line of what it says."""
        assert ("atlas-maps", "maps", 1, "Maps and routes.") == (
            Atlas.name,
            Atlas.owner,
            Atlas.tier,
            Atlas.description,
        )

    def test_declarations(self) -> None:
        """Each kind of declaration is found under its attribute, in declared order."""
        assert [
            ["requests", "failures", "speed"],
            ["availability"],
            ["traffic"],
            ["slow"],
        ] == [
            list(kind) for kind in (Atlas.instruments, Atlas.slos, Atlas.recordings, Atlas.alerts)
        ]
        assert Atlas.requests is Atlas.instruments["requests"]

    def test_tier(self) -> None:
        """Where nothing is said, an outage slows customers."""

        class Plain(MetaRepo, name="plain", owner="maps"):
            pass

        assert (2, "") == (Plain.tier, Plain.description)

    def test_empty(self) -> None:
        """A meta-repository may have nothing to declare yet."""

        class Plain(MetaRepo, name="plain", owner="maps"):
            pass

        assert ({}, {}, {}, {}) == (
            Plain.instruments,
            Plain.slos,
            Plain.recordings,
            Plain.alerts,
        )

    def test_inherited(self) -> None:
        """A subclass has what it inherits, and what it replaces is gone."""

        class Second(Atlas, name="second", owner="maps"):
            speed = None
            depth = Gauge("second.depth", "Depth.", NoLabels)
            slow = None

        assert ["requests", "failures", "depth"] == list(Second.instruments)
        assert ["availability"] == list(Second.slos)
        assert [] == list(Second.alerts)

    def test_read_only(self) -> None:
        """What was collected cannot be changed afterwards."""
        with pytest.raises(TypeError):
            Atlas.instruments["more"] = FOREIGN  # type: ignore[index]


class TestRefused:
    @pytest.mark.parametrize("name", ["", "Atlas", "atlas_maps", "atlas-", "1st"])
    def test_name(self, name: str) -> None:
        """A name that is not words joined by dashes is refused."""
        with pytest.raises(
            DeclarationError, match=rf"meta-repository '{name}': is not a name; use lower-case"
        ):
            declare({}, name=name)

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
    def test_reference(self, declaration: object) -> None:
        """What looks at an instrument of nobody is refused: no series would ever be there."""
        with pytest.raises(
            DeclarationError,
            match=r"Bad\.wrong: reads other\.requests, which Bad does not .*; make that instr",
        ):
            declare({"wrong": declaration})

    def test_reference_to_removed(self) -> None:
        """A subclass that drops an instrument has to drop what looks at it."""
        with pytest.raises(DeclarationError, match=r"Bad\.slow: reads atlas\.speed"):
            declare({"speed": None}, base=Atlas)

    def test_reference_to_shared(self) -> None:
        """An instrument that is shared is an attribute of each that looks at it."""
        traffic = Recording("a:b:c", measures.rate(FOREIGN, "1h"), "Traffic.")

        assert declare({"shared": FOREIGN, "traffic": traffic})

    @pytest.mark.parametrize(
        "attribute",
        ["name", "owner", "tier", "description", "instruments", "slos", "recordings", "alerts"],
    )
    def test_taken(self, attribute: str) -> None:
        """An attribute that means something else is refused, not silently lost."""
        with pytest.raises(DeclarationError, match=rf"Bad\.{attribute}"):
            declare({attribute: FOREIGN})
