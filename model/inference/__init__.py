"""A trained network ready to predict, its outputs, and the device it runs on.

It imports `model.architectures`, `model.arrays` and `model.artifacts`.
"""
