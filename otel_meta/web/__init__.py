"""The edge: what stands between a server and an application."""
