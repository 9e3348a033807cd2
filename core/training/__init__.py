"""Training jobs: datasets, splits, claims, kept features, and progress.

It imports `core.jobs` and what is below it. The work itself is in `worker.training`.
"""
