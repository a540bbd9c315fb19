"""The counts of a histogram by the buckets of different forms."""
