"""A trained network ready to answer, and the device it runs on.

It imports `model.architectures`, `model.arrays` and `model.artifacts`.
"""
