"""From a trained network to its manifest, and the quality of labels by cross-validation.

It imports the other packages of `model`.
"""
