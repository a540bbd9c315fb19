"""Delivery: exporters, bounded queues in front of them, and what cannot be delivered."""
