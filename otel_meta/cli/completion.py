"""Names of the catalogue for the completion of a shell.

A shell waits for these names, and shows no error: a catalogue that cannot be loaded has none. The
catalogue is that of the project in the working folder, with the built-in meta-repositories.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from otel_meta.model import Catalog

from .catalog_loader import load_catalog
from .project.project import load_project

Complete = Callable[[str], list[str]]


def complete_repos(incomplete: str) -> list[str]:
    """Return the names of meta-repositories that begin so."""
    return _names(_repos, incomplete)


def complete_slos(incomplete: str) -> list[str]:
    """Return the names of SLOs that begin so."""
    return _names(_slos, incomplete)


def complete_names(incomplete: str) -> list[str]:
    """Return the names of tables, meta-repositories, metrics and SLOs that begin so."""
    return _names(_all, incomplete)


def completing(names: Collection[str]) -> Complete:
    """Return the function that completes one of these names."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def _repos(catalog: Catalog) -> Iterator[str]:
    for repo in catalog:
        yield repo.name
        yield repo.__name__.lower()


def _slos(catalog: Catalog) -> Iterator[str]:
    for repo in catalog:
        yield from (slo.name for slo in repo.slos.values())


def _all(catalog: Catalog) -> Iterator[str]:
    yield from ("repos", "metrics", "slos")
    yield from (repo.name for repo in catalog)
    for _, instrument in catalog.instruments():
        yield instrument.name
        yield instrument.prometheus_name
    yield from _slos(catalog)


def _names(names_of: Callable[[Catalog], Iterator[str]], incomplete: str) -> list[str]:
    try:
        names = sorted({*names_of(_catalog())})
    except Exception:  # noqa: BLE001 - a module of the user may raise anything
        return []
    return completing(names)(incomplete)


def _catalog() -> Catalog:
    return load_catalog(load_project(None, {}))
