"""The cost of a fleet: number and size of series, and rules."""
