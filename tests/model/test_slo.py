from __future__ import annotations

from fractions import Fraction

import pytest

from otel_meta import BurnWindow, Counter, Duration, NoLabels, Objective, Slo
from otel_meta.errors import DeclarationError
from otel_meta.model import BURN_WINDOWS

REQUESTS = Counter("atlas.requests", "Requests.", NoLabels)
FAILURES = Counter("atlas.failures", "Failures.", NoLabels)
SLI = REQUESTS.ratio(bad=FAILURES)


def slo(
    name: str = "atlas-availability",
    *,
    objective: str | Objective = "99.9%",
    period: str | Duration = "30d",
    why: str = "Maps stay blank.",
    burn_windows: tuple[BurnWindow, ...] | None = None,
) -> Slo:
    """An SLO that is right but for what is given."""
    return Slo(
        name, objective=objective, period=period, sli=SLI, why=why, burn_windows=burn_windows
    )


class TestSlo:
    def test_parts(self) -> None:
        """An SLO keeps what was declared, read into values."""
        made = slo()

        assert (
            "atlas-availability",
            Objective("99.9%"),
            Duration("30d"),
            SLI,
            "Maps stay blank.",
        ) == (
            made.name,
            made.objective,
            made.period,
            made.sli,
            made.why,
        )

    def test_values(self) -> None:
        """Values are taken as they are."""
        made = slo(objective=Objective("95%"), period=Duration("7d"))

        assert (Objective("95%"), Duration("7d")) == (made.objective, made.period)

    @pytest.mark.parametrize("period", BURN_WINDOWS, ids=str)
    def test_table(self, period: Duration) -> None:
        """Its burn windows are by default those for its period."""
        assert BURN_WINDOWS[period] == slo(period=period).burn_windows

    def test_windows(self) -> None:
        """Burn windows that are given replace the table, whatever the period."""
        windows = (BurnWindow("page", Fraction(1, 10), Duration("2h"), Duration("10m")),)

        assert windows == slo(period="14d", burn_windows=windows).burn_windows

    def test_lookbacks(self) -> None:
        """Each span that a window looks back over comes once, shortest first."""
        assert [
            "5m",
            "30m",
            "1h",
            "2h",
            "6h",
            "1d",
            "3d",
        ] == [str(span) for span in slo().burn_lookbacks()]

    def test_identity(self) -> None:
        """Two declarations are two SLOs, even with the same words."""
        assert slo() != slo()


class TestRefused:
    @pytest.mark.parametrize("name", ["", "Atlas", "atlas_availability", "atlas-", "1st", "a b"])
    def test_name(self, name: str) -> None:
        """A name that is not words joined by dashes is refused."""
        with pytest.raises(DeclarationError, match=rf"SLO '{name}': is not a name; use lower-case"):
            slo(name)

    @pytest.mark.parametrize("why", ["", "Because"])
    def test_why(self, why: str) -> None:
        """A promise that hurts nobody when broken is refused."""
        with pytest.raises(DeclarationError, match=r"has no reason; describe .* impact on users"):
            slo(why=why)

    def test_objective(self) -> None:
        """A promise of 100 % is refused: it has no budget."""
        with pytest.raises(DeclarationError, match=r"objective '100%'.*no error budget"):
            slo(objective="100%")

    def test_period(self) -> None:
        """A period without a table of burn windows is refused, with the periods that have one."""
        with pytest.raises(
            DeclarationError,
            match=r"has a period of 14d, .*no table.*choose one of 7d, 28d, 30d, 90d, or give b",
        ):
            slo(period="14d")

    def test_out_of_reach(self) -> None:
        """A lax objective under a strict table is refused: 14.4 times 10 % is more than all."""
        with pytest.raises(
            DeclarationError,
            match=r"the 1h/5m page window can never fire: .*144%.*give burn_windows=",
        ):
            slo(objective="90%")

    def test_too_slow(self) -> None:
        """A window that fires while the SLO is met is refused."""
        windows = (BurnWindow("ticket", Fraction(1, 100), Duration("3d"), Duration("6h")),)

        with pytest.raises(DeclarationError, match=r"the 3d/6h ticket .*0\.1.*SLO is met"):
            slo(burn_windows=windows)
