"""Links from a panel to the traces behind it.

A dot of an exemplar leads to its trace by the Prometheus data source's own setting
(``exemplarTraceIdDestinations``, name ``trace_id``), which a dashboard cannot make. These links
lead from any point of a panel to a search among the traces of the services that are chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from .panel import Link

_SEARCHES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "tempo": {
            "queryType": "traceql",
            "query": '{resource.service.name=~"${service:pipe}"}',
        },
        "jaeger": {"queryType": "search", "service": "${service:pipe}"},
    }
)


def trace_links() -> tuple[Link, ...]:
    """One link a kind of trace store."""
    return tuple(Link(f"Traces in {kind.title()}", _explore(kind)) for kind in _SEARCHES)


def _explore(kind: str) -> str:
    source = {"type": kind, "uid": f"${{{kind}}}"}
    pane = {
        "datasource": f"${{{kind}}}",
        "queries": [{"refId": "A", "datasource": source, **_SEARCHES[kind]}],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    panes = json.dumps({"traces": pane}, separators=(",", ":"))
    return f"/explore?schemaVersion=1&panes={quote(panes, safe='${}:_')}"
