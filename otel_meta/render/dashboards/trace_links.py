"""Links from a panel to a search for traces.

A click on an exemplar opens its trace. The Prometheus data source has the setting for this
(``exemplarTraceIdDestinations``, name ``trace_id``); a dashboard cannot set it. The links of this
module are in the menu of every value and open a search for traces of the value's service, so that
they also work while all services are shown: Jaeger searches for one service at a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from otel_meta.render.options import TraceStore
from otel_meta.render.rules.series_names import SERVICE

from .grafana.panel import DataLink

_SERVICE: Final = f"${{__field.labels.{SERVICE}}}"
_SEARCHES: Final[Mapping[TraceStore, Mapping[str, Any]]] = MappingProxyType(
    {
        "tempo": {
            "queryType": "traceql",
            "query": f'{{resource.service.name="{_SERVICE}"}}',
        },
        "jaeger": {"queryType": "search", "service": _SERVICE},
    }
)


def trace_link(store: TraceStore) -> DataLink:
    """Return the link to the traces of a value's service."""
    return DataLink(f"Traces in {store.title()}", _explore_url(store))


def _explore_url(store: TraceStore) -> str:
    source = {"type": store, "uid": "${traces}"}
    pane = {
        "datasource": "${traces}",
        "queries": [{"refId": "A", "datasource": source, **_SEARCHES[store]}],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    panes = json.dumps({"traces": pane}, separators=(",", ":"))
    return f"/explore?schemaVersion=1&panes={quote(panes, safe='${}:_.')}"
