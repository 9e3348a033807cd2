"""Reviewing a job's results: the review queue, audits, bulk labels, rearranged folders.

It imports `core.jobs` and what is below it. Single labels are in `core.labels`.
"""
