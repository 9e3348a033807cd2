"""Pages of training jobs."""
