"""The recording functions of the native core, each in front of the function in Python."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from otel_meta.runtime.recording.recording_calls import (
    IN_PYTHON,
    BoundCall,
    Call,
    CallMaker,
    SlowPath,
    Target,
)
from otel_meta.runtime.recording.validation import finite_float, non_negative_float

from .native_core import NATIVE, NativeModule


class NativeCalls:
    """Makes functions in C, which leave to Python whatever is not the common case.

    Args:
        native: the module in C.
        reference: makes the functions in Python.
    """

    def __init__(self, native: NativeModule, reference: CallMaker) -> None:
        self._native: Final = native
        self._reference: Final = reference

    def typed(self, family: Target, method: str, record_slow_path: SlowPath) -> Call:
        """Return a function as described in `CallMaker`."""
        fields = family.instrument.label_fields
        call: Call = self._native.TypedCall(
            self._reference.typed(family, method, record_slow_path),
            family.instrument.kind,
            family.by_values,
            tuple(sys.intern(field.name) for field in fields),
            tuple(field.default for field in fields),
        )
        return call

    def bound(
        self,
        family: Target,
        method: str,
        cell: Any,
        labels: Mapping[str, Any],
        record_slow_path: SlowPath,
    ) -> BoundCall:
        """Return a function as described in `CallMaker`."""
        call: BoundCall = self._native.BoundCall(
            self._reference.bound(family, method, cell, labels, record_slow_path),
            family.instrument.kind,
            non_negative_float if family.instrument.monotonic else finite_float,
            cell,
            labels,
            record_slow_path,
        )
        return call


IN_MEMORY: Final[CallMaker] = IN_PYTHON if NATIVE is None else NativeCalls(NATIVE, IN_PYTHON)
"""For cells whose numbers are in the memory of this process."""
