"""Whole runs: from paths to results, and from a labelled folder to a model version.

It imports `pawsort.sending` and `pawsort.files`.
"""
