"""The native core: the updates of series in C, if the distribution ``otel_meta_native`` is there."""
