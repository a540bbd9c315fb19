"""HTTP requests: messages, metrics and background tasks."""
