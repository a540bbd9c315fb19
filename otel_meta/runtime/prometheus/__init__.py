"""The /metrics endpoint: declared, SDK and prometheus_client metrics as a page of text."""
