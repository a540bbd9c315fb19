"""Alerts about what produces and carries telemetry: services, Collectors, Prometheus, Alertmanager.

`telemetry_groups` makes the rules; `telemetry_alerts` lists the rows for the runbook.
"""

from .telemetry_groups import telemetry_alerts, telemetry_groups

__all__ = ["telemetry_alerts", "telemetry_groups"]
