"""From bytes to pixels: for inference, training and thumbnails, and in a separate process where needed.

It imports `core.base` and `core.formats`. The one package that imports Pillow.
"""
