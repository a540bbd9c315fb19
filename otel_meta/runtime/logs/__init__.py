"""Logs: structlog processors, JSON lines, and export over OTLP."""
