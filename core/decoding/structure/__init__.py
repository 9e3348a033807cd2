"""How files are built, as far as their headers show it: read from bytes alone, before anything is decoded.

It imports `core.base` alone; Pillow is not needed here.
"""
