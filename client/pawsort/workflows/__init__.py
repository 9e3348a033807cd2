"""Several calls in a row: from paths to results, and from a labelled folder to a model version.

It imports `pawsort.uploads` and what is below it.
"""
