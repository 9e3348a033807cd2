"""Mathematics on NumPy arrays: metrics, calibration, logistic regression, near-duplicates; no TensorFlow.

It imports no other package of the project.
"""
