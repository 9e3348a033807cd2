"""Training on arrays: augmentation, losses, epochs, last layers, fine-tuning, refitting a head.

It imports `model.architectures`, `model.arrays` and `model.artifacts`.
"""
