"""The standard ``process_*`` series of every living worker, with the label ``worker``.

Imported for Prometheus export alone; needs the extra ``prometheus``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from .descriptor import WORKER
from .process_identity import start_ticks
from .reader import Owner


class WorkerProcessCollector:
    """Collects the ``process_*`` series of all workers from ``/proc``.

    Args:
        owners: returns the living workers.
    """

    def __init__(self, owners: Callable[[], Iterable[Owner]]) -> None:
        self._owners: Final = owners

    def describe(self) -> list[Metric]:
        """Return no metric, because the families depend on the workers at the time of a scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return each family with the series of all workers visible to this process."""
        families: dict[str, Metric] = {}
        for owner in self._owners():
            for metric in _process_metrics(owner):
                family = families.setdefault(metric.name, _without_samples(metric))
                family.samples.extend(
                    sample._replace(labels={**sample.labels, WORKER: str(owner.worker_number)})
                    for sample in metric.samples
                )
        return iter(families.values())


def _process_metrics(owner: Owner) -> Iterable[Metric]:
    if not owner.start_ticks or start_ticks(owner.pid) != owner.start_ticks:
        return ()  # the worker is in another container, and the pid is a different process here
    return ProcessCollector(pid=lambda: owner.pid, registry=None).collect()


def _without_samples(metric: Metric) -> Metric:
    return Metric(metric.name, metric.documentation, metric.type, metric.unit)
