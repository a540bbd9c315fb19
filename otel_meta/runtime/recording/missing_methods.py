"""Answers to methods that a live instrument does not have, such as ``inc`` of prometheus_client."""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Final, NoReturn

_VERBS: Final = ("add", "set", "record", "time", "with_labels", "remove")
"""The methods of live instruments; each kind has some of these."""


class _Missing:
    """A method of another kind or library: a descriptor, which costs other attributes nothing."""

    def __init__(self, name: str) -> None:
        self._name: Final = name

    def __get__(self, live: object, owner: type) -> NoReturn:
        subject = owner if live is None else live
        methods = ", ".join(f"{verb}()" for verb in _VERBS if _has(owner, verb))
        raise AttributeError(
            f"{subject!r} has no {self._name}(); its methods are {methods}",
            name=self._name,
            obj=subject,
        )


def _has(owner: type, verb: str) -> bool:
    return not isinstance(getattr_static(owner, verb), _Missing)


class NamesMethods:
    """Base class whose subclasses answer to a missing method with the methods that they have."""

    __slots__ = ()

    if not TYPE_CHECKING:  # subclasses have some of these names, with types of their own
        add = _Missing("add")
        set = _Missing("set")
        record = _Missing("record")
        time = _Missing("time")
        inc = _Missing("inc")
        dec = _Missing("dec")
        observe = _Missing("observe")
        labels = _Missing("labels")
