"""Spans in the wire format of OTLP."""
