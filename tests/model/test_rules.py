from __future__ import annotations

import subprocess
import sys

import pytest

from otel_meta import Alert, Duration, Gauge, NoLabels, Recording, measures
from otel_meta.errors import DeclarationError

SPEED = measures.latest(Gauge("atlas.speed", "Speed.", NoLabels))


def alert(name: str = "AtlasSlow", *, summary: str = "Maps are slow.", **bounds: float) -> Alert:
    """An alert that is right but for what is given."""
    return Alert(name=name, measure=SPEED, severity="ticket", summary=summary, **bounds)


class TestRecording:
    @pytest.mark.parametrize(
        "name", ["service:http_server_request_duration_seconds:p99_7d", "a_b:c:rate1h"]
    )
    def test_name(self, name: str) -> None:
        """A recording is named level:metric:operations."""
        assert name == Recording(name, SPEED, "Speed.").name

    @pytest.mark.parametrize("name", ["", "speed", "a:b", "a:b:c:d", "A:b:c", "a:b:", "a:b-c:d"])
    def test_refused_name(self, name: str) -> None:
        """Any other name is refused, with an example."""
        with pytest.raises(
            DeclarationError, match=rf"recording '{name}': is not named level:.*write it as \"serv"
        ):
            Recording(name, SPEED, "Speed.")

    @pytest.mark.parametrize("description", ["", "Speed"])
    def test_description(self, description: str) -> None:
        """A recording that is not explained is refused."""
        with pytest.raises(
            DeclarationError, match=r"recording 'a:b:c': has a text that is no sentence; end it"
        ):
            Recording("a:b:c", SPEED, description)


class TestAlert:
    def test_above(self) -> None:
        """An alert has an upper bound, and fires at once unless told to hold."""
        made = alert(above=0)

        assert (0, None, None) == (made.above, made.below, made.for_)

    def test_below(self) -> None:
        """Or a lower bound, and a time for which it has to hold."""
        made = Alert(
            name="AtlasSlow",
            measure=SPEED,
            below=3,
            for_=Duration("5m"),
            severity="page",
            summary="Maps are slow.",
        )

        assert (None, 3, Duration("5m")) == (made.above, made.below, made.for_)

    @pytest.mark.parametrize("bounds", [{}, {"above": 1, "below": 0}])
    def test_bounds(self, bounds: dict[str, float]) -> None:
        """Both bounds or none are refused."""
        with pytest.raises(
            DeclarationError, match=r"'AtlasSlow': has both or neither .*; give one bound"
        ):
            alert(**bounds)

    @pytest.mark.parametrize("name", ["", "atlasSlow", "Atlas-Slow", "Atlas_Slow", "Atlas Slow"])
    def test_name(self, name: str) -> None:
        """A name that is not in CamelCase is refused, with an example."""
        with pytest.raises(DeclarationError, match=rf"alert '{name}': is not in CamelCase; write"):
            alert(name, above=1)

    def test_long_name(self) -> None:
        """However long a wrong name is, refusing it takes no time."""
        declare = (
            "from otel_meta import Alert\n"
            "Alert(name='A' * 60 + '_', measure=None, above=1, severity='page', summary='Slow.')"
        )

        run = subprocess.run(
            [sys.executable, "-c", declare], capture_output=True, check=False, text=True, timeout=10
        )

        assert "is not in CamelCase" in run.stderr

    @pytest.mark.parametrize("summary", ["", "Maps are slow"])
    def test_summary(self, summary: str) -> None:
        """An alert that does not say what is wrong is refused."""
        with pytest.raises(
            DeclarationError, match=r"'AtlasSlow': has a text that is no sentence; end it"
        ):
            alert(above=1, summary=summary)
