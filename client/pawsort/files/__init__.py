"""Files on the user's own disk: export files, sorting pictures into folders, reading them back as corrections.

It imports `pawsort.uploads` and `pawsort.api`.
"""
