"""Conversion of a version for LiteRT, and how well the converted network agrees with the one in TensorFlow.

It imports `model.inference` and what is below it. Only conversion needs TensorFlow; running the result does not.
"""
