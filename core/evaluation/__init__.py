"""Evaluation of versions and labels: predictions on the test split, comparison, the promotion gate, drift.

It imports `core.training`, `core.review` and what is below them.
"""
