"""The networks: layers, heads, and the layers that can be trained alone. `registry` has all of them.

It imports `model.arrays` at most. Bounds and defaults for users are in `core.base.network_catalog`.
"""
