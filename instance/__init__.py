"""One machine's installation: the supervisor behind `pawsort up`, programs, health checks, administration.

It imports `core` and the client (`pawsort`), never `web`, `worker` or `model`: those run as processes of their own.
"""
