"""The HTTP API under /api/v1: a package for each subject, a blueprint for each module, listed in `web.api.registry`.

It imports `web.schemas` and what is below it, never `web.pages`. The subjects do not import each other.
"""
