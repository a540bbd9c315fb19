"""Grafana's JSON: dashboards, rows, panels, fields and variables, by the SDK."""
