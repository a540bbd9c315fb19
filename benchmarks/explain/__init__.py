"""Made incidents with a known cause, and how often `otel-meta explain` finds the cause."""
