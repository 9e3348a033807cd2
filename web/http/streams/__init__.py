"""Server-sent events: what happens to a job, sent to those who watch it.

It imports `core` and nothing else of `web`.
"""
