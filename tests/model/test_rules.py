from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from otel_meta import Alert, Counter, Duration, Gauge, NoLabels, Recording, Slo, measures
from otel_meta.errors import DeclarationError

SPEED = measures.latest(Gauge("atlas.speed", "Speed.", NoLabels))


def alert(
    name: str = "AtlasSlow",
    *,
    summary: str = "Maps are slow.",
    above: float | None = None,
    below: float | None = None,
    **more: Any,
) -> Alert:
    """Make a ticket for a measure of speed."""
    return Alert(
        name=name,
        measure=SPEED,
        severity="ticket",
        summary=summary,
        above=above,
        below=below,
        **more,
    )


class TestRecording:
    @pytest.mark.parametrize(
        "name", ["service:http_server_request_duration_seconds:p99_7d", "a_b:c:rate1h"]
    )
    def test_recording_is_named_level_metric_operations(self, name: str) -> None:
        """A recording is named level:metric:operations."""
        assert name == Recording(name, SPEED, "Speed.").name

    @pytest.mark.parametrize("name", ["", "speed", "a:b", "a:b:c:d", "A:b:c", "a:b:", "a:b-c:d"])
    def test_any_other_name_is_refused_with_example(self, name: str) -> None:
        """Any other name is refused, with an example."""
        with pytest.raises(
            DeclarationError, match=rf"recording '{name}': is not named level:.*write it as \"serv"
        ):
            Recording(name, SPEED, "Speed.")

    @pytest.mark.parametrize("description", ["", " \n", "x", "...", "-"])
    def test_recording_without_description_is_refused(self, description: str) -> None:
        """A recording without a description is refused."""
        with pytest.raises(
            DeclarationError,
            match=r"recording 'a:b:c': has .* description.*; describe in one sentence",
        ):
            Recording("a:b:c", SPEED, description)


class TestAlert:
    def test_alert_with_upper_bound_fires_at_once_by_default(self) -> None:
        """An alert with an upper bound fires at once by default."""
        made = alert(above=0)

        assert (0, None, None) == (made.above, made.below, made.for_)

    def test_alert_may_have_lower_bound_and_time_before_it_fires(self) -> None:
        """An alert may have a lower bound and a time before it fires."""
        made = Alert(
            name="AtlasSlow",
            measure=SPEED,
            below=3,
            for_=Duration("5m"),
            severity="page",
            summary="Maps are slow.",
        )

        assert (None, 3, Duration("5m")) == (made.above, made.below, made.for_)

    @pytest.mark.parametrize(("above", "below"), [(None, None), (1, 0)])
    def test_both_bounds_or_no_bound_are_refused(
        self, above: float | None, below: float | None
    ) -> None:
        """Both bounds or no bound are refused."""
        with pytest.raises(
            DeclarationError, match=r"'AtlasSlow': has both or neither .*; give one bound"
        ):
            alert(above=above, below=below)

    @pytest.mark.parametrize("name", ["", "atlasSlow", "Atlas-Slow", "Atlas_Slow", "Atlas Slow"])
    def test_name_other_than_camelcase_is_refused_with_example(self, name: str) -> None:
        """A name other than CamelCase is refused with an example."""
        with pytest.raises(DeclarationError, match=rf"alert '{name}': is not in CamelCase; write"):
            alert(name, above=1)

    def test_long_invalid_name_is_refused_without_backtracking(self) -> None:
        """A long invalid name is refused without backtracking."""
        declare = (
            "from otel_meta import Alert\n"
            "Alert(name='A' * 60 + '_', measure=None, above=1, severity='page', summary='Slow.')"
        )

        run = subprocess.run(
            [sys.executable, "-c", declare], capture_output=True, check=False, text=True, timeout=10
        )

        assert "is not in CamelCase" in run.stderr

    @pytest.mark.parametrize("summary", ["", " \n", "x", "...", "-"])
    def test_alert_without_summary_is_refused(self, summary: str) -> None:
        """An alert without a summary is refused."""
        with pytest.raises(
            DeclarationError,
            match=r"'AtlasSlow': has .* summary.*; describe in one sentence the problem",
        ):
            alert(above=1, summary=summary)

    def test_texts_are_sentences_and_first_steps_keep_their_lines(self) -> None:
        """Texts get a full stop; a summary is one line, and first steps keep their lines."""
        made = alert(above=1, summary=" Maps\n are slow ", first_steps="1. Look.\n2. Restart")

        assert ("Maps are slow.", "1. Look.\n2. Restart.") == (made.summary, made.first_steps)
        assert "Maps are slow!" == alert(above=1, summary="Maps are slow!").summary

    def test_duration_of_alert_may_be_a_text(self) -> None:
        """The duration of an alert may be a text, as in an SLO."""
        made = alert(above=1, for_="5m")

        assert Duration("5m") == made.for_

    def test_alert_with_another_thing_than_slo_is_refused(self) -> None:
        """An alert with the name of an SLO, in place of the SLO, is refused."""
        with pytest.raises(DeclarationError, match=r"slo.*; give an SLO of the same"):
            alert(above=1, slo="atlas-availability")

    def test_alert_with_slo_has_to_be_by_service(self) -> None:
        """An alert with an SLO whose measure is not by service is answered by a fix."""
        calls = Counter("atlas.calls", "Calls.", NoLabels)
        slo = Slo(
            "atlas-availability",
            objective="99%",
            period="7d",
            sli=calls.ratio(bad=Counter("atlas.failures", "Failures.", NoLabels)),
            why="Maps stay blank.",
        )

        with pytest.raises(DeclarationError, match=r'not by service; add "service_name" to by='):
            Alert(
                name="AtlasSlow",
                measure=measures.increase(calls, "1h", by=()),
                above=1,
                severity="ticket",
                summary="Maps are slow.",
                slo=slo,
            )
