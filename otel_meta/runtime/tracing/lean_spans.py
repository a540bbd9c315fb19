"""Spans of the SDK whose parts are made when they are used.

The SDK's span makes four locks, two lists and a checked mapping before anything is recorded, and a
copy of itself at its end. `LeanSpan` keeps its attributes in a dict and makes the rest on demand;
then the SDK's own methods work on the SDK's own parts. So limits, types, warnings and the rules of
status and end are the SDK's. A hypothesis test compares both.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import RLock
from time import time_ns
from types import MappingProxyType, NoneType
from typing import Any, Final, NamedTuple

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import (
    Event,
    ReadableSpan,
    Span,
    SpanLimits,
    SpanProcessor,
)
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationInfo, InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from .tail_sampling import UndecidedTrace

_logger: Final = logging.getLogger("opentelemetry.sdk.trace")
"""The SDK's logger: its messages are the same for all spans."""

_PLAIN: Final = frozenset({bool, int, float, bytes, NoneType})
"""Types of attributes that are kept as they are."""
_UNSET: Final = Status(StatusCode.UNSET)


class SpanOrigin(NamedTuple):
    """What the spans of a tracer have in common."""

    sampler: Sampler
    resource: Resource
    processors: SpanProcessor
    limits: SpanLimits
    scope: InstrumentationScope
    info: InstrumentationInfo
    most: float
    """The maximum number of attributes."""
    longest: float
    """The maximum length of a text."""


class LeanSpan(Span):
    """A recording span. `new_span` makes it, and `prepare` fills it before anything else."""

    __slots__ = (
        "_attribute_map",
        "_context",
        "_end_time",
        "_event_list",
        "_kind",
        "_link_list",
        "_lock",
        "_name",
        "_on_exception",
        "_origin",
        "_parent",
        "_record_end_metrics",
        "_resource",
        "_start_time",
        "_status",
        "_values",
        "undecided",
    )

    _context: SpanContext
    undecided: UndecidedTrace | None
    """The trace that this span belongs to until tail sampling has decided; None if sampled."""

    def prepare(  # noqa: PLR0917 - called for each span
        self,
        origin: SpanOrigin,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Mapping[str, Any] | None,
        links: Sequence[Link],
        on_exception: tuple[bool, bool],
        record_end: Callable[[], None] | None,
        undecided: UndecidedTrace | None,
    ) -> None:
        """Fill a new span.

        Args:
            origin: see `SpanOrigin`.
            name: the name of the operation.
            context: of this span.
            parent: the parent's context; None without a parent.
            kind: see the API.
            attributes: at the start.
            links: likewise.
            on_exception: whether a ``with`` block records an exception, and sets the status.
            record_end: called at the end; None without metrics of the SDK about itself.
            undecided: the trace of a span that is not sampled.
        """
        self.undecided = undecided
        self._origin = origin
        self._name = name
        self._context = context
        self._parent = parent
        self._kind = kind
        self._resource = origin.resource
        self._on_exception = on_exception
        self._record_end_metrics = record_end
        self._lock: Any = RLock()  # a signal handler may run inside a method of the same span
        self._start_time: int | None = None
        self._end_time: int | None = None
        self._status = _UNSET
        self._event_list: Any = None
        self._link_list: Any = self._make_links(links) if links else None
        self._attribute_map: Any = None
        values = _plain_values(attributes, origin.most, origin.longest) if attributes else {}
        if values is None:
            self._attribute_map = self._bounded(attributes)
            values = self._attribute_map._dict  # noqa: SLF001 - shared with the SDK's mapping
        self._values: dict[str, Any] = values

    # What the SDK's methods expect.

    @property
    def _attributes(self) -> Any:
        """The SDK's mapping, around the same values."""
        with self._lock:
            if self._attribute_map is None:
                bounded: Any = self._bounded(None)
                bounded._dict = self._values  # noqa: SLF001
                bounded._immutable = self._end_time is not None  # noqa: SLF001
                self._attribute_map = bounded
            return self._attribute_map

    @_attributes.setter
    def _attributes(self, attributes: Any) -> None:
        """Replace the attributes, as some processors do with those of an ended span."""
        self._attribute_map = attributes
        self._values = getattr(attributes, "_dict", attributes)

    @property
    def _events(self) -> Any:
        with self._lock:
            if self._event_list is None:
                self._event_list = BoundedList(self._origin.limits.max_events)
            return self._event_list

    @_events.setter
    def _events(self, events: Any) -> None:
        self._event_list = events

    @property
    def _links(self) -> Any:
        with self._lock:
            if self._link_list is None:
                self._link_list = self._make_links(())
            return self._link_list

    @_links.setter
    def _links(self, links: Any) -> None:
        self._link_list = links

    _limits: Any = property(lambda self: self._origin.limits)
    _sampler: Any = property(lambda self: self._origin.sampler)
    _span_processor: Any = property(lambda self: self._origin.processors)
    _instrumentation_scope: Any = property(lambda self: self._origin.scope)
    _instrumentation_info: Any = property(lambda self: self._origin.info)
    _record_exception: Any = property(lambda self: self._on_exception[0])
    _set_status_on_exception: Any = property(lambda self: self._on_exception[1])

    # The API, as the SDK has it.

    def start(self, start_time: int | None = None, parent_context: Context | None = None) -> None:
        """Start the span; its tracer calls this once."""
        if self._start_time is not None:
            _logger.warning("Calling start() on a started span.")
            return
        self._start_time = time_ns() if start_time is None else start_time
        self._origin.processors.on_start(self, parent_context=parent_context)

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute."""
        values, origin = self._values, self._origin
        is_plain = len(value) <= origin.longest if type(value) is str else type(value) in _PLAIN
        with self._lock:
            if self._end_time is not None:
                _logger.warning("Setting attribute on ended span.")
            elif is_plain and type(key) is str and key and len(values) < origin.most:
                if key in values:
                    del values[key]  # so that the oldest stays first
                values[key] = value
            else:
                self._attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        origin = self._origin
        given = _plain_values(attributes, origin.most, origin.longest) if attributes else {}
        with self._lock:
            if self._end_time is not None:
                _logger.warning("Setting attribute on ended span.")
                return
            values = self._values
            if given is None or len(values) + len(given) > origin.most:
                self._attributes._set_items(attributes)  # noqa: SLF001
                return
            for key in values.keys() & given.keys():
                del values[key]
            values.update(given)

    def end(self, end_time: int | None = None) -> None:
        """End the span once, and pass it to the processors."""
        with self._lock:
            if self._start_time is None:
                raise RuntimeError("Calling end() on a not started span.")
            if self._end_time is not None:
                _logger.warning("Calling end() on an ended span.")
                return
            self._end_time = time_ns() if end_time is None else end_time
            if self._attribute_map is not None:
                self._attribute_map._immutable = True  # noqa: SLF001
        if self._record_end_metrics is not None:
            self._record_end_metrics()
        processors: Any = self._origin.processors
        processors._on_ending(self)  # noqa: SLF001 - of the SDK's interface
        processors.on_end(self)
        if self.undecided is not None:
            self.undecided.ended(self)

    def note(self, key: str, value: str) -> None:
        """Add a note of tail sampling to an ended span, unless the note is empty."""
        if value:
            self._values[key] = value

    def get_span_context(self) -> SpanContext:
        """Return the context of this span."""
        return self._context

    @property
    def context(self) -> SpanContext:
        """The context of this span."""
        return self._context

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes."""
        return MappingProxyType(self._attributes if self._end_time is None else self._values)

    @property
    def events(self) -> Sequence[Event]:
        """The events."""
        return () if self._event_list is None else tuple(self._event_list)

    @property
    def links(self) -> Sequence[Link]:
        """The links."""
        return () if self._link_list is None else tuple(self._link_list)

    @property
    def dropped_attributes(self) -> int:
        """The number of attributes above the limit."""
        return 0 if self._attribute_map is None else super().dropped_attributes

    @property
    def dropped_events(self) -> int:
        """The number of events above the limit."""
        return 0 if self._event_list is None else super().dropped_events

    @property
    def dropped_links(self) -> int:
        """The number of links above the limit."""
        return 0 if self._link_list is None else super().dropped_links

    def __deepcopy__(self, memo: dict[int, Any]) -> ReadableSpan:
        return copy.deepcopy(self._readable_span(), memo)

    def _make_links(self, links: Sequence[Link]) -> Any:
        make: Any = self._new_links  # without types
        return make(links)

    def _bounded(self, attributes: Mapping[str, Any] | None) -> BoundedAttributes:
        limits = self._origin.limits
        return BoundedAttributes(
            limits.max_span_attributes,
            attributes,
            immutable=False,
            max_value_len=limits.max_span_attribute_length,
        )


def new_span() -> LeanSpan:
    """Return an empty span; the SDK's constructor has its own cost."""
    return object.__new__(LeanSpan)


def _plain_values(
    attributes: Mapping[str, Any], most: float, longest: float
) -> dict[str, Any] | None:
    """Return a copy of attributes that are valid as they are; None if the SDK has to change any."""
    given: Mapping[str, Any] | Iterable[tuple[str, Any]] = attributes
    if type(attributes) is not dict:  # whose copy is the fastest
        given = attributes.items()
    values: dict[str, Any] = dict(given)
    if len(values) > most:
        return None
    for key, value in values.items():
        if type(value) is str:
            if len(value) > longest:
                return None
        elif type(value) not in _PLAIN:
            return None
        if type(key) is not str or not key:
            return None
    return values
