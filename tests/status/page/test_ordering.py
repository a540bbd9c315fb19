from __future__ import annotations

from otel_meta.status.page.ordering import grouped
from tests.status.status_rows import row


def test_worst_slo_is_first_in_its_group() -> None:
    """States come first, then the end of the budget, then the budget left, then the name."""
    rows = [
        row("ok-b"),
        row("ok-a"),
        row("ok-less", budget_left=0.1),
        row("none", state="no_data", budget_left=None),
        row("risk-late", state="at_risk", exhausted_in_seconds=9000.0),
        row("risk-soon", state="at_risk", exhausted_in_seconds=60.0),
        row("breached", state="breached", budget_left=-0.1),
        row("breached-more", state="breached", budget_left=-2.0),
    ]

    ((_, members),) = grouped(rows)

    assert [
        "breached-more",
        "breached",
        "risk-soon",
        "risk-late",
        "none",
        "ok-less",
        "ok-a",
        "ok-b",
    ] == [member["name"] for member in members]


def test_group_of_worst_slo_is_first() -> None:
    """The meta-repository of the worst SLO is first."""
    rows = [row("a", repo="fine"), row("b", repo="bad", state="breached"), row("c", repo="bad")]

    assert [("bad", 2), ("fine", 1)] == [(repo, len(members)) for repo, members in grouped(rows)]
