"""Recording through OpenTelemetry's API, in a process that another library configures.

Nothing here imports the SDK, structlog or orjson: a library may bind its meta-repository with
``opentelemetry-api`` alone.
"""
