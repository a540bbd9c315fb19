from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.cli.slo.option_values import STATES
from otel_meta.cli.slo.selection import Selection
from otel_meta.cli.slo.slo_gate import NOTHING_KNOWN, Gate
from otel_meta.status.status import State
from tests.cli.slo.status_rows import status_row

ALL = Selection()
EVERY_BAD_STATE = Gate(fail_on=("breached", "at_risk", "no_data"))


class TestGate:
    @pytest.mark.parametrize(("state", "failing"), [*product(STATES, STATES)])
    def test_status_fails_only_in_a_named_state(self, state: State, failing: State) -> None:
        """A status fails if its state is named, and only then."""
        failures = [*Gate(fail_on=(failing,)).failures([status_row(state=state)], ALL)]

        assert (state == failing) == bool(failures)

    @given(st.lists(st.sampled_from(STATES), min_size=1))
    def test_each_failing_status_is_one_line(self, states: list[State]) -> None:
        """Each status that fails is one line."""
        rows = [status_row(state=state) for state in states]
        failures = [*EVERY_BAD_STATE.failures(rows, ALL)]

        assert sum(state != "ok" for state in states) == len(failures)

    def test_line_says_which_slo_fails_and_why(self) -> None:
        """A line has the service, the SLO, the state and the evidence."""
        row = status_row(state="breached", budget_left=-0.25, bad=5.0)

        (line,) = EVERY_BAD_STATE.failures([row], ALL)

        assert (
            "payments titan-service-availability: breached, -25.0% of the error budget left, "
            "5 of 2,000 bad" == line
        )

    def test_nothing_selected_is_never_met(self) -> None:
        """Without any status every gate fails."""
        for gate in (EVERY_BAD_STATE, Gate(fail_on=("breached",)), Gate(required_coverage=0.1)):
            assert [NOTHING_KNOWN] == [*gate.failures([], ALL)]

    @pytest.mark.parametrize("selection", [Selection(slos=("x",)), Selection(services=("x",))])
    def test_named_slo_or_service_without_status_has_no_data(self, selection: Selection) -> None:
        """An SLO or a service that is named and has no status counts as no_data."""
        (line,) = EVERY_BAD_STATE.failures([status_row()], selection)

        assert "x: no_data" in line
        assert [] == [*Gate(fail_on=("breached",)).failures([status_row()], selection)]

    @pytest.mark.parametrize(("coverage", "fails"), [(0.249, True), (0.25, False), (1.0, False)])
    def test_less_than_the_required_coverage_fails(self, coverage: float, fails: bool) -> None:
        """A status with less than the required coverage fails, even if its budget is whole."""
        failures = [*Gate(required_coverage=0.25).failures([status_row(coverage=coverage)], ALL)]

        assert fails == bool(failures)

    def test_without_conditions_nothing_fails(self) -> None:
        """A gate without conditions lets everything pass."""
        assert [] == [*Gate().failures([status_row(state="breached")], ALL)]
