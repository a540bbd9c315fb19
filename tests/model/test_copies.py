"""Copies of declarations equal the originals, also copies that another process has pickled."""

from __future__ import annotations

import copy
import pickle
import runpy
from collections.abc import Callable
from typing import Any

import pytest

from otel_meta import Catalog, Counter, NoLabels
from otel_meta.repos import BUILTIN, Aurora, aurora
from otel_meta.testing import capture


def _pickled(declared: object) -> object:
    return pickle.loads(pickle.dumps(declared))


DECLARED = [
    pytest.param(declared, id=f"{repo.__name__}.{attribute}")
    for repo in BUILTIN
    for kind in (repo.instruments, repo.slos, repo.recordings, repo.alerts)
    for attribute, declared in kind.items()
]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, _pickled])
@pytest.mark.parametrize("declared", DECLARED)
def test_copy_equals_the_original(declared: object, copied: Callable[[object], object]) -> None:
    """A copied or unpickled declaration equals the original, and has its hash."""
    assert declared == copied(declared)
    assert hash(declared) == hash(copied(declared))


def test_different_declarations_are_not_equal() -> None:
    """Two declarations that differ in one argument are not equal."""
    first = Counter("a.b", "Text.", NoLabels)

    assert first != Counter("a.b", "Other text.", NoLabels)
    assert first != Counter("a.c", "Text.", NoLabels)
    assert first != "a.b"


def test_module_that_runs_twice_declares_equal_values() -> None:
    """A module that runs twice, as __main__ and as an import, declares equal values."""
    again = runpy.run_path(aurora.__file__, run_name="__main__")

    assert Aurora is not again["Aurora"]
    assert Aurora.instruments == again["Aurora"].instruments
    assert Aurora.slos == again["Aurora"].slos


def test_copy_reads_the_series_of_the_original() -> None:
    """A copied instrument reads the series that the original has recorded."""
    repo = next(iter(BUILTIN))
    attribute, counter = next(
        (name, found) for name, found in repo.instruments.items() if isinstance(found, Counter)
    )
    with capture() as captured:
        live: Any = getattr(captured.bind(repo), attribute)
        live.add(3, **{label.name: (label.values or ("x",))[0] for label in counter.label_fields})

        assert 3 == captured.value(copy.deepcopy(counter))


def test_declarations_have_short_texts() -> None:
    """The text of a declaration and of a catalogue fits in a line of a debugger."""
    texts = [repr(Catalog(BUILTIN.repos))]
    for repo in BUILTIN:
        for kind in (repo.instruments, repo.slos, repo.recordings, repo.alerts):
            texts += map(repr, kind.values())

    assert [] == [text for text in texts if len(text) > 100 or "\n" in text]
