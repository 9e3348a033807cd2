"""Training on arrays: augmentation, losses, epochs, last layers, refitting a head.

It imports `model.architectures`, `model.arrays` and `model.artifacts`.
"""
