"""The work of training jobs: data, epochs, evaluation, the new version; and checks of label quality.

It imports `worker.process`. Rows and claims are in `core.training`, arrays and losses in `model.training`.
"""
