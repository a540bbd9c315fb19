"""Start and end of telemetry in a process: globals, identity, signals, children and notices."""
