"""docs/: the reference and the runbooks."""
