"""The installation on one machine: the supervisor behind `pawsort up`, single services, and administration.

It imports `core` and the client (`pawsort`), never `web`, `worker` or `model`: those run in processes of their own.
"""
