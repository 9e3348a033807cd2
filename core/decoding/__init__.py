"""From bytes to pixels: for inference, training and thumbnails alike, and in a process of its own where needed.

It imports `core.base` and `core.formats`. The one package that imports Pillow.
"""
