"""The source of the updates that `recording_calls` compiles into the recording functions.

Each update does what the method of the cell does for an exact ``int`` or ``float``, and ends with
``return``. All other values go to the method, which converts them. The condition of `atomic` holds
here too: between the check of ``writable`` and the last store there is no call and no jump back.
All names begin with an underscore, because the labels are parameters of the same function.

The order of the checks is the order of their frequency: most counters count single events, and
most other values are floats. An ``int`` is compared with an ``int``, because a comparison of an
``int`` with a ``float`` takes three times as long.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from .validation import MAX_MAGNITUDE

METHOD_CALL: Final = """\
if _cell.{method}({value}):
    return
"""
"""The update by the method of the cell."""

TOOLS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "_type": type,
        "_int": int,
        "_float": float,
        "_one": 1,
        "_max": MAX_MAGNITUDE,
        "_max_int": int(MAX_MAGNITUDE),
        "_bisect_left": bisect_left,
        "_time": time,
    }
)
"""The names that the updates read."""

INLINED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "counter": """\
if (
    {value} is _one
    or _type({value}) is _int and 0 <= {value} < _max_int
    or _type({value}) is _float and 0.0 <= {value} < _max
):
    if _cell.writable:
        _cell.numbers[0] += {value}
        if _cell.spans.live:
            _cell.offer_exemplar({value})
        return
elif _cell.add({value}):
    return
""",
        "updowncounter": """\
if (
    {value} is _one
    or _type({value}) is _int and -_max_int < {value} < _max_int
    or _type({value}) is _float and -_max < {value} < _max
):
    if _cell.writable:
        _cell.numbers[0] += {value}
        return
elif _cell.add({value}):
    return
""",
        "gauge": """\
if (
    _type({value}) is _float and -_max < {value} < _max
    or _type({value}) is _int and -_max_int < {value} < _max_int
):
    _number, _now = _float({value}), _time.time()
    if _cell.writable:
        _numbers = _cell.numbers
        _numbers[0], _numbers[1] = _number, _now
        return
elif _cell.set({value}):
    return
""",
        "histogram": """\
if (
    _type({value}) is _float and -_max < {value} < _max
    or _type({value}) is _int and -_max_int < {value} < _max_int
):
    _bucket = _bisect_left(_cell.bounds, {value})
    if _cell.writable:
        _numbers = _cell.numbers
        _numbers[_bucket], _numbers[-1] = _numbers[_bucket] + 1.0, _numbers[-1] + {value}
        if _cell.spans.live:
            _cell.offer_exemplar(_bucket, {value})
        return
elif _cell.record({value}):
    return
""",
    }
)
"""The update of a cell in memory by kind of instrument."""
