"""ASGI middleware and endpoints, and the integration with FastAPI."""
