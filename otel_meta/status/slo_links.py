"""Links of an SLO: its section of the runbook, its dashboard, traces and logs of its bad events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, urlencode

from otel_meta.model import Duration
from otel_meta.model.identity import NAMESPACE, SERVICE
from otel_meta.model.slo.burn import BURN_RATE_SPAN

from .status_json import StatusJson

SLO_DASHBOARD: Final = "otel-meta-slo"
"""The uid of the dashboard of all SLOs."""
PLACEHOLDERS: Final = ("service", "slo", "from", "to")
"""The names in templates; times are milliseconds since 1970, as in Grafana."""
TEMPLATE_EXAMPLE: Final = "https://host/search?service={service}&start={from}&end={to}"

_VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {NAMESPACE: "namespace", SERVICE: "service"}
)
_ADDRESS: Final = re.compile(r"https?://[^\s\"'<>\\/]+(/[^\s\"'<>\\]*)?")


@dataclass(frozen=True, kw_only=True)
class LinkBases:
    """The bases of links; an empty base makes no link."""

    runbooks: str = ""
    """Address of the folder of runbooks."""
    dashboards: str = ""
    """Address before the uid of a dashboard, such as https://grafana.example.org/d."""
    traces: str = ""
    """Template of the address of a search for traces, with `PLACEHOLDERS`."""
    logs: str = ""
    """Template of the address of a search for log lines."""

    def links(self, row: StatusJson, now: float) -> dict[str, str]:
        """Return the links of an SLO by name.

        Args:
            row: the status of the SLO.
            now: seconds since 1970, where the time of the links ends.
        """
        begin, end = (round(1000 * moment) for moment in (now - _span(row).seconds, now))
        names = {"service": row["service"].get(SERVICE, ""), "slo": row["name"]}
        values = {**names, "from": str(begin), "to": str(end)}
        links = {
            "runbook": f"{self.runbooks.rstrip('/')}/{quote(row['repo'])}.md#{quote(row['name'])}",
            "dashboard": f"{self.dashboards.rstrip('/')}/{SLO_DASHBOARD}?{_query(row, values)}",
            "traces": _filled(self.traces, values),
            "logs": _filled(self.logs, values),
        }
        bases = (self.runbooks, self.dashboards, self.traces, self.logs)
        return {name: link for (name, link), base in zip(links.items(), bases, strict=True) if base}


def with_links(rows: Iterable[StatusJson], bases: LinkBases, now: float) -> list[StatusJson]:
    """Return rows with their links, where there are bases."""
    return [{**row, "links": links} if (links := bases.links(row, now)) else row for row in rows]


def is_address(text: str) -> bool:
    """Return True if a text can be the base of links: an absolute address of HTTP."""
    return _ADDRESS.fullmatch(text) is not None


def is_template(text: str) -> bool:
    """Return True if a text is an address in which every placeholder is known."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    except ValueError:
        return False
    return is_address(text) and set(PLACEHOLDERS).issuperset(fields)


def variable_of(label: str) -> str:
    """Return the name of a dashboard's variable with the values of a label."""
    return _VARIABLES.get(label, label)


def _span(row: StatusJson) -> Duration:
    """Return the time in which to look for bad events."""
    if row["burning"]:
        return Duration(row["burning"][0]["long"])
    return Duration(row["period"]) if row["state"] == "breached" else BURN_RATE_SPAN


def _query(row: StatusJson, values: Mapping[str, str]) -> str:
    labels = {**row["service"], "slo": row["name"]}
    variables = {f"var-{variable_of(label)}": value for label, value in labels.items()}
    return urlencode({**variables, "from": values["from"], "to": values["to"]})


def _filled(template: str, values: Mapping[str, str]) -> str:
    return template.format_map({name: quote(value, safe="") for name, value in values.items()})
