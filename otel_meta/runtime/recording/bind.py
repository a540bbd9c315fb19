"""From declarations to live instruments."""

from __future__ import annotations

from typing import TypeVar

from otel_meta.model import MetaRepo

from .storage import MetricStorage

RepoT = TypeVar("RepoT", bound=MetaRepo)


def bind(repo: type[RepoT], storage: MetricStorage) -> RepoT:
    """An instance of a meta-repository whose instruments record into the accumulators."""
    live = repo()
    for name, instrument in repo.instruments.items():
        # Not setattr: the instance's own dictionary wins over the declaring descriptor.
        vars(live)[name] = storage.recorder(instrument)
    return live
