"""Export by push: bounded queues, exporters, and delivery failures."""
