"""Export by push: exporters, bounded queues before them, and delivery failures."""
