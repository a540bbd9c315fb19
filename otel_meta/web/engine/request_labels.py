"""Labels of a request that are known when it begins."""

from __future__ import annotations

from itertools import product
from typing import Final, NamedTuple, get_args

from otel_meta.semconv import Method
from otel_meta.web.asgi import Scope

_METHODS: Final = get_args(Method)
_SCHEMES: Final = ("http", "https")
_OTHER: Final = "_OTHER"


class RequestLabels(NamedTuple):
    """Method and scheme."""

    method: str
    scheme: str


_LABELS: Final = {each: RequestLabels(*each) for each in product(_METHODS, _SCHEMES)}


def request_labels(scope: Scope) -> RequestLabels:
    """Return the labels of a request; methods that are not known share one value."""
    method, scheme = scope.get("method", "GET"), scope.get("scheme", "http")
    known = _LABELS.get((method, scheme))
    if known is not None:
        return known
    return RequestLabels(
        method if method in _METHODS else _OTHER, scheme if scheme in _SCHEMES else "http"
    )
