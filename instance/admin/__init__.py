"""Administration of an installation: `pawsort doctor`, `backup`, `restore` and `move`.

It imports `instance.base`, `instance.supervisor` and `core`.
"""
