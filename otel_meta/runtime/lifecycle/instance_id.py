"""``service.instance.id`` from the environment, made unique among the processes of this machine.

The OpenTelemetry operator and the usual Downward API set one id for a container, and all workers of
a server inherit the variable. Two processes with one id write the same series, whose values then go
back and forth. So each process claims the id: the first process with the id keeps it, the second
process gets "id/2", and so on. An ended process leaves its id to the next one. Therefore the id of
a single process is the same after a restart, and the ids of a service stay few.

On Linux, a claim is a socket with a name in the abstract namespace: the kernel removes it with the
process, and it needs no directory. The namespace is that of the network, so the containers of a pod
see each other. Elsewhere, a claim is a locked file in the directory for temporary files.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import tempfile
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from opentelemetry.sdk.resources import Resource

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.settings import Settings

from .child_process import is_multiprocessing_child

KEY: Final = "service.instance.id"
_MAX_PROCESSES: Final = 10_000
"""Bound of the search for a free id."""
_TAKEN: Final = (errno.EADDRINUSE, errno.EWOULDBLOCK)


class _Claim(Protocol):
    def close(self) -> object: ...


class InstanceId:
    """The instance id of this process.

    Args:
        given: the id of the environment.
        service: name of the service; equal ids of two services do not collide.
    """

    def __init__(self, given: str, service: str) -> None:
        self.given: Final = given
        self._service: Final = service
        self._claim: _Claim | None = None
        self._is_released = False
        self._number = self._take()
        reset_after_fork(self)

    @property
    def value(self) -> str:
        """The given id, with a number if another process has the given id."""
        return self.given if self._number == 1 else f"{self.given}/{self._number}"

    @property
    def is_changed(self) -> bool:
        """True if the id of this process differs from the given id."""
        return self._number != 1

    @property
    def notice(self) -> str:
        """A line for the log about a changed id."""
        return (
            f"{KEY}={self.given!r} of the environment belongs to another process of this machine; "
            f"the id of this process is {self.value!r}"
        )

    def after_fork(self) -> None:
        """Take an id of its own for a forked child; the parent keeps the other."""
        if not self._is_released:
            self._close()
            self._number = self._take(alone=False)

    def release(self) -> None:
        """Leave the id to another process."""
        self._is_released = True
        self._close()

    def _close(self) -> None:
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def _take(self, *, alone: bool = True) -> int:
        """Claim the id with the lowest free number, and return the number."""
        try:
            for number in range(1, _MAX_PROCESSES):
                self._claim = _try_claim(self._name(number))
                if self._claim is not None:
                    return number
        except OSError as error:  # neither sockets nor files: an own id is unique too
            reraise_interruption(error)
            alone = alone and not is_multiprocessing_child()
        return 1 if alone else os.getpid()

    def _name(self, number: int) -> str:
        text = "\0".join((self._service, self.given, str(number)))
        return f"otel_meta-{sha256(text.encode()).hexdigest()[:32]}"


class ProcessResource(Resource):
    """A resource with the instance id of this process.

    In a forked child, the SDK merges a random id into the resource of each provider.

    Args:
        resource: all attributes.
        instance: the instance id.
    """

    def __init__(self, resource: Resource, instance: InstanceId) -> None:
        super().__init__({**resource.attributes, KEY: instance.value}, resource.schema_url)
        self._instance: Final = instance

    def merge(self, other: Resource) -> Resource:
        """Merge as the base class does, and keep the instance id of this process."""
        return ProcessResource(super().merge(other), self._instance)


def claim_instance_id(settings: Settings) -> InstanceId | None:
    """Return the instance id of this process; None if the environment gives none.

    The SDK then makes a random id for each process.
    """
    given = settings.resource_attributes.get(KEY)
    if not given or settings.disabled:
        return None
    return InstanceId(given, f"{settings.namespace}/{settings.service_name}")


def _try_claim(name: str) -> _Claim | None:
    """Claim a name; return None if another process has it."""
    try:
        return _CLAIM(name)
    except OSError as error:
        if error.errno in _TAKEN:
            return None
        raise


def _claim_socket(name: str) -> _Claim:
    claimed = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claimed.bind(f"\0{name}")
    except OSError:
        claimed.close()
        raise
    return claimed


def _claim_file(name: str) -> _Claim:
    fcntl: Any = import_module("fcntl")
    file = Path(tempfile.gettempdir(), name).open("ab")  # noqa: SIM115 - open while claimed
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


_CLAIM: Final[Callable[[str], _Claim]] = (
    _claim_socket if platform.system() == "Linux" else _claim_file
)
