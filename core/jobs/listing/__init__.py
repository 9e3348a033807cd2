"""The list of jobs: filters, orders, and the tags that people give to jobs."""
