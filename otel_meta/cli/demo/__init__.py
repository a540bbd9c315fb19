"""The parts of ``otel-meta demo``: services, traffic, servers and the timeline."""
