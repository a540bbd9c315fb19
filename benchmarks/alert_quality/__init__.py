"""The quality of alerts: rules on simulated time, judged by an oracle that knows every event.

The oracle and the scraper's view import nothing of otel_meta, so that they share no mistake with
the generator of the rules.
"""
