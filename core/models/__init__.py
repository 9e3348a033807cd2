"""Model versions: the registry, deployments, and metrics from predictions.

It imports `core.webhooks` and what is below it. Versions are compared in `core.evaluation`.
"""
