"""The commands about SLOs: sources, table and gate of statuses, and the report of a burn."""
