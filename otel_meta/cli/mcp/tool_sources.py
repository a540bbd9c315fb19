"""What every tool reads: the catalogue, the choices of the command, and the server."""

from __future__ import annotations

from dataclasses import dataclass

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.project.project import Project
from otel_meta.cli.slo_names import Declared, chosen_slos
from otel_meta.errors import UsageError
from otel_meta.model import Catalog
from otel_meta.model.arguments import did_you_mean


@dataclass(frozen=True)
class Sources:
    """The project of the command, and its catalogue."""

    project: Project
    catalog: Catalog

    @classmethod
    def of(cls, project: Project) -> Sources:
        """Load the catalogue once, so that a wrong declaration ends the command at its start."""
        return cls(project, load_catalog(project))

    def slo(self, name: str) -> Declared:
        """Return an SLO with its meta-repository.

        Raises:
            UsageError: the catalogue has no such SLO.
        """
        (found,) = chosen_slos(self.catalog, [name], named_by="")
        return found

    def repo_name(self, name: str) -> str:
        """Return the name of a meta-repository, which may be given as that of its class.

        Raises:
            UsageError: the catalogue has no such meta-repository.
        """
        names = {repo.__name__.lower(): repo.name for repo in self.catalog}
        names |= {repo.name: repo.name for repo in self.catalog}
        if name.lower() not in names:
            near = did_you_mean(name, names) or f"; choose one of {', '.join(names)}"
            raise UsageError(f"{name}: there is no such meta-repository{near}")
        return names[name.lower()]
