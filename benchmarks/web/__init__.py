"""The cost of the telemetry of a request, in otel_meta and in others."""
