"""Trace context and baggage in the headers of a request, by the recommendations of W3C."""
