"""The answers of a Prometheus, Thanos, Mimir or VictoriaMetrics about the SLOs of all services."""
