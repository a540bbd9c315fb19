"""The open instances of a class, which the test kit watches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class OpenInstances(Generic[T]):
    """Instances from `add` to `discard`, oldest first; an instance is not kept alive."""

    def __init__(self) -> None:
        self._instances: Final[WeakKeyDictionary[T, None]] = WeakKeyDictionary()
        self._watchers: Final[list[Callable[[T], None]]] = []

    def __len__(self) -> int:
        return len(self._instances)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._instances))

    def add(self, instance: T) -> None:
        """Add an instance, and call every watcher with the instance."""
        self._instances[instance] = None
        for watcher in tuple(self._watchers):
            watcher(instance)

    def discard(self, instance: T) -> None:
        """Remove an instance; a second call does nothing."""
        self._instances.pop(instance, None)

    @contextmanager
    def watched_by(self, watcher: Callable[[T], None]) -> Generator[None]:
        """Call a function with each instance that is added inside the block."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)
