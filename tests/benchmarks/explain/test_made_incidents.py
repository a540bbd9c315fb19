from __future__ import annotations

from explain.incidents import Incident, failing_alike, incidents

from otel_meta.fleet.explain.causes import causes

MADE = list(incidents(seed=4, number=3))


def is_found(incident: Incident) -> bool:
    """Return True if the first cause has the events of the injected cause."""
    found = causes(incident.now, incident.before)
    return bool(found) and incident.is_found_in(found[0].part)


def test_every_kind_of_incident_is_made() -> None:
    """There are three incidents of each of 32 kinds."""
    assert 96 == len(MADE)


def test_injected_cause_is_the_first_of_the_causes() -> None:
    """The injected cause is the first in at least 95 % of all incidents, in any traffic."""
    assert 0.95 <= sum(map(is_found, MADE)) / len(MADE)


def test_enough_events_show_every_cause() -> None:
    """With 3,000 events and more, the injected cause is the first in at least 98 %."""
    busy = [incident for incident in MADE if incident.traffic >= 3_000]

    assert 0.98 <= sum(map(is_found, busy)) / len(busy)


def test_no_cause_is_named_where_everything_fails_alike() -> None:
    """Where every part fails alike, a cause is named in at most a tenth of the incidents."""
    named = [bool(causes(now, before)) for now, before in failing_alike(seed=4, number=8)]

    assert 0.1 >= sum(named) / len(named)
