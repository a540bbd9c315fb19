from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parse

from otel_meta.runtime.prometheus.attributes import (
    attribute_text,
    format_labels,
    labels_of,
    sorted_labels,
    without_label,
)

IDENTITY = (("service_name", "maps"), ("service_namespace", "atlas"))


class TestLabels:
    def test_labels_of_point_and_resource_are_sorted_by_name(self) -> None:
        """Labels of point and resource are sorted by name."""
        assert (("a", "1"), *IDENTITY, ("z", "2")) == labels_of({"z": 2, "a": "1"}, IDENTITY)

    def test_values_of_colliding_keys_are_joined_in_order_of_keys(self) -> None:
        """Values of colliding keys are joined in the order of the keys."""
        given = {"a_b": "3", "a.b": "2", "a-b": "1"}

        assert (("a_b", "1;2;3"),) == labels_of(given, ())

    def test_empty_value_of_colliding_key_is_left_out(self) -> None:
        """An empty value of a colliding key is left out."""
        assert (("a_b", "3"),) == labels_of({"a-b": "", "a_b": "3"}, ())

    def test_label_of_point_overrides_resource_unless_it_is_empty(self) -> None:
        """A label of the point overrides the resource unless it is empty."""
        given = {"service.name": "other", "service.namespace": ""}

        assert (("service_name", "other"), IDENTITY[1]) == labels_of(given, IDENTITY)

    def test_label_without_value_is_left_out(self) -> None:
        """A label without a value is left out."""
        assert () == labels_of({"a": "", "b": None}, ())
        assert () == sorted_labels([("a", "")])

    def test_label_is_removed_by_its_name(self) -> None:
        """A label is removed by its name."""
        assert (("a", "1"),) == without_label("le", (("a", "1"), ("le", "2")))


class TestAttributeText:
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
    def test_attribute_value_is_text_as_in_prometheus_otlp_receiver(
        self, value: Any, text: str
    ) -> None:
        """An attribute value is text as in Prometheus' OTLP receiver."""
        assert text == attribute_text(value)

    @given(st.floats(allow_nan=False))
    def test_float_survives_conversion_to_text(self, value: float) -> None:
        """A float survives the conversion to text."""
        assert value == float(attribute_text(value))


class TestFormatLabels:
    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    def test_parser_reads_back_any_label_value(self, text: str) -> None:
        """A parser reads back any label value."""
        (family,) = parse(f"x{{{format_labels((('a', text),))}}} 1\n")

        assert {"a": text} == family.samples[0].labels
