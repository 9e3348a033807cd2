"""What is kept of a trained network: its weights as bytes and its manifest.

It imports `model.arrays` at most.
"""
