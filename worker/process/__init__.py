"""One worker process: its runtime, heartbeat, loaded networks, and decoding.

It imports `core` and `model`; every other package of the worker imports it.
"""
