"""A trained network ready to predict, its outputs, and what runs it: TensorFlow or LiteRT, on which device.

It imports `model.architectures`, `model.arrays` and `model.artifacts`.
"""
