"""Is it true: rules held against the catalogue."""
