"""SLOs in this process: counts read off the series, and how each promise stands."""
