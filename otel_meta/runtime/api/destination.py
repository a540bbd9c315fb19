"""The destination of everything that `otel_meta.bind` returns.

The telemetry that `configure` has opened takes all measurements. Without one, they go to the meter
provider of OpenTelemetry's API, which is looked up at every recording: the API's own proxies follow
the first provider only, and some libraries replace the global provider.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeVar
from weakref import ref

from opentelemetry.metrics import MeterProvider, get_meter_provider

from otel_meta.model import Instrument, MetaRepo
from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.storage import MetricStorage

from .api_globals import is_unset
from .api_storage import ApiStorage

RepoT = TypeVar("RepoT", bound=MetaRepo)


class OpenTelemetry(Protocol):
    """Open telemetry of the process, as `telemetry.Telemetry`."""

    @property
    def storage(self) -> MetricStorage:
        """The storage of live instruments."""
        ...

    def bind(self, repo: type[RepoT], /) -> RepoT:
        """Bind a meta-repository, and track its SLOs."""
        ...


class Follower(Protocol):
    """A live instrument or handle that keeps what it has found at the destination."""

    def forget(self) -> None:
        """Forget the destination."""
        ...


class Destination:
    """The destination at this moment, and everything that follows it."""

    def __init__(self) -> None:
        self._telemetry: OpenTelemetry | None = None
        self._storage: MetricStorage | None = None
        self._api: tuple[MeterProvider | None, ApiStorage] | None = None
        # Not WeakSets, whose callback is Python code, in which exceptions of handlers are ignored.
        self._repos: Final[dict[ref[MetaRepo], None]] = {}
        self._followers: Final[dict[ref[Follower], None]] = {}
        self._lock: Final = ForkSafeLock()

    def source(self) -> MetricStorage | MeterProvider | None:
        """Return what identifies the destination: the storage of telemetry, or a provider."""
        return self._storage or _provider()

    def recorder(
        self, source: MetricStorage | MeterProvider | None, instrument: Instrument[...]
    ) -> Any:
        """Return the live instrument of a declaration at a destination.

        Args:
            source: from `source`.
            instrument: the declaration.
        """
        storage = source if isinstance(source, MetricStorage) else self._of_api(source)
        return storage.recorder(instrument)

    def use(self, telemetry: OpenTelemetry) -> None:
        """Record into telemetry, also through everything that was bound before."""
        for repo in self._bound():
            telemetry.bind(repo)
        self._telemetry, self._storage = telemetry, telemetry.storage
        self._forget()

    def leave(self, telemetry: OpenTelemetry) -> None:
        """Record through the API again, and keep nothing of telemetry that was shut down."""
        if self._telemetry is telemetry:
            self._telemetry = self._storage = None
            self._forget()

    def add_repo(self, live: MetaRepo) -> None:
        """Begin the series of a bound meta-repository, and track its SLOs, now and later."""
        self._repos[ref(live, self._repos.pop)] = None
        if self._telemetry is not None:
            self._telemetry.bind(type(live))
        else:
            self._of_api(_provider()).begin(type(live))

    def add_follower(self, follower: Follower) -> None:
        """Tell a follower of each change of the telemetry."""
        self._followers[ref(follower, self._followers.pop)] = None

    def _forget(self) -> None:
        for follower in filter(None, [each() for each in list(self._followers)]):
            follower.forget()

    def _bound(self) -> list[type[MetaRepo]]:
        lives = [each() for each in list(self._repos)]
        return [type(live) for live in lives if live is not None]

    def _of_api(self, provider: MeterProvider | None) -> ApiStorage:
        known = None if is_unset(provider) else provider
        with self._lock:
            if self._api is not None and self._api[0] is known:
                return self._api[1]
            self._api = known, (storage := ApiStorage(known))
        for repo in self._bound():
            storage.begin(repo)
        return storage


def _provider() -> MeterProvider | None:
    try:
        return get_meter_provider()
    except Exception as error:  # OTEL_PYTHON_METER_PROVIDER names a provider that cannot be loaded
        reraise_interruption(error)
        return None


DESTINATION: Final = Destination()
