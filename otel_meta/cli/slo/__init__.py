"""The commands about SLOs: the table of statuses, the gate, and the report on an error budget."""
