"""SLOs of the catalogue by the names on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.errors import UsageError
from otel_meta.model import Catalog, MetaRepo, Slo
from otel_meta.model.arguments import did_you_mean

Declared = tuple[type[MetaRepo], Slo]


def chosen_slos(
    catalog: Catalog, names: Iterable[str], named_by: str = "--slo "
) -> Iterator[Declared]:
    """Yield the SLOs of these names, or every SLO without a name, each with its meta-repository.

    Args:
        catalog: the catalogue.
        names: the names, in the order of the result.
        named_by: stands before a wrong name in the error; empty for an argument.

    Raises:
        UsageError: the catalogue has no SLO of a name.
    """
    slos = {slo.name: (repo, slo) for repo in catalog for slo in repo.slos.values()}
    for name in tuple(names) or slos:
        if name not in slos:
            raise UsageError(f"{named_by}{name}: there is no such SLO{did_you_mean(name, slos)}")
        yield slos[name]
