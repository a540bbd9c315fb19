"""Engines of others, which start the server span; the metrics, ids and outcome are ours."""
