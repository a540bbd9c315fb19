from __future__ import annotations

from types import new_class
from typing import Any

import pytest

from otel_meta import (
    Alert,
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
from otel_meta.errors import DeclarationError
from otel_meta.model import Instrument, Selector

FOREIGN = Counter("other.requests", "Requests elsewhere.", NoLabels)
FOREIGN_FAILURES = Counter("other.failures", "Failures elsewhere.", NoLabels)


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

    def test_escalation_is_a_sentence_of_the_class_alone(self) -> None:
        """The escalation is a sentence; a subclass, which may have another owner, has its own."""

        class Rota(MetaRepo, name="rota", owner="maps", escalation="Call\n the rota of maps"):
            pass

        class Copy(Rota, name="copy", owner="routes"):
            pass

        assert ("Call the rota of maps.", "") == (Rota.escalation, Copy.escalation)

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

    def test_escalation_without_a_word_is_refused(self) -> None:
        """An escalation without a word is refused."""
        with pytest.raises(DeclarationError, match=r"escalation '112'; .* whom to call"):

            class Nowhere(MetaRepo, name="atlas-maps", owner="maps", escalation="112"):
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
                sli=FOREIGN.ratio(bad=FOREIGN_FAILURES),
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

    def test_alert_with_slo_of_another_class_is_refused(self) -> None:
        """An alert about an SLO that the class does not declare is refused."""
        slow = Alert(
            name="AtlasSlow",
            measure=measures.latest(Atlas.speed),
            below=3,
            severity="ticket",
            summary="Slow.",
            slo=Atlas.availability,
        )

        with pytest.raises(
            DeclarationError,
            match=r"Bad\.slow: names the SLO atlas-availability, which .*; make that SLO",
        ):
            declare({"speed": Atlas.speed, "slow": slow})

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

    @pytest.mark.parametrize("suffix", ["bucket", "count", "sum"])
    def test_gauge_named_as_sample_of_histogram_is_refused(self, suffix: str) -> None:
        """A gauge named as a sample of a histogram of the class is refused."""
        attributes: dict[str, object] = {
            "latency": Histogram("a.latency", "Latency.", NoLabels, buckets=(1,)),
            "gauge": Gauge(f"a.latency.{suffix}", "Gauge.", NoLabels),
        }

        with pytest.raises(
            DeclarationError,
            match=rf"Bad\.gauge: has the name of Bad\.latency, series 'a_latency_{suffix}'; rename",
        ):
            declare(attributes)

    @pytest.mark.parametrize(
        "second",
        [
            Histogram("a.depth", "Depth.", NoLabels, buckets=(1,)),
            Counter("a.depth", "Depth.", NoLabels),
            UpDownCounter("a.depth", "Other depth.", NoLabels),
        ],
        ids=["histogram", "counter", "description"],
    )
    def test_two_metrics_of_one_family_are_refused(self, second: Instrument[...]) -> None:
        """Two different metrics of one family are refused, because a family has one type."""
        depth = UpDownCounter("a.depth", "Depth.", NoLabels)

        with pytest.raises(DeclarationError, match=r"Bad\.second: has the name of Bad\.depth"):
            declare({"depth": depth, "second": second})

    def test_one_metric_under_two_attributes_is_accepted(self) -> None:
        """One metric under two attributes is accepted, since both record the same series."""
        assert declare({"one": FOREIGN, "two": FOREIGN})

    def test_inherited_slo_under_second_attribute_is_refused(self) -> None:
        """An SLO with the name of an inherited SLO replaces it under the same attribute only."""
        with pytest.raises(
            DeclarationError,
            match=r"Bad\.again: has the name of Bad\.availability, SLO 'atlas-avail.*'; .*same",
        ):
            declare({"again": Atlas.availability}, base=Atlas)

        assert declare({"availability": Atlas.availability}, base=Atlas)

    @pytest.mark.parametrize("hidden", [(FOREIGN,), [FOREIGN]], ids=["tuple", "list"])
    def test_declaration_in_tuple_or_list_is_refused(self, hidden: object) -> None:
        """A declaration in a tuple, after a comma at the end, or in a list is refused."""
        with pytest.raises(
            DeclarationError, match=r"Bad\.hidden: is a (tuple|list).*; remove the c"
        ):
            declare({"hidden": hidden})

    def test_removal_of_attribute_that_no_base_has_is_refused(self) -> None:
        """None for an attribute that no base class has is refused with the nearest attribute."""
        with pytest.raises(DeclarationError, match=r"Second.sped: is None.*did you mean 'speed'"):

            class Second(Atlas, name="second", owner="maps"):
                sped = None

    def test_class_in_place_of_instrument_is_refused(self) -> None:
        """A class in place of an instrument is refused."""
        with pytest.raises(DeclarationError, match=r"Bad\.views: is the class Counter; call it"):
            declare({"views": Counter})
