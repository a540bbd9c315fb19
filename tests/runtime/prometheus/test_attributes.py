from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parse

from otel_meta.runtime.prometheus.attributes import (
    attribute_text,
    body_of,
    labels_of,
    sorted_labels,
    without,
)

IDENTITY = (("service_name", "maps"), ("service_namespace", "atlas"))


class TestLabels:
    def test_sorted(self) -> None:
        """They come by name, with those of the resource."""
        assert (("a", "1"), *IDENTITY, ("z", "2")) == labels_of({"z": 2, "a": "1"}, IDENTITY)

    def test_collision(self) -> None:
        """Keys that become one label are joined in the order of the keys."""
        given = {"a_b": "3", "a.b": "2", "a-b": "1"}

        assert (("a_b", "1;2;3"),) == labels_of(given, ())

    def test_collision_of_nothing(self) -> None:
        """An empty value is joined with nothing."""
        assert (("a_b", "3"),) == labels_of({"a-b": "", "a_b": "3"}, ())

    def test_identity_set(self) -> None:
        """What a point says of itself wins over the resource, unless it says nothing."""
        given = {"service.name": "other", "service.namespace": ""}

        assert (("service_name", "other"), IDENTITY[1]) == labels_of(given, IDENTITY)

    def test_empty(self) -> None:
        """A label without a value is no label."""
        assert () == labels_of({"a": "", "b": None}, ())
        assert () == sorted_labels([("a", "")])

    def test_without(self) -> None:
        """One can be left out."""
        assert (("a", "1"),) == without("le", (("a", "1"), ("le", "2")))


class TestText:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("as it is", "as it is"),
            (True, "true"),
            (1, "1"),
            (1.0, "1"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e-5, "0.00001"),
            (1e-7, "1e-7"),
            (1.5e-12, "1.5e-12"),
            (1e16, "10000000000000000"),
            (1e21, "1e+21"),
            (["a", "é"], '["a","é"]'),
            ((1, True), "[1,true]"),
            ({"a": 1}, '{"a":1}'),
            (b"\x01\xff", "Af8="),
            (None, ""),
            ("\ud800", "?"),
            (["\ud800"], '["?"]'),
        ],
    )
    def test_known(self, value: Any, text: str) -> None:
        """An attribute's value is written as Prometheus' OTLP receiver writes it."""
        assert text == attribute_text(value)

    @given(st.floats(allow_nan=False))
    def test_float(self, value: float) -> None:
        """A number can be read back."""
        assert value == float(attribute_text(value))


class TestBody:
    @given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
    def test_any(self, text: str) -> None:
        """Whatever a value is, a parser reads it back."""
        (family,) = parse(f"x{{{body_of((('a', text),))}}} 1\n")

        assert {"a": text} == family.samples[0].labels
