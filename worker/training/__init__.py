"""Training jobs at work: data, epochs, evaluation, and the version that comes of it.

It imports `worker.process`. Rows and claims are in `core.training`, arrays and losses in `model.training`.
"""
