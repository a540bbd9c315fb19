"""A meta-repository with an SLO of events and an SLO of time, for the tests of the tracker."""

from __future__ import annotations

from otel_meta import Counter, Gauge, MetaRepo, NoLabels, Slo

HOUR, DAY = 3600, 86_400


class Acme(MetaRepo, name="acme", owner="us"):
    """Calls."""

    calls = Counter("acme.calls", "Calls.", NoLabels)
    failures = Counter("acme.failures", "Failures.", NoLabels)
    level = Gauge("acme.level", "A level.", NoLabels)

    availability = Slo(
        "acme-availability",
        objective="99%",
        period="7d",
        sli=calls.ratio(bad=failures),
        why="Callers wait.",
    )
    steadiness = Slo(
        "acme-steadiness",
        objective="90%",
        period="7d",
        sli=level.at_least(1),
        why="Nobody likes surprises.",
        burn_windows=(),
    )
