"""Model versions: the registry, deployments, and metrics from predictions.

It imports the tables and what is below them. Versions are compared in `core.evaluation`.
"""
