"""Runtime of one process: recording, export, logs, and SLO tracking."""
