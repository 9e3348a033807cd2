"""API: training jobs."""
