"""The layers of each network, and where its head begins.

It imports `model.arrays` at most. Bounds and defaults for users are in `core.base.network_catalog`.
"""
