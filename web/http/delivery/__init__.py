"""How responses travel: compressed, with an ETag, or kept by browsers for good.

It imports nothing of the web but Flask. `web.app`, API and pages use it.
"""
