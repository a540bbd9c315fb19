"""What /metrics shows: from accumulators, the SDK and prometheus_client to one page of text."""
