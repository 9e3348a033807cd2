"""Administration of an installation: `pawsort doctor` and `pawsort move`.

It imports `instance.base`, `instance.supervisor` and `core`.
"""
