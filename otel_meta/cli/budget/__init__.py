"""The report on an error budget: bad events, outages, alerts, and the recorded past."""
