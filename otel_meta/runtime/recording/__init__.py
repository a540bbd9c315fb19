"""Recording: live instruments and their series in memory, thread-safe without locks."""
