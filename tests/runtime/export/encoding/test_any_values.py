from __future__ import annotations

from collections import OrderedDict
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from opentelemetry.exporter.otlp.proto.common._internal import (  # no public name has it
    _encode_attributes,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValueList

from otel_meta.runtime.export.encoding import any_values
from otel_meta.runtime.export.encoding.any_values import attributes_field
from otel_meta.runtime.export.encoding.protobuf_wire import delimited_tag
from tests.runtime.export.encoding.span_strategies import ATTRIBUTES, Attributes

VALUES = delimited_tag(1)
"""The field of KeyValueList."""


class Colour(StrEnum):
    """A text with a class of its own."""

    RED = "red"


class Level(IntEnum):
    """An integer with a class of its own."""

    HIGH = 3


def encoded_by_sdk(attributes: Attributes) -> bytes:
    """Return the attributes as the SDK encodes them."""
    return bytes(KeyValueList(values=_encode_attributes(attributes)).SerializeToString())


class TestAttributesField:
    @given(attributes=ATTRIBUTES)
    def test_attributes_equal_those_of_sdk(self, attributes: Attributes) -> None:
        """Any attributes have the bytes of the SDK, when they are encoded first and again."""
        expected = encoded_by_sdk(attributes)

        assert expected == attributes_field(VALUES, attributes)
        assert expected == attributes_field(VALUES, attributes)

    @pytest.mark.parametrize(
        "value",
        [
            Colour.RED,
            Level.HIGH,
            np.float64(1.5),
            (1, True, 1.0, "1", None),
            range(3),
            bytearray(b"ab"),
            OrderedDict(a=1),
            MappingProxyType({1: 1, "b": [{}]}),
            -1,
            -(1 << 63),
            (1 << 63) - 1,
            float("nan"),
            float("-inf"),
        ],
        ids=repr,
    )
    def test_value_equals_that_of_sdk(self, value: Any) -> None:
        """A value of any class that the SDK knows has the bytes of the SDK."""
        attributes = {"key": value, "keys": [value]}

        assert encoded_by_sdk(attributes) == attributes_field(VALUES, attributes)

    @pytest.mark.parametrize("equal", [(True, 1, 1.0), (False, 0, 0.0, -0.0)])
    def test_equal_values_of_different_types_stay_apart(self, equal: tuple[Any, ...]) -> None:
        """Values that are equal in Python have the encoding of their own type, in any order."""
        for values in (equal, equal[::-1]):
            for value in values:
                attributes = {"key": value, "list": [value], "map": {"key": value}}

                assert encoded_by_sdk(attributes) == attributes_field(VALUES, attributes)

    @pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, object(), [object()]])
    def test_value_outside_otlp_is_refused(self, value: object) -> None:
        """A value for which OTLP has no field is refused."""
        with pytest.raises((OverflowError, TypeError), match="OTLP has no"):
            attributes_field(VALUES, {"key": value})


class TestCaches:
    def test_caches_are_bounded(self) -> None:
        """The cache of a type keeps a fixed number of values, and no long text."""
        caches: Any = any_values._CACHED
        for number in range(10_000):
            attributes_field(VALUES, {"text": str(number), "number": number})
        texts, numbers = (caches[kind].cache_info() for kind in (str, int))
        attributes_field(VALUES, {"text": "x" * 10_000, "x" * 10_000: "text"})

        assert (4096, 4096) == (texts.currsize, numbers.currsize)
        assert texts == caches[str].cache_info()
