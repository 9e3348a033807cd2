"""How responses travel: compressed, with an ETag, or kept by browsers for good.

It imports `core` and `web.http`. `web.app`, API and pages use it.
"""
