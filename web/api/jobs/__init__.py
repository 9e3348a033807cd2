"""API: jobs, their results, exports and images."""
