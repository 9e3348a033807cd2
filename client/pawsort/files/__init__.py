"""Files on the user's own disk: exports, label tables, pictures sorted into folders, corrections read from these.

It imports `pawsort.uploads` and what is below it.
"""
