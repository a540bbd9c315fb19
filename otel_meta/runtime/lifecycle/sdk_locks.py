"""Locks of the OpenTelemetry SDK, renewed in a forked child.

Each measurement, collection and tracer of the SDK takes plain locks, which the SDK renews in its
batch processors alone. A child that is forked while another thread holds one would wait for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from threading import Lock, RLock
from typing import Any, Final

from otel_meta.runtime.fork import reset_after_fork

_CREATE: Final[Mapping[type, Any]] = {type(Lock()): Lock, type(RLock()): RLock}
_COLLECTIONS: Final = (list, tuple, set, frozenset)
_SDK: Final = "opentelemetry."


class SdkLocks:
    """Renews the locks of objects of the SDK, and of the SDK's objects that they lead to.

    Args:
        *roots: a provider, or another object of the SDK.
    """

    def __init__(self, *roots: object) -> None:
        self._roots: Final = roots
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Replace every lock; a ``with`` block of the thread that forked releases the old one."""
        for holder in _sdk_objects(self._roots):
            for name, value in _attributes(holder).items():
                create = _CREATE.get(value.__class__)
                if create is not None:
                    setattr(holder, name, create())


def _sdk_objects(roots: tuple[object, ...]) -> Iterator[Any]:
    """Yield the SDK's objects and classes that the roots lead to."""
    seen: set[int] = set()
    remaining: deque[Any] = deque(roots)
    while remaining:
        obj = remaining.popleft()
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        kind = _class(obj)
        if issubclass(kind, dict):  # no other mapping, which may wait for a lock of its own
            remaining.extend((*obj.keys(), *obj.values()))
        elif issubclass(kind, _COLLECTIONS):
            remaining.extend(obj)
        elif _is_of_sdk(obj):
            yield obj
            remaining.extend((kind, *_attributes(obj).values()))


def _class(obj: object) -> Any:
    return type(obj)


def _attributes(obj: Any) -> dict[str, Any]:
    """Return what an object holds in its dictionary and in slots."""
    slots = [name for base in type(obj).__mro__ for name in getattr(base, "__slots__", ())]
    names = (*getattr(obj, "__dict__", ()), *slots)
    return {name: getattr(obj, name, None) for name in names}


def _is_of_sdk(obj: Any) -> bool:
    """Return True for a class of the SDK, or an object of such a class or of a subclass."""
    cls = obj if isinstance(obj, type) else type(obj)
    return any(base.__module__.startswith(_SDK) for base in cls.__mro__)
