"""Administration of an installation: `pawsort doctor` and `pawsort move`.

It imports `instance.supervisor` and `core`.
"""
