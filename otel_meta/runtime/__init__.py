"""Runtime of a process: recording, export, logs, and SLO tracking."""
