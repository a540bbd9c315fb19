"""The standard ``process_*`` series of every living worker, each under its number.

Imported only where Prometheus export is asked for; needs the extra ``prometheus``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from .descriptor import WORKER
from .process_identity import started_ticks
from .reader import Owner


class ProcessesCollector:
    """Reads what the kernel knows of other workers.

    Args:
        owners: the living workers.
    """

    def __init__(self, owners: Callable[[], Iterable[Owner]]) -> None:
        self._owners: Final = owners

    def describe(self) -> list[Metric]:
        """Nothing: what there will be is not known when a registry asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Each family with the series of all workers that can be seen from here."""
        families: dict[str, Metric] = {}
        for owner in self._owners():
            for metric in _of_process(owner):
                family = families.setdefault(metric.name, _empty(metric))
                family.samples.extend(
                    sample._replace(labels={**sample.labels, WORKER: str(owner.slot)})
                    for sample in metric.samples
                )
        return iter(families.values())


def _of_process(owner: Owner) -> Iterable[Metric]:
    if not owner.ticks or started_ticks(owner.pid) != owner.ticks:
        return ()  # in another container the number is another process'
    return ProcessCollector(pid=lambda: owner.pid, registry=None).collect()


def _empty(metric: Metric) -> Metric:
    return Metric(metric.name, metric.documentation, metric.type, metric.unit)
