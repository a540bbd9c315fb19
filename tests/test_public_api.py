from __future__ import annotations

import importlib
import re

import pytest

import otel_meta
from otel_meta import model


def order(name: str) -> tuple[int, list[tuple[str, int]]]:
    """Where a name stands in ``__all__`` (ruff's RUF022): CONSTANTS, Classes, the others.

    Within each, numbers count by value: a2 before a10.
    """
    group = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return group, [(text, int(number or 0)) for text, number in re.findall(r"(\D+)|(\d+)", name)]


@pytest.mark.parametrize("module", ["otel_meta", "otel_meta.model", "otel_meta.repos"])
class TestAll:
    def test_sorted(self, module: str) -> None:
        """Public names are sorted, and none comes twice."""
        names = importlib.import_module(module).__all__

        assert sorted(set(names), key=order) == names

    def test_importable(self, module: str) -> None:
        """Every public name is there."""
        imported = importlib.import_module(module)

        assert [] == [name for name in imported.__all__ if not hasattr(imported, name)]


class TestOneVocabulary:
    def test_same(self) -> None:
        """A name that is public in two places is one thing."""
        both = set(otel_meta.__all__) & set(model.__all__)

        assert [] == [name for name in both if getattr(otel_meta, name) is not getattr(model, name)]

    def test_subset(self) -> None:
        """The package shows all of the model: a seventh repository needs one import."""
        assert set() == set(model.__all__) - set(otel_meta.__all__)

    def test_nothing_hidden(self) -> None:
        """What the package takes from the model is public there as well."""
        taken = {
            name
            for name in otel_meta.__all__
            if getattr(getattr(otel_meta, name), "__module__", "").startswith("otel_meta.model.")
        }

        assert set() == taken - set(model.__all__)
