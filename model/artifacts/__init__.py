"""The files of a trained network: its weights as bytes and its manifest.

It imports `model.architectures` and `model.arrays` at most.
"""
