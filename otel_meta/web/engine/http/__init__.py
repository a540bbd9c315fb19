"""HTTP requests: messages, metrics, background tasks and disconnects."""
