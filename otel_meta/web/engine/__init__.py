"""The engine: one server span and the metrics of each request and WebSocket connection."""
