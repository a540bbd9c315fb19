"""Decisions of the standard samplers by parent and trace id alone, without an object for each.

A sampler of the SDK copies the attributes of a span into a result, also for a span that is dropped.
The samplers of the specification decide by the parent and the trace id; another sampler, or a
subclass that decides by itself, is called as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    StaticSampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanContext

Decide = Callable[[SpanContext | None, int], bool]
"""Returns True if a span is sampled, from its parent and its trace id."""


def known_decision(sampler: Sampler) -> Decide | None:
    """Return the decision of a standard sampler; None for another sampler."""
    return _FACTORIES.get(type(sampler).should_sample, _unknown)(sampler)


def _unknown(_sampler: Any) -> None:
    """Return no decision."""


def _static(sampler: Any) -> Decide | None:
    if sampler._decision is Decision.RECORD_AND_SAMPLE:  # noqa: SLF001 - no other access
        return lambda _parent, _trace_id: True
    if sampler._decision is Decision.DROP:  # noqa: SLF001
        return lambda _parent, _trace_id: False
    return None


def _by_ratio(sampler: TraceIdRatioBased) -> Decide | None:
    mask, bound = sampler.TRACE_ID_LIMIT, sampler.bound
    return lambda _parent, trace_id: trace_id & mask < bound


def _by_parent(sampler: Any) -> Decide | None:
    delegates = [known_decision(getattr(sampler, name)) for name in _DELEGATES]
    root, remote_sampled, remote_dropped, local_sampled, local_dropped = delegates
    if not all(delegates):
        return None
    by_parent: dict[tuple[bool, bool], Any] = {
        (True, True): remote_sampled,
        (True, False): remote_dropped,
        (False, True): local_sampled,
        (False, False): local_dropped,
    }

    def decide(parent: SpanContext | None, trace_id: int) -> bool:
        chosen: Any = root
        if parent is not None:
            chosen = by_parent[parent.is_remote, parent.trace_flags.sampled]
        decided: bool = chosen(parent, trace_id)
        return decided

    return decide


_DELEGATES: Final = (
    "_root",
    "_remote_parent_sampled",
    "_remote_parent_not_sampled",
    "_local_parent_sampled",
    "_local_parent_not_sampled",
)
_FACTORIES: Final[Mapping[Any, Callable[[Any], Decide | None]]] = {
    StaticSampler.should_sample: _static,
    TraceIdRatioBased.should_sample: _by_ratio,
    ParentBased.should_sample: _by_parent,
}
"""By the method that decides, which the SDK's further samplers inherit."""
