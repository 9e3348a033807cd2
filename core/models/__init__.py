"""Model versions: the registry, which one is in use, and how accurate a version is.

It imports the tables and what is below them. Versions are compared in `core.evaluation`.
"""
