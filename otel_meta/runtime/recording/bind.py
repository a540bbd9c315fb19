"""Binding of declarations to live instruments."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from otel_meta.errors import ConfigurationError
from otel_meta.model import MetaRepo

RepoT = TypeVar("RepoT", bound=MetaRepo)


class Storage(Protocol):
    """Makes live instruments, as `storage.MetricStorage`."""

    def recorder(self, instrument: Any, /) -> Any:
        """Return the live instrument of a declaration."""
        ...


def bind(repo: type[RepoT], storage: Storage) -> RepoT:
    """Return an instance of a meta-repository whose instruments record into the storage.

    Raises:
        ConfigurationError: the argument is not the class of a meta-repository.
    """
    check_repo(repo)
    live = repo()
    for name, instrument in repo.instruments.items():
        # Not setattr: an entry in the instance's dictionary precedes the declaring descriptor.
        vars(live)[name] = storage.recorder(instrument)
    return live


def check_repo(repo: object) -> None:
    """Refuse what no type checker may have seen, such as a name or an instance."""
    if not (isinstance(repo, type) and issubclass(repo, MetaRepo)) or repo is MetaRepo:
        raise ConfigurationError(
            f"bind({repo!r}): give the class of a meta-repository, as in telemetry.bind(Aurora)"
        )
