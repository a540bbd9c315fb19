"""Recording: live instruments and their series in memory."""
