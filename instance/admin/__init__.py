"""Administering an installation: `pawsort doctor`, `pawsort move`.

It imports `instance.supervisor` and `core`.
"""
