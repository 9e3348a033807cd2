"""Archives that people upload, read leniently while they arrive: which kinds, compression, names, limits, entries.

It imports `core.formats` and `core.base`.
"""
