"""The table ``[tool.otel_meta]`` of a project, and the command line options of the same name."""
