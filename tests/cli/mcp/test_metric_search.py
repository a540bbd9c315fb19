"""The order of found metrics, and the alerts that use a metric."""

from __future__ import annotations

from otel_meta import Alert, Counter, Gauge, MetaRepo, NoLabels, labels, measures
from otel_meta.cli.mcp.metric_search import metric_list
from otel_meta.cli.mcp.tool_sources import Sources
from otel_meta.model import Catalog
from tests.cli.project_from_options import project_of


@labels
class Lane:
    lane: str


late = Counter("acme.orders.late", "Orders that are late.", NoLabels)
orders = Counter("acme.orders", "All of them.", NoLabels)
stock = Gauge("acme.stock", "Things for orders.", Lane)


class Acme(MetaRepo, name="acme", owner="us"):
    late = late
    stock = stock
    orders = orders
    empty = Alert(
        name="StockEmpty",
        measure=measures.latest(stock),
        below=1,
        severity="ticket",
        summary="Nothing is left to sell.",
    )


SOURCES = Sources(project_of("--only"), Catalog((Acme,)))


def names(text: str) -> list[str]:
    """Return the names of the metrics that are found."""
    return [metric.name for metric in metric_list(SOURCES, text).metrics]


def test_metric_of_the_whole_name_is_first() -> None:
    """The metric of exactly this name is before those whose names contain it."""
    assert ["acme.orders", "acme.orders.late"] == names("acme.orders")


def test_names_are_before_descriptions() -> None:
    """Metrics with a text in their name are before those with the text in their description."""
    assert ["acme.orders.late", "acme.orders", "acme.stock"] == names("orders")


def test_every_word_is_in_a_found_metric() -> None:
    """Each word of a text is in a name, a label or the description."""
    assert ["acme.stock"] == names("things LANE acme")
    assert [] == names("things lane unknown")


def test_declared_alert_is_of_its_metric_alone() -> None:
    """An alert is shown at the metric that its measure reads, and at no other."""
    found = {row.name: row.alerts for row in metric_list(SOURCES, "acme").metrics}
    (alert,) = found.pop("acme.stock")

    assert ("StockEmpty", "ticket", None) == (alert.alert, alert.severity, alert.slo)
    assert [[], []] == [*found.values()]
