"""otel-meta: one command, one file each."""
