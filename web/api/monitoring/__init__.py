"""API: health checks, Prometheus metrics and the audit log."""
