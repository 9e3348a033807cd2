"""Training jobs: datasets, splits, claims, stored features, and progress.

It imports `core.jobs` and what is below it. The work itself is in `worker.training`.
"""
