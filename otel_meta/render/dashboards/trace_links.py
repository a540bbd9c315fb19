"""Links from a panel to a search for traces.

A click on an exemplar opens its trace. The Prometheus data source has the setting for this
(``exemplarTraceIdDestinations``, name ``trace_id``); a dashboard cannot set it. The links of this
module are in the menu of every value and open a search for traces of the selected services.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from .panel import DataLink

_SEARCHES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "tempo": {
            "queryType": "traceql",
            "query": '{resource.service.name=~"${service:pipe}"}',
        },
        "jaeger": {"queryType": "search", "service": "${service:pipe}"},
    }
)


def trace_links() -> tuple[DataLink, ...]:
    """Return one link for each kind of trace store."""
    return tuple(DataLink(f"Traces in {kind.title()}", _explore_url(kind)) for kind in _SEARCHES)


def _explore_url(kind: str) -> str:
    source = {"type": kind, "uid": f"${{{kind}}}"}
    pane = {
        "datasource": f"${{{kind}}}",
        "queries": [{"refId": "A", "datasource": source, **_SEARCHES[kind]}],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    panes = json.dumps({"traces": pane}, separators=(",", ":"))
    return f"/explore?schemaVersion=1&panes={quote(panes, safe='${}:_')}"
