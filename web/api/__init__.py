"""The HTTP API under /api/v1: a package for each subject, a blueprint for each module.

It imports `web.exports`, `web.receiving`, `web.schemas` and `web.http`, never `web.pages`.
"""
