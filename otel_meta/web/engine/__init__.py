"""The engine: one server span, the standard metrics, ids and an outcome for each request."""
