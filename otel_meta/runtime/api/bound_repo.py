"""Binding of a meta-repository in a process, whoever configures the process."""

from __future__ import annotations

from typing import Any, TypeVar

from otel_meta.model import Instrument, MetaRepo
from otel_meta.runtime.recording.bind import bind as bind_to

from .destination import DESTINATION
from .following_instruments import FOLLOWING_KINDS, FollowingInstrument

RepoT = TypeVar("RepoT", bound=MetaRepo)


class _FollowingStorage:
    """Makes live instruments that follow the destination of the process."""

    def recorder(self, instrument: Instrument[...]) -> FollowingInstrument:
        return FOLLOWING_KINDS[instrument.kind](instrument)


def bind(repo: type[RepoT]) -> RepoT:
    """Return an instance of a meta-repository with live instruments.

    Needs no call of `configure`, and no OpenTelemetry SDK. Measurements go to the telemetry that
    `configure` has opened, or opens later. Without it, they go to the global meter provider of
    OpenTelemetry's API, whichever library has set it. Before a provider is set, measurements are
    dropped, with a warning at the first.

    Raises:
        ConfigurationError: the argument is not the class of a meta-repository.
    """
    live: Any = bind_to(repo, _FollowingStorage())
    DESTINATION.add_repo(live)
    bound: RepoT = live
    return bound
