"""Evaluation of a trained network for its manifest, and of label quality by cross-validation.

It imports the other packages of `model`.
"""
