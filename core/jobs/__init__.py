"""Jobs, their chunks and their results: claims, counters, progress, and reading results page by page.

It imports `core.labels`, `core.uploads` and what is below them. Training jobs are in `core.training`.
"""
