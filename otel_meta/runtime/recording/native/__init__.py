"""The native core: updates of series in C, where ``otel_meta_native`` is installed."""
