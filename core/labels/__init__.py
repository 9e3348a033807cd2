"""Labels of contents: appending, withdrawing, counting, and their history.

It imports `core.uploads` and what is below it. Reviewing and bulk labelling are in `core.review`.
"""
