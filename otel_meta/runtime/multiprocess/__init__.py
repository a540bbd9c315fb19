"""Totals of all workers of a service, kept in one memory-mapped file a process."""
