"""WebSocket connections: messages, metrics and close codes."""
