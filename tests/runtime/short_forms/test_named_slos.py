from __future__ import annotations

from typing import Any

import pytest

from otel_meta import Counter, MetaRepo, NoLabels, Slo, SLOTracker, configure
from otel_meta.errors import DeclarationError
from otel_meta.runtime.short_forms.named_slos import EVENTS
from otel_meta.status.events import Events
from otel_meta.testing import CapturedTelemetry, capture

DEFINITIONS: Any = {
    "checkout-availability": {"objective": "99.9%"},
    "checkout-latency": {"objective": "99%", "period": "7d", "bound": 0.1},
}


class Maps(MetaRepo, name="maps", owner="us"):
    """Map tiles."""

    tiles = Counter("maps.tiles", "Tiles.", NoLabels)
    holes = Counter("maps.holes", "Tiles that are missing.", NoLabels)
    whole = Slo(
        "maps-whole",
        objective="99%",
        period="30d",
        sli=tiles.ratio(bad=holes),
        why="A map with holes misleads.",
    )


def tracker_of(captured: CapturedTelemetry, definitions: Any = DEFINITIONS) -> SLOTracker:
    """Return a tracker on captured telemetry."""
    return SLOTracker("Checkout Service", definitions, telemetry=captured.telemetry)


class TestNamedSlos:
    def test_recorded_events_are_those_of_their_slo(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Recorded events are good or bad events of the named SLO, and a value by its bound."""
        tracker = tracker_of(captured_telemetry)
        tracker.record("checkout-availability", good=True, events=9)
        tracker.record("checkout-availability", good=False)
        for seconds in (0.05, 0.1, 0.2):
            tracker.observe("checkout-latency", seconds)
        found = {name: status.events for name, status in tracker.statuses().items()}

        assert {
            "checkout-availability": Events(1.0, 10.0),
            "checkout-latency": Events(1.0, 3.0),
        } == found
        assert "at_risk" == tracker.status("checkout-availability").state

    def test_events_are_metric_and_slos_are_on_page(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """The events are a metric, and telemetry's own tracker has the SLOs."""
        tracker = tracker_of(captured_telemetry)
        tracker.record("checkout-availability", good=False, events=2)
        labels = {"indicator": "checkout-availability", "outcome": "bad"}

        assert 2.0 == captured_telemetry.value(EVENTS, **labels)
        assert [("checkout-service", name) for name in DEFINITIONS] == [
            (status.repo, status.slo.name)
            for status in captured_telemetry.telemetry.tracker.statuses()
        ]

    def test_declared_slo_is_tracked_as_declared(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """A declared SLO among the definitions is tracked as it is declared."""
        tracker = tracker_of(captured_telemetry, {"whole": Maps.whole})
        maps = captured_telemetry.bind(Maps)
        maps.tiles.add(10)
        maps.holes.add(1)

        assert Events(1.0, 10.0) == tracker.status("whole").events

    def test_value_for_slo_without_bound_is_answered(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """A value for an SLO without a bound is answered with the fix."""
        with pytest.raises(KeyError, match="declare it with bound="):
            tracker_of(captured_telemetry).observe("checkout-availability", 0.1)

    @pytest.mark.parametrize(
        ("service", "definitions", "answer"),
        [(None, {}, "has the service_name None"), ("shop", [], "give a dict of SLOs by name")],
    )
    def test_wrong_type_of_argument_is_answered(
        self, service: Any, definitions: Any, answer: str
    ) -> None:
        """An argument of a wrong type is answered with the fix."""
        with pytest.raises(DeclarationError, match=answer):
            SLOTracker(service, definitions)

    @pytest.mark.parametrize(
        ("definition", "answer"),
        [
            ({"objektive": "99%"}, "did you mean 'objective'"),
            ({}, "has no objective"),
            ({"objective": "99%", "bound": "fast"}, "bound"),
            ("99%", "give a dict"),
            ({"objective": 99.9}, "99.9%"),
        ],
    )
    def test_invalid_definition_is_answered(self, definition: object, answer: str) -> None:
        """An invalid definition is answered with the fix, before anything is tracked."""
        with pytest.raises(DeclarationError, match=answer):
            SLOTracker("checkout", {"checkout-latency": definition})  # type: ignore[dict-item] # the mistake


class TestConfigure:
    def test_tracker_configures_telemetry_of_its_service(self) -> None:
        """Without telemetry, the tracker configures that of its service."""
        tracker = SLOTracker(service_name="checkout", slo_definitions=DEFINITIONS)
        with tracker.telemetry as telemetry:
            tracker.record("checkout-availability", good=True)

            assert "ok" == tracker.status("checkout-availability").state
            assert ("checkout", telemetry) == (telemetry.settings.service_name, configure())

    def test_configured_meta_repository_is_followed_without_bind(self) -> None:
        """`configure` with a meta-repository follows its SLOs, and events need no bind."""
        with capture("maps", Maps, slo_required_coverage=0.0) as captured:
            captured.telemetry.storage.recorder(Maps.tiles).add(10)
            captured.telemetry.storage.recorder(Maps.holes).add(1)
            (status,) = captured.telemetry.tracker.statuses()

        assert ("breached", Events(1.0, 10.0)) == (status.state, status.events)
        assert ("us", {"service_name": "maps", "service_namespace": "maps"}) == (
            status.owner,
            status.service,
        )

    def test_short_life_is_at_risk_not_breached(self) -> None:
        """By default, an overspent budget in a short life is a risk, and no breach."""
        with capture("maps", Maps) as captured:
            captured.telemetry.storage.recorder(Maps.tiles).add(10)
            captured.telemetry.storage.recorder(Maps.holes).add(1)
            (status,) = captured.telemetry.tracker.statuses()

        assert ("at_risk", 0.25) == (status.state, status.required_coverage)
