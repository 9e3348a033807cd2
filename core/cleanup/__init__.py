"""Deletion: jobs, uploads and versions, discarded originals, retention, and purging rows and bytes in slices.

It imports `core.training` and what is below it.
"""
