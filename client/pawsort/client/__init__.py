"""The library: `Pawsort` and `AsyncPawsort`, and the classifications and trainings that they start.

It imports `pawsort.workflows`, `pawsort.operations` and what these import.
"""
