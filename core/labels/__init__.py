"""Labels of contents: appending, withdrawing, counting, and their history.

It imports `core.accounts` and what is below it. Reviewing and bulk labelling are in `core.review`.
"""
