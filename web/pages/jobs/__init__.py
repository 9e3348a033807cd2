"""Pages of jobs, their pictures and uploads."""
