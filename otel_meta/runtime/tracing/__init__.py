"""A tracer provider of the SDK whose spans cost little."""
