"""API: health checks and Prometheus metrics."""
