from __future__ import annotations

import pytest
from web.contenders import BARE, CONTRIB, INSTRUMENTATOR, OURS
from web.rounds import Cost
from web.tables import FEW, Added, added, judged, served_table, table

ONE = {BARE: Cost(40, 0), OURS: Cost(60, 1), CONTRIB: Cost(240, 1), INSTRUMENTATOR: Cost(50, 0)}
MANY = {BARE: Cost(100, 0), OURS: Cost(125, 1), CONTRIB: Cost(500, 1), INSTRUMENTATOR: Cost(200, 0)}


def _cells(text: str, name: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_cost_of_the_application_is_subtracted_for_each_number_of_routes() -> None:
    """The time of the application with the same number of routes is subtracted."""
    result = added(ONE, MANY)

    assert Added(20, 25, 1) == result[OURS]
    assert 1.25 == result[OURS].growth
    assert BARE not in result


def test_table_judges_ratios_by_the_budgets_of_its_share() -> None:
    """The table has times, growth and ratios, and the budgets of its share of sampled traces."""
    text = table(FEW, ONE, MANY)

    assert ["1", "20.0 µs", "25.0 µs", "1.25 (OVER 1.2)", "", ""] == _cells(text, OURS)
    assert ["0.10 (within 0.25)", "0.06 (within 0.25)"] == _cells(text, CONTRIB)[4:]
    assert ["2.00 (OVER 1)", "0.25 (within 1)"] == _cells(text, INSTRUMENTATOR)[4:]
    assert "takes 40.0 µs with 1 route, and 100.0 µs with 200" in text


def test_all_rows_of_a_table_have_the_same_width() -> None:
    """Each row has as many cells as the head."""
    for text in (table(FEW, ONE, MANY), served_table({1.0: ONE, FEW: MANY})):
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert 1 == len({row.count("|") for row in rows}), text


def test_served_table_compares_within_a_share() -> None:
    """Requests under uvicorn are compared with others of the same share of sampled traces."""
    text = served_table({1.0: ONE, FEW: MANY})

    assert ["200.0 µs", "400.0 µs"] == _cells(text, CONTRIB)[:2]
    assert ["0.10 (within 0.25)", "0.06 (within 0.25)"] == _cells(text, CONTRIB)[2:]


@pytest.mark.parametrize(
    ("ratio", "budget", "shown"),
    [(0.25, 0.25, "0.25 (within 0.25)"), (0.26, 0.25, "0.26 (OVER 0.25)"), (2, None, "2.00")],
)
def test_ratio_is_judged(ratio: float, budget: float | None, shown: str) -> None:
    """A ratio equal to its budget is within, a larger one is over, and without budget is shown."""
    assert shown == judged(ratio, budget)


def test_faster_round_counts() -> None:
    """Of two rounds, the faster one counts, with the mean number of spans."""
    assert Cost(3, 1.5) == Cost(5, 1).plus(Cost(3, 2))
