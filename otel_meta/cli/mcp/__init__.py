"""A server of the Model Context Protocol: SLOs, their burns and metrics for an assistant.

The tools read; none of them changes anything. Text from telemetry stays in the fields
``data_from_telemetry`` of the answers, since its authors are not known.
"""
